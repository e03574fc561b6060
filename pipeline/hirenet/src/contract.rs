//! Names of the graph contract, version 1.

use hirenet_core::Modality;

/// The version that this program reads and writes.
pub const VERSION: u64 = 1;
/// Key of the card in the graph's `metadata_props`.
pub const METADATA_KEY: &str = "hirenet";

pub(crate) const QUESTION: &str = "question";
pub(crate) const QUESTION_LEN: &str = "question_len";
pub(crate) const TITLE: &str = "title";
pub(crate) const TITLE_LEN: &str = "title_len";
pub(crate) const LOGIT: &str = "logit";
pub(crate) const MODALITY_ATTENTION: &str = "modality_attention";

/// Name of the input with a modality's row counts, i64 `[A]`. The rows themselves go by the modality's own name.
pub(crate) fn length(modality: Modality) -> String {
    format!("{modality}_len")
}

/// Name of a modality's own logit, f32 `[1]`.
pub(crate) fn logit(modality: Modality) -> String {
    format!("logit_{modality}")
}

/// Name of the attention inside answers, f32 `[A, T]`.
pub(crate) fn attention(modality: Modality) -> String {
    format!("{modality}_attention")
}

/// Name of the attention between answers, f32 `[A]`.
pub(crate) fn answer_attention(modality: Modality) -> String {
    format!("{modality}_answer_attention")
}
