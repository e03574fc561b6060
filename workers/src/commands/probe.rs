//! `hirenet probe`

use std::path::Path;

use crate::commands::print_json;
use crate::config::Config;
use crate::failure::{Failure, Outcome};

/// Describes and does not judge: what cannot be decoded is one of the description's reasons.
pub(crate) fn run(config: &Config, media: &Path) -> Result<Outcome, Failure> {
    let probe = hirenet_media::probe(media, &config.media).map_err(|error| Failure::about(media.display(), &error))?;
    print_json(&probe)?;
    Ok(Outcome::Done)
}
