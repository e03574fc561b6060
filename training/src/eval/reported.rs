//! The numbers of Hemamou et al. (AAAI 2019) as this project recalls them, for the column marked "reported". They stem from
//! another corpus, which is not public: they are context, not a bar.

use std::fmt;

use serde::Serialize;

/// Measures on the hirable class; `None` where no such number is known.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Reported {
    /// Of those called hirable, the share that is.
    pub precision: Option<f64>,
    /// Of the hirable, the share called so.
    pub recall: Option<f64>,
    /// Harmonic mean of the two.
    pub f1: f64,
    /// Whether F1 is not that mean: at least one of the three is misremembered.
    pub uncertain: bool,
}

impl fmt::Display for Reported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for known in [self.precision, self.recall] {
            match known {
                Some(value) => write!(f, "{value:.3} / ")?,
                None => write!(f, "- / ")?,
            }
        }
        write!(f, "{:.3}{}", self.f1, if self.uncertain { " (?)" } else { "" })
    }
}

/// What was reported of a model on a modality.
#[must_use]
pub fn reported(model: &str, modality: &str) -> Option<Reported> {
    let row = |p: f64, r: f64, f1: f64| {
        // Each is rounded to three places.
        let uncertain = (2.0 * p * r / (p + r) - f1).abs() > 2e-3;
        Some(Reported { precision: Some(p), recall: Some(r), f1, uncertain })
    };
    match (model, modality) {
        ("non_sequential", "verbal") => row(0.553, 0.285, 0.376),
        ("non_sequential", "vocal") => row(0.590, 0.463, 0.519),
        ("non_sequential", "visual") => row(0.507, 0.519, 0.507),
        ("bag_of_words", "verbal") => row(0.656, 0.403, 0.499),
        ("bag_of_words", "vocal") => row(0.532, 0.402, 0.532),
        ("bag_of_words", "visual") => row(0.488, 0.447, 0.467),
        ("bigru", "verbal") => row(0.624, 0.510, 0.561),
        ("bigru", "vocal") => row(0.539, 0.596, 0.566),
        ("bigru", "visual") => row(0.559, 0.500, 0.528),
        ("hn_avg", "verbal") => row(0.502, 0.800, 0.617),
        ("hn_avg", "vocal") => row(0.538, 0.672, 0.598),
        ("hn_avg", "visual") => row(0.507, 0.550, 0.528),
        ("hn_satt", "verbal") => row(0.512, 0.803, 0.625),
        ("hn_satt", "vocal") => row(0.527, 0.736, 0.614),
        ("hn_satt", "visual") => row(0.490, 0.559, 0.522),
        ("hirenet", "verbal") => row(0.539, 0.797, 0.643),
        ("hirenet", "vocal") => row(0.576, 0.724, 0.642),
        ("hirenet", "visual") => row(0.562, 0.655, 0.605),
        ("random", "fused") => Some(Reported { precision: None, recall: None, f1: 0.459, uncertain: false }),
        ("majority", "fused") => row(0.567, 0.576, 0.571),
        ("early", "fused") => row(0.587, 0.706, 0.640),
        ("late", "fused") => row(0.567, 0.748, 0.645),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triples_that_contradict_themselves_are_marked() {
        let told = |model, modality| reported(model, modality).unwrap().to_string();
        assert_eq!(told("hirenet", "vocal"), "0.576 / 0.724 / 0.642");
        assert_eq!(told("bag_of_words", "vocal"), "0.532 / 0.402 / 0.532 (?)");
        assert_eq!(told("random", "fused"), "- / - / 0.459");
    }
}
