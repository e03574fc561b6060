//! Sound and models for the tests of this room.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use hirenet_speech::{Heard, Listener, Recogniser, SpeechSettings, VoiceActivity};

/// The voice activity detector of this test process.
pub(crate) fn activity() -> &'static VoiceActivity {
    static ACTIVITY: OnceLock<VoiceActivity> = OnceLock::new();
    ACTIVITY.get_or_init(|| {
        VoiceActivity::load(hirenet_tests::runtime(), &hirenet_tests::model("silero_vad_16k_op15.onnx")).unwrap()
    })
}

/// The demo model under settings of one's own.
pub(crate) fn recogniser(settings: &SpeechSettings) -> Recogniser {
    Recogniser::load(&hirenet_tests::model("ggml-demo-en.bin"), settings).unwrap()
}

/// What is heard in samples, in English.
pub(crate) fn hear(samples: &[f32], settings: &SpeechSettings) -> Heard {
    let mut listener = Listener::for_words(activity(), &recogniser(settings), Some("en")).unwrap();
    listener.push(samples).unwrap();
    listener.finish().unwrap()
}

/// What is said, as one text.
pub(crate) fn text(heard: &Heard) -> String {
    heard.transcript.as_ref().map(hirenet_core::Transcript::text).unwrap_or_default()
}

/// Decodes any file to 16 kHz mono.
pub(crate) fn decode(file: &Path) -> Vec<f32> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(file)
        .args(["-f", "f32le", "-ac", "1", "-ar", "16000", "-"])
        .output()
        .expect("ffmpeg is installed by `make setup`");
    assert!(output.status.success(), "{}: {}", file.display(), String::from_utf8_lossy(&output.stderr));
    output.stdout.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

/// Speaks a text with espeak-ng in one call.
pub(crate) fn speak(voice: &str, text: &str, folder: &Path) -> PathBuf {
    let file = folder.join("spoken.wav");
    let status = Command::new("espeak-ng").args(["-v", voice, "-w"]).arg(&file).arg(text).status();
    assert!(status.expect("espeak-ng is installed by `make setup`").success());
    file
}

/// Codes a file to AAC at 64 kb/s, as a recorder would.
pub(crate) fn code_aac(file: &Path) -> PathBuf {
    let coded = file.with_extension("m4a");
    let status = Command::new("ffmpeg")
        .args(["-y", "-v", "error", "-i"])
        .arg(file)
        .args(["-ar", "48000", "-c:a", "aac", "-b:a", "64k"])
        .arg(&coded)
        .status();
    assert!(status.expect("ffmpeg is installed by `make setup`").success());
    coded
}

/// A text as word errors are counted on: lower case, without punctuation.
pub(crate) fn plain_words(text: &str) -> Vec<String> {
    let kept: String = text.chars().filter(|c| c.is_alphanumeric() || c.is_whitespace() || *c == '\'').collect();
    kept.to_lowercase().split_whitespace().map(str::to_owned).collect()
}

/// Word errors: substitutions, deletions and insertions (Levenshtein distance over words).
pub(crate) fn word_errors(truth: &str, heard: &str) -> usize {
    let (truth, heard) = (plain_words(truth), plain_words(heard));
    let mut row: Vec<usize> = (0..=heard.len()).collect();
    for (i, word) in truth.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, other) in heard.iter().enumerate() {
            let best = (diagonal + usize::from(word != other)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = row[j + 1];
            row[j + 1] = best;
        }
    }
    row[heard.len()]
}
