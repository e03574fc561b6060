//! What a candidate agreed to.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::Modality;

/// What the candidate agreed to, before anything is computed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// Version of the text that the candidate agreed to.
    pub version: String,
    /// When, RFC 3339: a date and time, or a date, which stands for its first moment in UTC.
    pub given_at: String,
    /// The modalities that may be computed; no other ever is.
    pub modalities: Vec<Modality>,
    /// The signed waiver for the face (Maryland Lab. & Empl. 3-717), where there is one.
    #[serde(default)]
    pub face_waiver: Option<FaceWaiver>,
}

impl Consent {
    /// When it was given; `None` where [`Consent::given_at`] is no date of RFC 3339, with or without a time.
    #[must_use]
    pub fn given(&self) -> Option<OffsetDateTime> {
        if self.given_at.len() == DATE_LENGTH {
            return first_moment(&self.given_at);
        }
        // Between date and time the parser takes any letter: the standard leaves room for it, the documented form does not.
        let has_t = matches!(self.given_at.as_bytes().get(10), Some(b'T' | b't'));
        has_t.then(|| OffsetDateTime::parse(&self.given_at, &Rfc3339).ok()).flatten()
    }
}

/// The four things that a face waiver states.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaceWaiver {
    /// The candidate's name is on file with the tenant; the name itself never travels.
    pub name_on_file: bool,
    /// Date of the interview, `YYYY-MM-DD`.
    pub interview_date: String,
    /// The candidate consents to the use of face analysis.
    pub consented: bool,
    /// The candidate states having read the waiver.
    pub read: bool,
}

impl FaceWaiver {
    /// True where the waiver allows the face to be computed: it states all four things.
    #[must_use]
    pub fn allows(&self) -> bool {
        self.name_on_file && self.consented && self.read && is_date(&self.interview_date)
    }
}

/// True for a day of the calendar as `YYYY-MM-DD`, which is the first half of a time of RFC 3339.
fn is_date(text: &str) -> bool {
    text.len() == DATE_LENGTH && first_moment(text).is_some()
}

/// Bytes of `YYYY-MM-DD`.
const DATE_LENGTH: usize = 10;

/// The first moment of a day in UTC.
fn first_moment(day: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(&format!("{day}T00:00:00Z"), &Rfc3339).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn consent(given_at: &str) -> Consent {
        Consent {
            version: "1".to_owned(),
            given_at: given_at.to_owned(),
            modalities: vec![Modality::Verbal],
            face_waiver: None,
        }
    }

    #[test]
    fn the_time_of_a_consent_is_one_of_rfc_3339() {
        for good in [
            "2026-01-01T00:00:00Z",
            "2026-01-01t00:00:00.123456789z",
            "2024-02-29T23:59:59.5+05:30",
            "2016-12-31T23:59:60Z",
            "2026-01-01",
        ] {
            assert!(consent(good).given().is_some(), "{good}");
        }
        let bad = [
            "",
            "yesterday",
            "2026-02-30",
            "2026-01-01 00:00:00Z",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00Z",
            "2026-02-30T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:00Z ",
            "2026-1-1T00:00:00Z",
            "2026-01-0\u{e9}T00:00:00Z",
        ];
        for bad in bad {
            assert_eq!(consent(bad).given(), None, "{bad}");
        }
    }

    #[test]
    fn a_waiver_that_lacks_one_of_its_four_statements_allows_nothing() {
        let whole =
            FaceWaiver { name_on_file: true, interview_date: "2024-02-29".to_owned(), consented: true, read: true };
        assert!(whole.allows());
        assert!(!FaceWaiver { name_on_file: false, ..whole.clone() }.allows());
        assert!(!FaceWaiver { consented: false, ..whole.clone() }.allows());
        assert!(!FaceWaiver { read: false, ..whole.clone() }.allows());
        for date in ["", "soon", "2026-02-29", "29.02.2024", "2024-2-29", "2024-02-29T00:00:00Z", "+202-02-29"] {
            assert!(!FaceWaiver { interview_date: date.to_owned(), ..whole.clone() }.allows(), "{date}");
        }
    }
}
