use hirenet_core::{Assessment, Code, Modality, Span, Status, sha256_bytes};
use serde_json::{Value, json};

use super::guard::Tx;
use crate::intake::submission::{self, Ending};
use crate::{FinalState, Lease, ScoreOutcome, Store, StoreError};

/// Spans that the view shows beside a score.
const TOP_SPANS: usize = 3;
/// Words of a span that the view shows, in characters; the whole of it is in `interview_moments`.
const TOP_SPAN_CHARS: usize = 200;

/// What is locked and read before an assessment is written.
struct Before {
    bundle_modalities: Vec<String>,
    current_input: Option<String>,
    input_sha256: String,
    rescoring: bool,
}

impl Store {
    /// Stores an assessment with its spans, ends the job and every open submission of the interview, each with its event.
    /// A job that only rescores under another bundle ends no submission.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or where the database fails; nothing is written then.
    pub async fn finish_score(&self, lease: &Lease, outcome: &ScoreOutcome<'_>) -> Result<FinalState, StoreError> {
        let assessment = outcome.assessment;
        let mut tx = self.enter(lease).await?;
        let before = before(&mut tx, lease, assessment).await?;
        // The same evidence under the same bundle and software gives the same score: the row is there already.
        if before.current_input.as_ref() != Some(&before.input_sha256) {
            if before.current_input.is_some() {
                supersede(&mut tx, lease, assessment).await?;
            }
            insert(&mut tx, lease, assessment, &before).await?;
        }
        let state = final_state(assessment.status);
        end_job(&mut tx, lease, assessment, (!before.rescoring).then_some(state)).await?;
        if !before.rescoring {
            let mut reasons: Vec<String> = assessment.reasons.iter().map(|r| r.code.to_string()).collect();
            reasons.sort_unstable();
            reasons.dedup();
            let code = (state == FinalState::Refused).then_some(Code::NothingToScore);
            let bundle = Some(assessment.bundle.sha256.as_str()).filter(|_| code.is_none());
            let ending = Ending { state, code, reasons: &reasons, bundle };
            submission::end_all(&mut tx, lease.interview, &ending).await?;
        }
        tx.commit().await?;
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

async fn before(tx: &mut Tx, lease: &Lease, assessment: &Assessment) -> Result<Before, StoreError> {
    let row = sqlx::query!(
        r#"select
            (select modalities from hirenet.bundles where sha256 = $2) as bundle_modalities,
            (select input_sha256 from hirenet.assessments
                where interview = $1 and bundle = $2 and superseded_at is null) as current_input,
            (select string_agg(sha256, ',' order by answer, piece) from (
                select answer, modality as piece, sha256 from hirenet.tracks where interview = $1
                union all select answer, 'words', sha256 from hirenet.transcripts where interview = $1
                union all select answer, 'media', media_sha256 from hirenet.answers where interview = $1) as pieces)
                as evidence,
            i.modalities, j.bundle is not null as "rescoring!"
        from hirenet.interviews i, hirenet.jobs j where i.interview = $1 and j.job = $3 for update of i"#,
        lease.interview,
        assessment.bundle.sha256,
        lease.job
    )
    .fetch_one(&mut **tx)
    .await?;
    let Some(bundle_modalities) = row.bundle_modalities else { return Err(StoreError::Unknown("no such bundle")) };
    let software = &assessment.software;
    let input = json!([row.evidence, row.modalities, software.version, software.settings_sha256, software.models]);
    Ok(Before {
        bundle_modalities,
        current_input: row.current_input,
        input_sha256: sha256_bytes(input.to_string().as_bytes()),
        rescoring: row.rescoring,
    })
}

async fn supersede(tx: &mut Tx, lease: &Lease, assessment: &Assessment) -> Result<(), StoreError> {
    sqlx::query!(
        "update hirenet.assessments set superseded_at = now()
        where interview = $1 and bundle = $2 and superseded_at is null",
        lease.interview,
        assessment.bundle.sha256
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

async fn insert(tx: &mut Tx, lease: &Lease, assessment: &Assessment, before: &Before) -> Result<(), StoreError> {
    let (document, result_sha256) = document(assessment)?;
    let spans = &assessment.spans;
    let software = format!("{} {}", assessment.software.name, assessment.software.version);
    let column = |of: fn(&Span) -> Option<i32>| spans.iter().map(of).collect::<Vec<_>>();
    sqlx::query!(
        r#"with a as (
            insert into hirenet.assessments (tenant, interview, position_id, bundle, status, score, score_low, score_high,
                verbal_score, vocal_score, visual_score, completeness, ranked, reasons, top_spans, software,
                settings_sha256, input_sha256, result_sha256, document)
            select $2, $1, position_id, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19
            from hirenet.interviews where interview = $1
            returning assessment),
        noted as (
            insert into hirenet.audit (action, tenant, interview, job, input_sha256, bundle, settings_sha256, result_sha256,
                software)
            values ('assessed', $2, $1, $20, $17, $3, $16, $18, $15))
        insert into hirenet.spans (assessment, ordinal, tenant, answer_id, modality, start_s, end_s, word_first, word_last,
            weight, influence, words)
        select a.assessment, n - 1, $2, answer, modality, start_s, end_s, first, last, weight, influence, words
        from a, unnest($21::text[], $22::text[], $23::float8[], $24::float8[], $25::int[], $26::int[], $27::float4[],
            $28::float4[], $29::text[]) with ordinality
            as s(answer, modality, start_s, end_s, first, last, weight, influence, words, n)"#,
        lease.interview,
        lease.tenant,
        assessment.bundle.sha256,
        final_state(assessment.status).as_str(),
        assessment.score,
        assessment.score_range.map(|[low, _]| low),
        assessment.score_range.map(|[_, high]| high),
        assessment.scores.verbal,
        assessment.scores.vocal,
        assessment.scores.visual,
        completeness(assessment, &before.bundle_modalities),
        assessment.score.is_some() && !assessment.reasons.iter().any(|r| r.code == Code::LowConfidence),
        json!(assessment.reasons),
        top_spans(spans),
        software,
        assessment.software.settings_sha256,
        before.input_sha256,
        result_sha256,
        document,
        lease.job,
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
    .execute(&mut **tx)
    .await?;
    Ok(())
}

async fn end_job(
    tx: &mut Tx,
    lease: &Lease,
    assessment: &Assessment,
    state: Option<FinalState>,
) -> Result<(), StoreError> {
    sqlx::query!(
        r#"with interview as (
            update hirenet.interviews set status = $2, final_at = coalesce(final_at, now()), changed_at = now()
            where interview = $1 and $2::text is not null),
        job as (
            update hirenet.jobs set state = 'done', lease_until = null, worker = null, code = null, detail = null,
                moved_at = now(), ended_at = now()
            where job = $3)
        update hirenet.attempts set outcome = 'done', ended_at = now(), timings = $5 where job = $3 and attempt = $4"#,
        lease.interview,
        state.map(FinalState::as_str),
        lease.job,
        lease.attempt,
        json!(assessment.timings)
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
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
    let bytes = zstd::bulk::compress(&whole, 3).map_err(|error| corrupt(error.to_string()))?;
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
