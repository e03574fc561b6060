//! What may and must be computed: the bundle says what is needed, consent and policy say what is allowed.

use std::collections::BTreeSet;

use hirenet_core::{Code, Consent, Modality, Reason};
use serde::{Deserialize, Serialize};

/// Whether the face needs a signed waiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaceWaiverPolicy {
    /// Without a complete waiver the face is not computed.
    Required,
    /// The law of the place does not ask for one; consent to the visual modality is enough.
    NotRequired,
}

/// Settings of the policy, section `policy` of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicySettings {
    /// `required` or `not_required`.
    pub face_waiver: FaceWaiverPolicy,
}

impl Default for PolicySettings {
    fn default() -> Self {
        PolicySettings { face_waiver: FaceWaiverPolicy::Required }
    }
}

/// The modalities of `wanted` that may be computed, and a reason for each that may not.
#[must_use]
pub fn allowed(consent: &Consent, policy: &PolicySettings, wanted: &[Modality]) -> (BTreeSet<Modality>, Vec<Reason>) {
    let mut modalities = BTreeSet::new();
    let mut reasons = Vec::new();
    for modality in wanted.iter().copied() {
        let waiver_ok = policy.face_waiver == FaceWaiverPolicy::NotRequired
            || consent.face_waiver.as_ref().is_some_and(hirenet_core::FaceWaiver::allows);
        if !consent.modalities.contains(&modality) {
            reasons.push(Reason::new(Code::NotConsented).of(modality));
        } else if modality == Modality::Visual && !waiver_ok {
            reasons.push(Reason::new(Code::NoFaceWaiver).of(modality));
        } else {
            modalities.insert(modality);
        }
    }
    (modalities, reasons)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hirenet_core::FaceWaiver;

    fn consent(modalities: &[Modality], read: Option<bool>) -> Consent {
        let face_waiver = read.map(|read| FaceWaiver {
            name_on_file: true,
            interview_date: "2026-01-01".to_owned(),
            consented: true,
            read,
        });
        Consent { version: "1".to_owned(), given_at: String::new(), modalities: modalities.to_vec(), face_waiver }
    }

    fn codes(consent: &Consent, policy: FaceWaiverPolicy) -> (Vec<Modality>, Vec<Code>) {
        let (modalities, reasons) = allowed(consent, &PolicySettings { face_waiver: policy }, &Modality::ALL);
        (modalities.into_iter().collect(), reasons.iter().map(|r| r.code).collect())
    }

    #[test]
    fn consent_decides_before_anything_else() {
        let words_only = consent(&[Modality::Verbal], Some(true));
        let refused = vec![Code::NotConsented, Code::NotConsented];
        assert_eq!(codes(&words_only, FaceWaiverPolicy::Required), (vec![Modality::Verbal], refused));
    }

    #[test]
    fn the_face_needs_a_complete_waiver_where_policy_says_so() {
        let without_face = vec![Modality::Verbal, Modality::Vocal];
        for read in [None, Some(false)] {
            let all = consent(&Modality::ALL, read);
            let (modalities, reasons) = codes(&all, FaceWaiverPolicy::Required);
            assert_eq!((modalities, reasons), (without_face.clone(), vec![Code::NoFaceWaiver]));
            assert_eq!(codes(&all, FaceWaiverPolicy::NotRequired).0, Modality::ALL);
        }
        let mut all = consent(&Modality::ALL, Some(true));
        assert_eq!(codes(&all, FaceWaiverPolicy::Required).0, Modality::ALL);
        // Without the date of the interview the waiver states three of the four things.
        all.face_waiver.as_mut().unwrap().interview_date = "soon".to_owned();
        assert_eq!(codes(&all, FaceWaiverPolicy::Required), (without_face, vec![Code::NoFaceWaiver]));
    }
}
