use hirenet_core::{Assessment, Code, Modality, Software, Span, Status, sha256_bytes};
use serde_json::{Value, json};

use crate::{Evidence, FinalState, Lease, ScoreOutcome, Store, StoreError, pack};

/// Spans that the view shows beside a score.
const TOP_SPANS: usize = 3;
/// Words of a span that the view shows, in characters; the whole of it is in `interview_moments`.
const TOP_SPAN_CHARS: usize = 200;

impl Store {
    /// Stores an assessment with its spans, ends the job and every open submission of the interview, each with its event.
    /// A job that only rescores under another bundle ends no submission.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or where the database fails; nothing is written then.
    pub async fn finish_score(&self, lease: &Lease, outcome: &ScoreOutcome<'_>) -> Result<FinalState, StoreError> {
        let ScoreOutcome { assessment, evidence } = outcome;
        let state = final_state(assessment.status);
        let code = (state == FinalState::Refused).then_some(Code::NothingToScore);
        let mut codes: Vec<String> = assessment.reasons.iter().map(|r| r.code.to_string()).collect();
        codes.sort_unstable();
        codes.dedup();
        let completeness = completeness(assessment, &self.asked_by(&assessment.bundle.sha256).await?);
        let (document, result_sha256) = document(assessment)?;
        let (software, spans) = (&assessment.software, &assessment.spans);
        let column = |of: fn(&Span) -> Option<i32>| spans.iter().map(of).collect::<Vec<_>>();
        let mut connection = self.connection().await?;
        let held = sqlx::query_scalar!(
            r#"select hirenet.finish_score($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
                $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32) as "held!""#,
            lease.job,
            lease.fence,
            state.as_str(),
            assessment.bundle.sha256,
            assessment.score,
            assessment.score_range.map(|[low, _]| low),
            assessment.score_range.map(|[_, high]| high),
            assessment.scores.verbal,
            assessment.scores.vocal,
            assessment.scores.visual,
            completeness,
            assessment.score.is_some() && !assessment.reasons.iter().any(|r| r.code == Code::LowConfidence),
            json!(assessment.reasons),
            top_spans(spans),
            format!("{} {}", software.name, software.version),
            software.settings_sha256,
            input_sha256(evidence, software),
            result_sha256,
            document,
            json!(assessment.timings),
            code.map(Code::as_str),
            state.event(),
            json!(codes),
            &spans.iter().map(|s| s.answer.clone()).collect::<Vec<_>>(),
            &spans.iter().map(|s| s.modality.to_string()).collect::<Vec<_>>(),
            &spans.iter().map(|s| s.start).collect::<Vec<_>>() as &[Option<f64>],
            &spans.iter().map(|s| s.end).collect::<Vec<_>>() as &[Option<f64>],
            &column(|s| s.word_first.map(|w| w as i32)) as &[Option<i32>],
            &column(|s| s.word_last.map(|w| w as i32)) as &[Option<i32>],
            &spans.iter().map(|s| s.weight).collect::<Vec<_>>(),
            &spans.iter().map(|s| s.influence).collect::<Vec<_>>(),
            &spans.iter().map(|s| s.text.clone()).collect::<Vec<_>>()
        )
        .fetch_one(&mut *connection)
        .await?;
        self.keep(connection);
        if !held {
            return Err(StoreError::LeaseLost(lease.job));
        }
        self.filled.notify_one();
        Ok(state)
    }
}

fn final_state(status: Status) -> FinalState {
    match status {
        Status::Scored => FinalState::Scored,
        Status::Partial => FinalState::Partial,
        Status::Refused => FinalState::Refused,
    }
}

/// SHA-256 of everything that decides an assessment but the bundle.
fn input_sha256(evidence: &Evidence, software: &Software) -> String {
    let input =
        json!([evidence.pieces, evidence.modalities, software.version, software.settings_sha256, software.models]);
    sha256_bytes(input.to_string().as_bytes())
}

/// The whole assessment without words, compressed, and the SHA-256 of what must be the same in two runs.
///
/// Words are kept once, where their own retention reaches them: in `transcripts` and `spans`.
fn document(assessment: &Assessment) -> Result<(Vec<u8>, String), StoreError> {
    let mut bare = assessment.clone();
    for answer in &mut bare.answers {
        answer.transcript = None;
    }
    for span in &mut bare.spans {
        span.text.clear();
    }
    let corrupt = |error: String| StoreError::corrupt("assessment", error);
    let whole = serde_json::to_vec(&bare).map_err(|error| corrupt(error.to_string()))?;
    let bytes = pack(&whole).map_err(|error| corrupt(error.to_string()))?;
    bare.timings.clear();
    let same = serde_json::to_vec(&bare).map_err(|error| corrupt(error.to_string()))?;
    Ok((bytes, sha256_bytes(&same)))
}

/// Share of answers times modalities that the bundle asks for and that have a valid row.
fn completeness(assessment: &Assessment, asked: &[String]) -> f64 {
    let wanted: Vec<Modality> = Modality::ALL.into_iter().filter(|m| asked.iter().any(|a| a == m.as_str())).collect();
    let pairs = wanted.len() * assessment.answers.len();
    let has = |answer: &hirenet_core::AnswerResult, m: Modality| answer.tracks.get(m).is_some_and(|t| t.valid_rows > 0);
    let there =
        assessment.answers.iter().map(|answer| wanted.iter().filter(|m| has(answer, **m)).count()).sum::<usize>();
    if pairs == 0 { 0.0 } else { there as f64 / pairs as f64 }
}

fn top_spans(spans: &[Span]) -> Value {
    let shown = |span: &Span| {
        json!({
            "answer": span.answer, "modality": span.modality, "start": span.start, "end": span.end,
            "weight": span.weight, "influence": span.influence,
            "text": span.text.chars().take(TOP_SPAN_CHARS).collect::<String>(),
        })
    };
    spans.iter().take(TOP_SPANS).map(shown).collect()
}
