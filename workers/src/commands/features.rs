//! `hirenet features`

use std::collections::BTreeSet;
use std::path::Path;

use hirenet_analyze::{Extraction, Rooms, Task};
use hirenet_core::{BLENDSHAPES, Code, LLD_COLUMNS, Modality, Reason, Track, Transcript, window_span};
use hirenet_face::FaceRow;
use hirenet_voice::Llds;

use crate::cli::FeatureModality;
use crate::commands::print;
use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::logging;
use crate::progress::Progress;
use crate::setup::Installation;

/// What the command line asks for.
pub(crate) struct Wanted<'a> {
    pub(crate) modality: FeatureModality,
    pub(crate) windows: bool,
    pub(crate) language: Option<&'a str>,
}

pub(crate) fn run(config: &Config, media: &Path, wanted: &Wanted<'_>) -> Result<Outcome, Failure> {
    let modality = match wanted.modality {
        FeatureModality::Vocal => Modality::Vocal,
        FeatureModality::Visual => Modality::Visual,
        FeatureModality::Verbal => Modality::Verbal,
    };
    if wanted.windows && modality == Modality::Verbal {
        return Err(Failure::new(Code::UsageInvalid, "--windows: words have a row a word, not windows"));
    }
    check(config, media)?;
    let installation = Installation::new(config)?;
    let extraction = extract(&installation, media, modality, wanted.language)?;
    let text = match (&extraction.llds, &extraction.faces, &extraction.transcript) {
        (Some(_), _, _) | (_, Some(_), _) if wanted.windows => {
            extraction.tracks.get(modality).map(windows_csv).transpose()?
        }
        (Some(llds), _, _) => Some(vocal_csv(llds)?),
        (_, Some(faces), _) => Some(visual_csv(faces)?),
        (_, _, Some(transcript)) => Some(verbal_csv(&installation, transcript)?),
        _ => None,
    };
    let missing = if modality == Modality::Visual { Code::NoVideo } else { Code::NoAudio };
    let text = text.ok_or_else(|| nothing(media, &extraction.reasons, missing))?;
    print(&text)?;
    let partial = extraction.reasons.iter().any(|r| r.code == Code::DecodeTruncated);
    Ok(if partial { Outcome::Partial } else { Outcome::Done })
}

/// Looks at the file before any model is loaded: a wrong path is told at once.
pub(crate) fn check(config: &Config, media: &Path) -> Result<(), Failure> {
    hirenet_media::check_file(media, &config.media).map_err(|error| Failure::about(media.display(), &error))
}

/// Extracts one modality of one recording, and says on stderr what is to be known of it.
pub(crate) fn extract(
    installation: &Installation<'_>,
    media: &Path,
    modality: Modality,
    language: Option<&str>,
) -> Result<Extraction, Failure> {
    let modalities = BTreeSet::from([modality]);
    let mut extractor = installation.extractor(Rooms::for_modalities(&modalities, true))?;
    // Before anything is recognised: whoever gets invented sentences is to know it from the start.
    let note = if modality == Modality::Verbal { speech_note(installation)? } else { None };
    let progress = Progress::new();
    let task = Task { media, sha256: None, modalities: &modalities, transcript: None, language };
    let mut extraction =
        extractor.extract(&task, &progress).map_err(|error| Failure::about(media.display(), &error))?;
    drop(progress);
    for reason in extraction.reasons.iter().filter(|reason| reason.code != Code::LanguageUnsupported) {
        logging::note(reason, &reason.detail);
    }
    // Somebody speaks, in a language that the model does not know: there is nothing to print.
    if let Some(unknown) = extraction.reasons.iter().find(|reason| reason.code == Code::LanguageUnsupported) {
        return Err(Failure::new(unknown.code, &unknown.detail).naming(media.display()).of(unknown.modality));
    }
    extraction.reasons.extend(note);
    Ok(extraction)
}

/// What every result must say of the recognition model, told at once.
fn speech_note(installation: &Installation<'_>) -> Result<Option<Reason>, Failure> {
    let note = installation.speech_note(&Installation::sha256(&installation.speech_model()?)?);
    if let Some(note) = &note {
        logging::note(note, &note.detail);
    }
    Ok(note)
}

/// The refusal of a recording that yields nothing: its own reason where it has one.
pub(crate) fn nothing(media: &Path, reasons: &[Reason], otherwise: Code) -> Failure {
    let code = reasons.iter().map(|r| r.code).find(|code| code.makes_partial()).unwrap_or(otherwise);
    Failure::new(code, format!("{}: {}", media.display(), code.meaning()))
}

fn seconds(time: f64) -> String {
    format!("{time:.3}")
}

type Rows = Vec<Vec<String>>;

fn csv_bytes(header: &[String], rows: Rows) -> Result<Vec<u8>, Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failed = |error: csv::Error| Failure::internal(&error.into());
    writer.write_record(header).map_err(failed)?;
    for row in rows {
        writer.write_record(row).map_err(failed)?;
    }
    writer.into_inner().map_err(|error| Failure::internal(&anyhow::anyhow!("{error}")))
}

fn vocal_csv(llds: &Llds) -> Result<Vec<u8>, Failure> {
    let header: Vec<String> =
        ["time_s"].into_iter().chain(LLD_COLUMNS.iter().map(|(name, _)| *name)).map(str::to_owned).collect();
    let rows = llds.times_s.iter().zip(llds.values.rows());
    let rows = rows.map(|(t, row)| [seconds(*t)].into_iter().chain(row.iter().map(f32::to_string)).collect());
    csv_bytes(&header, rows.collect())
}

fn visual_csv(faces: &[FaceRow]) -> Result<Vec<u8>, Failure> {
    const MEASURES: [&str; 12] = [
        "time_s",
        "face",
        "confidence",
        "x",
        "y",
        "width",
        "height",
        "yaw_deg",
        "pitch_deg",
        "roll_deg",
        "gaze_yaw_deg",
        "gaze_pitch_deg",
    ];
    let header: Vec<String> = MEASURES.into_iter().chain(BLENDSHAPES).map(str::to_owned).collect();
    let rows = faces.iter().map(|row| {
        let mut cells = vec![seconds(row.time_s), u8::from(row.face.is_some()).to_string()];
        if let Some(face) = &row.face {
            cells.push(face.confidence.to_string());
            let bounds = &face.bounds;
            cells.extend([bounds.x, bounds.y, bounds.width, bounds.height].map(|pixels| format!("{pixels:.2}")));
            let angles = [face.yaw_deg, face.pitch_deg, face.roll_deg, face.gaze_yaw_deg, face.gaze_pitch_deg];
            cells.extend(angles.iter().chain(&face.blendshapes).map(f32::to_string));
        }
        cells.resize(header.len(), String::new());
        cells
    });
    csv_bytes(&header, rows.collect())
}

fn verbal_csv(installation: &Installation<'_>, transcript: &Transcript) -> Result<Vec<u8>, Failure> {
    let track = installation.encoder()?.verbal_track(transcript)?;
    let named = ["index", "start_s", "end_s", "confidence", "text"].into_iter().map(str::to_owned);
    let header: Vec<String> = named.chain(track.schema.columns.iter().map(|c| c.name.clone())).collect();
    let rows = transcript.words.iter().enumerate().map(|(i, word)| {
        let time = |t: Option<f64>| t.map(seconds).unwrap_or_default();
        let confidence = word.confidence.map(|c| c.to_string()).unwrap_or_default();
        let cells = [i.to_string(), time(word.start), time(word.end), confidence, word.text.clone()];
        cells.into_iter().chain(track.values.row(i).iter().map(f32::to_string)).collect()
    });
    csv_bytes(&header, rows.collect())
}

fn windows_csv(track: &Track) -> Result<Vec<u8>, Failure> {
    let named = ["start_s", "end_s", "valid"].into_iter().map(str::to_owned);
    let header: Vec<String> = named.chain(track.schema.columns.iter().map(|c| c.name.clone())).collect();
    let rows = track.values.rows().into_iter().enumerate().map(|(k, row)| {
        let (start, end) = window_span(k);
        let cells = [seconds(start), seconds(end), u8::from(track.valid[k]).to_string()];
        cells.into_iter().chain(row.iter().map(f32::to_string)).collect()
    });
    csv_bytes(&header, rows.collect())
}
