//! `hirenet transcribe`

use std::path::Path;

use hirenet_core::{Code, Modality, Reason};
use serde_json::json;

use crate::cli::TranscriptFormat;
use crate::commands::{features, print, print_json};
use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::setup::Installation;

pub(crate) fn run(
    config: &Config,
    media: &Path,
    language: Option<&str>,
    format: TranscriptFormat,
) -> Result<Outcome, Failure> {
    features::check(config, media)?;
    let installation = Installation::new(config)?;
    let extraction = features::extract(&installation, media, Modality::Verbal, language)?;
    let Some(transcript) = extraction.transcript else {
        return Err(features::nothing(media, &extraction.reasons, Code::NoAudio));
    };
    let subtitles = |written: Result<String, hirenet_speech::SpeechError>| written.map_err(Failure::from);
    match format {
        TranscriptFormat::Json => print_json(&json!({
            "language": transcript.language,
            "segments": transcript.segments,
            "words": transcript.words,
            "duration_s": extraction.duration_s,
            "reasons": extraction.reasons,
        }))?,
        TranscriptFormat::Vtt => print(subtitles(hirenet_speech::to_vtt(&transcript))?.as_bytes())?,
        TranscriptFormat::Srt => print(subtitles(hirenet_speech::to_srt(&transcript))?.as_bytes())?,
        TranscriptFormat::Txt => print(hirenet_speech::to_txt(&transcript).as_bytes())?,
    }
    Ok(outcome(&extraction.reasons))
}

/// Silence is a whole result: nothing was said. A damaged recording is not.
fn outcome(reasons: &[Reason]) -> Outcome {
    let whole = |code: Code| !code.makes_partial() || matches!(code, Code::NoSpeech | Code::SpeechUnintelligible);
    if reasons.iter().all(|r| whole(r.code)) { Outcome::Done } else { Outcome::Partial }
}
