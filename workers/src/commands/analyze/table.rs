//! The result as a table for a terminal.

use std::fmt::Write;
use std::path::Path;

use crate::logging::with_advice;
use crate::report::tenths;
use hirenet_core::{Assessment, BundleKind, Modality, Status};

/// Longest text of a span in the table, in characters.
const TEXT_WIDTH: usize = 48;

/// Renders the result of one interview.
pub(crate) fn render(assessment: &Assessment, page: &Path) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = heading(&mut out, assessment);
    let _ = scores(&mut out, assessment);
    let _ = answers(&mut out, assessment);
    let _ = moments(&mut out, assessment);
    let _ = reasons(&mut out, assessment);
    let page = page.canonicalize().unwrap_or_else(|_| page.to_path_buf());
    let _ = writeln!(out, "\nPage: file://{}", page.display());
    out
}

fn heading(out: &mut String, assessment: &Assessment) -> std::fmt::Result {
    let status = match assessment.status {
        Status::Scored => "scored",
        Status::Partial => "partial: pieces are missing, see the reasons",
        Status::Refused => "refused",
    };
    let bundle = &assessment.bundle;
    let kind = match bundle.kind {
        BundleKind::Untrained => "untrained bundle: random weights, the numbers mean nothing",
        BundleKind::Demo => "demo bundle: synthetic data, for demonstration only",
        BundleKind::Trained => "trained bundle",
    };
    writeln!(out, "Interview  {}", assessment.interview_id)?;
    writeln!(out, "Status     {status}")?;
    writeln!(out, "Bundle     {} {} ({kind})", bundle.name, bundle.version)
}

fn scores(out: &mut String, assessment: &Assessment) -> std::fmt::Result {
    let number = |score: Option<f64>| score.map_or_else(|| "-".to_owned(), |s| format!("{s:.3}"));
    write!(out, "Score      {}", number(assessment.score))?;
    if let Some([low, high]) = assessment.score_range {
        write!(out, "   {low:.3} to {high:.3} with one answer left out (sensitivity, not confidence)")?;
    }
    writeln!(out, "\n\n  {:<10} {:>7} {:>8}", "modality", "score", "weight")?;
    for modality in Modality::ALL {
        let weight = assessment.modality_weights.get(&modality).copied().unwrap_or(0.0);
        let score = number(assessment.scores.get(modality).copied());
        writeln!(out, "  {:<10} {score:>7} {weight:>8.3}", modality.as_str())?;
    }
    Ok(())
}

fn answers(out: &mut String, assessment: &Assessment) -> std::fmt::Result {
    writeln!(
        out,
        "\n  {:<12} {:>8} {:>6} {:>13} {:>13}",
        "answer", "seconds", "words", "voice windows", "face windows"
    )?;
    for answer in &assessment.answers {
        let seconds = answer.duration_s.map_or_else(|| "-".to_owned(), tenths);
        let words = answer.transcript.as_ref().map_or_else(|| "-".to_owned(), |t| t.words.len().to_string());
        let windows = |modality| match answer.tracks.get(modality) {
            Some(track) => format!("{}/{}", track.valid_rows, track.rows),
            None => "-".to_owned(),
        };
        let (voice, face) = (windows(Modality::Vocal), windows(Modality::Visual));
        writeln!(out, "  {:<12} {seconds:>8} {words:>6} {voice:>13} {face:>13}", answer.id)?;
    }
    Ok(())
}

fn moments(out: &mut String, assessment: &Assessment) -> std::fmt::Result {
    if assessment.spans.is_empty() {
        return writeln!(out, "\n  No moment stands out.");
    }
    writeln!(
        out,
        "\n  {:<12} {:<9} {:>13} {:>7} {:>10}  words",
        "moment in", "modality", "seconds", "weight", "influence"
    )?;
    for span in &assessment.spans {
        let seconds = match (span.start, span.end) {
            (Some(start), Some(end)) => format!("{}-{}", tenths(start), tenths(end)),
            _ => "-".to_owned(),
        };
        let text: String = span.text.chars().take(TEXT_WIDTH).collect();
        let more = if text.len() < span.text.len() { "..." } else { "" };
        let (weight, influence) = (span.weight, span.influence);
        writeln!(
            out,
            "  {:<12} {:<9} {seconds:>13} {weight:>7.3} {influence:>+10.4}  {text}{more}",
            span.answer,
            span.modality.as_str()
        )?;
    }
    Ok(())
}

fn reasons(out: &mut String, assessment: &Assessment) -> std::fmt::Result {
    if assessment.reasons.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n  {:<24} {:<12} {:<9} what it means, and what to do", "reason", "answer", "modality")?;
    for reason in &assessment.reasons {
        let answer = reason.answer.as_deref().unwrap_or("all");
        let modality = reason.modality.map_or("all", Modality::as_str);
        let told = with_advice(reason.code, &reason.detail);
        writeln!(out, "  {:<24} {answer:<12} {modality:<9} {told}", reason.code.as_str())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hirenet_core::{Code, Reason};

    #[test]
    fn seconds_are_rounded_as_on_the_page() {
        let mut assessment = hirenet_tests::assessment::partial();
        assessment.answers[0].duration_s = Some(5.25);
        (assessment.spans[0].start, assessment.spans[0].end) = (Some(4.25), Some(5.25));
        let table = render(&assessment, Path::new("report.html"));
        let line = |start: &str| table.lines().find(|line| line.starts_with(start)).unwrap();
        assert!(line("  a1   ").split_whitespace().any(|cell| cell == "5.3"), "{table}");
        assert!(table.contains(" 4.3-5.3 "), "{table}");
    }

    #[test]
    fn what_cannot_be_mended_has_no_advice() {
        let mut assessment = hirenet_tests::assessment::partial();
        assessment.reasons = vec![Reason::new(Code::NotConsented).of(Modality::Visual)];
        let table = render(&assessment, Path::new("report.html"));
        assert!(table.contains("visual    The candidate did not consent to this modality; it was not computed.\n"));
        assert!(!table.contains("Nothing"), "{table}");
    }
}
