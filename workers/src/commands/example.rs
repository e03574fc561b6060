//! `hirenet example`

use crate::commands::print;
use crate::failure::{Failure, Outcome};

const EXAMPLE: &str = include_str!("example.jsonc");

pub(crate) fn run(plain: bool) -> Result<Outcome, Failure> {
    if plain {
        let interview = hirenet_core::Interview::from_json(EXAMPLE)?;
        super::print_json(&interview)?;
    } else {
        print(EXAMPLE.as_bytes())?;
    }
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_a_valid_message() {
        let interview = hirenet_core::Interview::from_json(EXAMPLE).unwrap();
        assert_eq!(interview.answers.len(), 2);
    }
}
