//! Every assessment beside its own document: the columns that people read say what was written when it was scored.

use hirenet_core::{Assessment, Code, Modality, Reason, Span, Status, sha256_bytes};
use serde_json::Value;

use super::{Broken, Tx};
use crate::StoreError;
use crate::records::document_json;

/// Assessments read at once: their documents are the largest rows that there are.
const PAGE: i64 = 32;

/// An assessment as its columns have it.
struct Row {
    assessment: i64,
    interview_id: String,
    bundle: String,
    bundle_modalities: Vec<String>,
    status: String,
    score: Option<f64>,
    score_low: Option<f64>,
    score_high: Option<f64>,
    verbal_score: Option<f64>,
    vocal_score: Option<f64>,
    visual_score: Option<f64>,
    completeness: f64,
    ranked: bool,
    reasons: Value,
    top_spans: Value,
    software: String,
    settings_sha256: String,
    result_sha256: String,
    document: Vec<u8>,
}

/// A span as its columns have it.
struct SpanRow {
    assessment: i64,
    answer_id: String,
    modality: String,
    start_s: Option<f64>,
    end_s: Option<f64>,
    word_first: Option<i32>,
    word_last: Option<i32>,
    weight: f32,
    influence: f32,
}

/// The assessments of a tenant whose columns or spans are not those of their documents. A page of rows is in memory at
/// once, and one document unpacked.
pub(super) async fn differ(tx: &mut Tx) -> Result<Vec<Broken>, StoreError> {
    let mut broken = Vec::new();
    let mut after = i64::MIN;
    loop {
        let rows = page(tx, after).await?;
        let Some(last) = rows.last() else { return Ok(broken) };
        let spans = spans(tx, after, last.assessment).await?;
        after = last.assessment;
        for row in &rows {
            let own = spans.iter().filter(|span| span.assessment == row.assessment);
            let found = differences(row, &own.collect::<Vec<_>>());
            broken.extend(found.into_iter().map(|what| Broken { what, row: row.assessment.to_string() }));
        }
    }
}

async fn page(tx: &mut Tx, after: i64) -> Result<Vec<Row>, StoreError> {
    let rows = sqlx::query_as!(
        Row,
        r#"select a.assessment, i.interview_id, a.bundle, b.modalities as bundle_modalities, a.status, a.score, a.score_low,
            a.score_high, a.verbal_score, a.vocal_score, a.visual_score, a.completeness, a.ranked, a.reasons, a.top_spans,
            a.software, a.settings_sha256, a.result_sha256, a.document
        from hirenet.assessments a
        join hirenet.interviews i on i.interview = a.interview
        join hirenet.bundles b on b.sha256 = a.bundle
        where a.assessment > $1 order by a.assessment limit $2"#,
        after,
        PAGE
    );
    Ok(rows.fetch_all(&mut **tx).await?)
}

async fn spans(tx: &mut Tx, after: i64, last: i64) -> Result<Vec<SpanRow>, StoreError> {
    let rows = sqlx::query_as!(
        SpanRow,
        "select assessment, answer_id, modality, start_s, end_s, word_first, word_last, weight, influence
        from hirenet.spans where assessment > $1 and assessment <= $2 order by assessment, ordinal",
        after,
        last
    );
    Ok(rows.fetch_all(&mut **tx).await?)
}

/// What is wrong with an assessment, a sentence each. Words are left out: they have a retention of their own.
fn differences(row: &Row, spans: &[&SpanRow]) -> Vec<String> {
    let Ok(json) = document_json(&row.document) else {
        return vec!["the document of a score cannot be unpacked".to_owned()];
    };
    let Ok(written) = serde_json::from_slice::<Assessment>(&json) else {
        return vec!["the document of a score cannot be read".to_owned()];
    };
    let [low, high] = written.score_range.map_or([None, None], |[low, high]| [Some(low), Some(high)]);
    let software = format!("{} {}", written.software.name, written.software.version);
    let ranked = written.score.is_some() && written.reasons.iter().all(|reason| reason.code != Code::LowConfidence);
    let pieces = completeness(&written, &row.bundle_modalities);
    let reasons: Option<Vec<Reason>> = serde_json::from_value(row.reasons.clone()).ok();
    let compared = [
        ("result_sha256", result_sha256(&json).is_some_and(|sha256| sha256 == row.result_sha256)),
        ("interview", written.interview_id == row.interview_id),
        ("bundle", written.bundle.sha256 == row.bundle),
        ("software", software == row.software),
        ("settings_sha256", written.software.settings_sha256 == row.settings_sha256),
        ("status", status(written.status) == row.status),
        ("score", same(written.score, row.score)),
        ("score_low", same(low, row.score_low)),
        ("score_high", same(high, row.score_high)),
        ("verbal_score", same(written.scores.verbal, row.verbal_score)),
        ("vocal_score", same(written.scores.vocal, row.vocal_score)),
        ("visual_score", same(written.scores.visual, row.visual_score)),
        ("completeness", same(Some(pieces), Some(row.completeness))),
        ("ranked", ranked == row.ranked),
        ("reasons", reasons.as_ref() == Some(&written.reasons)),
        ("top_spans", shown(&row.top_spans, &written.spans)),
        ("spans", spans.len() == written.spans.len() && spans.iter().zip(&written.spans).all(|(s, w)| same_span(s, w))),
    ];
    let wrong = compared.into_iter().filter(|(_, holds)| !holds);
    wrong.map(|(column, _)| format!("a score's {column} is not the one of its document")).collect()
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Scored => "scored",
        Status::Partial => "partial",
        Status::Refused => "refused",
    }
}

/// The hash of a document's text without its timings, which are its last field and hold numbers only. Of the text and not of
/// what is read from it, so that a document of an older version of the program keeps its hash.
fn result_sha256(json: &[u8]) -> Option<String> {
    const TIMINGS: &str = ",\"timings\":{";
    let text = std::str::from_utf8(json).ok()?;
    let at = text.rfind(TIMINGS)?;
    Some(sha256_bytes(format!("{}{TIMINGS}}}}}", &text[..at]).as_bytes()))
}

/// Share of answers times modalities that the bundle asks for and that have a valid row, counted anew.
fn completeness(written: &Assessment, asked: &[String]) -> f64 {
    let asked: Vec<Modality> = Modality::ALL.into_iter().filter(|m| asked.iter().any(|a| a == m.as_str())).collect();
    let has = |(answer, modality): (usize, Modality)| {
        written.answers[answer].tracks.get(modality).is_some_and(|track| track.valid_rows > 0)
    };
    let pairs = (0..written.answers.len()).flat_map(|answer| asked.iter().map(move |modality| (answer, *modality)));
    let (all, there) = (pairs.clone().count(), pairs.filter(|pair| has(*pair)).count());
    if all == 0 { 0.0 } else { there as f64 / all as f64 }
}

fn same_span(row: &SpanRow, written: &Span) -> bool {
    let word = |word: Option<i32>| word.and_then(|word| usize::try_from(word).ok());
    row.answer_id == written.answer
        && row.modality == written.modality.as_str()
        && same(row.start_s, written.start)
        && same(row.end_s, written.end)
        && (word(row.word_first), word(row.word_last)) == (written.word_first, written.word_last)
        && same_single(row.weight, written.weight)
        && same_single(row.influence, written.influence)
}

/// The strongest spans are those that the view shows.
fn shown(top_spans: &Value, written: &[Span]) -> bool {
    let Some(top) = top_spans.as_array() else { return false };
    let single = |span: &Value, key: &str| span[key].as_f64().map_or(f32::NAN, |number| number as f32);
    top.is_empty() == written.is_empty()
        && top.len() <= written.len()
        && top.iter().zip(written).all(|(span, written)| {
            span["answer"].as_str() == Some(written.answer.as_str())
                && span["modality"].as_str() == Some(written.modality.as_str())
                && same(span["start"].as_f64(), written.start)
                && same(span["end"].as_f64(), written.end)
                && same_single(single(span, "weight"), written.weight)
                && same_single(single(span, "influence"), written.influence)
        })
}

/// A number that went through JSON may differ in its last bit.
fn same(one: Option<f64>, other: Option<f64>) -> bool {
    match (one, other) {
        (None, None) => true,
        // Of numbers without end, the difference would be within any share of them.
        (Some(one), Some(other)) => one.is_finite() && (one - other).abs() <= 1e-12 * one.abs().max(1.0),
        _ => false,
    }
}

fn same_single(one: f32, other: f32) -> bool {
    one.is_finite() && (one - other).abs() <= 1e-6 * one.abs().max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_a_document_leaves_its_timings_out() {
        let of = |text: &str| result_sha256(text.as_bytes());
        assert_eq!(of(r#"{"a":"x","timings":{"score":0.25}}"#), of(r#"{"a":"x","timings":{}}"#));
        assert_eq!(of(r#"{"a":"x","timings":{}}"#), Some(sha256_bytes(br#"{"a":"x","timings":{}}"#)));
        assert_ne!(of(r#"{"a":"x","timings":{}}"#), of(r#"{"a":"y","timings":{}}"#));
        assert_eq!(of(r#"{"a":"x"}"#), None);
    }

    #[test]
    fn what_is_no_number_equals_nothing() {
        assert!(same(Some(0.1 + 0.2), Some(0.3)) && same(None, None));
        assert!(!same(Some(f64::NAN), Some(f64::NAN)) && !same(Some(0.5), None) && !same(Some(0.5), Some(0.500_001)));
        assert!(same_single(0.1, 0.1) && !same_single(f32::NAN, 0.1) && !same_single(f32::INFINITY, 0.1));
    }
}
