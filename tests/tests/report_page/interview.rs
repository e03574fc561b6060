//! Interviews on disk for the page's tests: an assessment, a short recording, and the page that `hirenet report` makes.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use hirenet_core::Assessment;
use hirenet_tests::{assessment, program};

/// Length of the first answer's recording in seconds.
pub(crate) const DURATION_S: f64 = 12.0;

/// Seconds from the container's own zero to the first timestamp of a recording that begins late.
pub(crate) const LATE_S: f64 = 5.0;

/// A text that is markup in every context it could fall into.
pub(crate) const HOSTILE: &str = "</script><script>window.intruder=1</script><img src=x onerror=window.intruder=1>\
                           \"'`${intruder=1}\u{2028}--></style>&lt;{{ 1 }}";

/// How the page gets its recordings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recordings {
    /// By relative links.
    Linked,
    /// By relative links, and their timestamps begin at [`LATE_S`].
    Late,
    /// Inside the page.
    Embedded,
    /// Not at all.
    None,
}

/// A folder with an assessment, its recordings and its page.
pub(crate) struct Interview {
    folder: tempfile::TempDir,
    /// The page.
    pub(crate) page: PathBuf,
}

impl Interview {
    /// The example assessment, its page in a folder of its own.
    pub(crate) fn new(recordings: Recordings) -> Interview {
        Interview::of(&assessment::partial(), recordings)
    }

    /// The example assessment with hostile text wherever a stranger's text can stand.
    pub(crate) fn hostile() -> Interview {
        let mut assessment = assessment::partial();
        let text = || HOSTILE.to_owned();
        assessment.interview_id = text();
        assessment.bundle.name = text();
        assessment.bundle.version = text();
        assessment.software.models.insert(text(), text());
        for reason in &mut assessment.reasons {
            reason.detail = text();
            reason.answer = Some(text());
        }
        for span in &mut assessment.spans {
            span.text = text();
        }
        let answer = &mut assessment.answers[0];
        (answer.question, answer.media) = (text(), text());
        if let Some(transcript) = &mut answer.transcript {
            transcript.language = Some(text());
            transcript.words[0].text = text();
        }
        Interview::of(&assessment, Recordings::None)
    }

    fn of(assessment: &Assessment, recordings: Recordings) -> Interview {
        let folder = tempfile::tempdir().unwrap();
        let (media, out) = (folder.path().join("a recording #1"), folder.path().join("out"));
        std::fs::create_dir(&media).unwrap();
        std::fs::create_dir(&out).unwrap();
        match recordings {
            Recordings::None => {}
            Recordings::Late => std::fs::write(media.join("a1.webm"), make_recording(LATE_S)).unwrap(),
            Recordings::Linked | Recordings::Embedded => std::fs::write(media.join("a1.webm"), recording()).unwrap(),
        }
        let json = out.join("assessment.json");
        std::fs::write(&json, serde_json::to_vec(assessment).unwrap()).unwrap();
        let page = out.join("report.html");
        let mut report = program::command(["report"]);
        report.arg(&json).arg("--out").arg(&page).arg("--media").arg(&media);
        if recordings == Recordings::Embedded {
            report.arg("--embed-media");
        }
        let run = program::finish(&mut report);
        assert_eq!(run.status, 0, "{}", run.stderr);
        Interview { folder, page }
    }

    /// Deletes the recording after the page was made.
    pub(crate) fn remove_recording(&self) {
        std::fs::remove_dir_all(self.folder.path().join("a recording #1")).unwrap();
    }

    /// Moves the page to an empty folder and deletes everything else.
    pub(crate) fn move_page_alone(&mut self) {
        let alone = tempfile::tempdir().unwrap();
        let page = alone.path().join("page.html");
        std::fs::copy(&self.page, &page).unwrap();
        (self.folder, self.page) = (alone, page);
    }
}

/// Twelve seconds of a test picture with a tone, VP8 and Opus; made once.
fn recording() -> &'static [u8] {
    static RECORDING: OnceLock<Vec<u8>> = OnceLock::new();
    RECORDING.get_or_init(|| make_recording(0.0))
}

fn make_recording(start_s: f64) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recording.webm");
    let picture = format!("testsrc=size=320x180:rate=10:duration={DURATION_S}");
    let tone = format!("sine=frequency=330:duration={DURATION_S}");
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", &picture, "-f", "lavfi", "-i", &tone])
        .args(["-c:v", "libvpx", "-deadline", "realtime", "-g", "10", "-c:a", "libopus", "-b:a", "24k"])
        .args(["-output_ts_offset", &start_s.to_string()])
        .arg(&file)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::read(file).unwrap()
}
