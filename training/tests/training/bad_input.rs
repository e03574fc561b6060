//! Broken folders are refused with the file's name.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hirenet_core::Modality;
use hirenet_training::data::answer_file::AnswerFile;
use hirenet_training::data::{
    AnswerContent, Corpus, Limits, SchemaEntries, Split, TrackContent, read_records, write_records,
};
use ndarray::Array2;

use crate::support::{refused, small};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Folder {
        let dir = tempfile::tempdir().unwrap();
        small(dir.path(), |options| {
            options.interviews = 40;
            options.missing = 0.0;
            options.grouped = true;
        });
        Folder(dir)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// `inspect` refuses the folder; what it says.
    fn refused(&self) -> String {
        refused(&["inspect", self.path().to_str().unwrap()], 3)
    }

    fn answer(&self) -> PathBuf {
        self.path().join("answers/000/i00003-a1.safetensors")
    }

    /// Writes the answer's file anew with one vocal track.
    fn rewrite(&self, vocal: Array2<f32>, schemas: &SchemaEntries) {
        self.write_answer(("vocal", vocal), None, schemas);
    }

    fn write_answer(
        &self,
        (name, track): (&'static str, Array2<f32>),
        word_times: Option<Vec<[f32; 2]>>,
        schemas: &SchemaEntries,
    ) {
        let width = Array2::zeros((2, 256));
        let content = AnswerContent {
            interview: "i00003".into(),
            answer: "a1".into(),
            duration_s: None,
            tracks: vec![
                (name, TrackContent::whole(track)),
                ("question", TrackContent::whole(width.clone())),
                ("title", TrackContent::whole(width)),
            ],
            word_times,
            words: None,
        };
        std::fs::write(self.answer(), content.to_bytes(schemas).unwrap()).unwrap();
    }

    fn records(&self, change: impl Fn(&str) -> String) {
        let path = self.path().join("interviews.jsonl");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, text.lines().map(|line| change(line) + "\n").collect::<String>()).unwrap();
    }
}

#[test]
fn a_whole_folder_is_described() {
    let folder = Folder::new();
    let output = crate::support::program(&["inspect", folder.path().to_str().unwrap()]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("40 interviews") && said.contains("vocal"), "{said}");
    let positives = read_records(folder.path()).unwrap().iter().filter(|record| record.label == 1).count();
    let balance = format!("{:.1} % positive", 100.0 * positives as f64 / 40.0);
    for part in [balance.as_str(), " on average", " at most"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn numbers_that_are_not_finite_name_their_file() {
    for bad in [f32::NAN, f32::INFINITY] {
        let folder = Folder::new();
        let mut vocal = Array2::zeros((5, 51));
        vocal[[3, 7]] = bad;
        folder.rewrite(vocal, &SchemaEntries::of_the_pipeline());
        let said = folder.refused();
        assert!(said.contains("i00003-a1.safetensors") && said.contains("not finite"), "{said}");
    }
}

#[test]
fn a_schema_of_another_kind_or_width_names_its_file() {
    let folder = Folder::new();
    let mut schemas = SchemaEntries::of_the_pipeline();
    schemas.vocal.as_mut().unwrap().id = "vocal/other/1".into();
    folder.rewrite(Array2::zeros((5, 51)), &schemas);
    let said = folder.refused();
    assert!(said.contains("i00003-a1.safetensors") && said.contains("vocal/other/1"), "{said}");
    folder.rewrite(Array2::zeros((5, 50)), &SchemaEntries::of_the_pipeline());
    let said = folder.refused();
    assert!(said.contains("i00003-a1.safetensors") && said.contains("50 columns"), "{said}");
}

#[test]
fn files_cut_short_and_missing_ones_are_named() {
    let folder = Folder::new();
    let bytes = std::fs::read(folder.answer()).unwrap();
    for length in [0, 4, 100, bytes.len() - 1] {
        std::fs::write(folder.answer(), &bytes[..length]).unwrap();
        let said = folder.refused();
        assert!(said.contains("i00003-a1.safetensors"), "{said}");
    }
    std::fs::remove_file(folder.answer()).unwrap();
    assert!(folder.refused().contains("i00003-a1.safetensors"));
}

#[test]
fn labels_outside_0_and_1_name_their_line() {
    let folder = Folder::new();
    folder.records(|line| {
        if line.contains("i00004") {
            line.replace("\"label\":0", "\"label\":2").replace("\"label\":1", "\"label\":2")
        } else {
            line.to_owned()
        }
    });
    let said = folder.refused();
    assert!(said.contains("interviews.jsonl") && said.contains("line 5") && said.contains("label is 2"), "{said}");
}

#[test]
fn a_position_in_two_splits_of_a_grouped_data_set_is_refused() {
    let folder = Folder::new();
    let mut records = read_records(folder.path()).unwrap();
    let again = |at: usize| records[..at].iter().any(|earlier| earlier.position == records[at].position);
    let second = (1..records.len()).find(|at| again(*at)).unwrap();
    let other = if records[second].split == Some(Split::Train) { Split::Test } else { Split::Train };
    records[second].split = Some(other);
    write_records(folder.path(), &records).unwrap();
    let said = folder.refused();
    assert!(said.contains("interviews.jsonl") && said.contains("grouped by position"), "{said}");
    // One that has no split hides nothing.
    let free = (0..records.len()).find(|at| records[*at].position != records[second].position).unwrap();
    records[free].split = None;
    write_records(folder.path(), &records).unwrap();
    let said = folder.refused();
    assert!(said.contains("grouped by position") && said.contains(" in train"), "{said}");
}

#[test]
fn files_outside_the_folder_are_not_opened() {
    let folder = Folder::new();
    folder.records(|line| line.replace("answers/000/i00003-a1", "../i00003-a1"));
    assert!(folder.refused().contains("not a file inside the folder"));
}

#[test]
fn empty_answers_and_an_answer_of_3_hours_are_survived() {
    let folder = Folder::new();
    folder.rewrite(Array2::zeros((0, 51)), &SchemaEntries::of_the_pipeline());
    let read = || {
        let corpus = Corpus::open(folder.path(), &Modality::ALL, Limits::default()).unwrap();
        corpus.sample(3).unwrap()
    };
    assert!(read().answers[0].tracks.vocal.is_none());
    let windows = hirenet_core::window_count(3.0 * 3600.0);
    folder.rewrite(Array2::zeros((windows, 51)), &SchemaEntries::of_the_pipeline());
    assert_eq!(read().answers[0].tracks.vocal.as_ref().unwrap().kept.len(), 240);
    let path = folder.answer();
    let file = AnswerFile::open(&path, &["hirenet-answer/1"]).unwrap();
    assert_eq!(file.rows("vocal"), Some(windows));
    let output = crate::support::program(&["inspect", folder.path().to_str().unwrap()]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 answers are longer"));
}

#[test]
fn a_bundle_cut_short_is_named() {
    let folder = Folder::new();
    let whole = std::fs::read(hirenet_tests::model("hirenet-untrained.onnx").path).unwrap();
    let cut = folder.path().join("cut.onnx");
    std::fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    let said = refused(&["evaluate", folder.path().to_str().unwrap(), cut.to_str().unwrap()], 3);
    assert!(said.contains("cut.onnx") && said.starts_with("bundle_unreadable"), "{said}");
}

#[test]
fn settings_of_another_run_are_not_gone_on_from() {
    let folder = Folder::new();
    let out = folder.path().join("b.onnx");
    let fit = |rate: &str, resume: &[&str]| {
        let words = ["-q", "fit", folder.path().to_str().unwrap(), "--out", out.to_str().unwrap()];
        let more = ["--modalities", "vocal", "--hidden", "4", "--epochs", "1", "--rate", rate];
        [&words[..], &more[..], resume].concat().iter().map(|w| (*w).to_owned()).collect::<Vec<String>>()
    };
    let first = fit("0.001", &[]);
    assert!(crate::support::program(&first.iter().map(String::as_str).collect::<Vec<_>>()).status.success());
    let second = fit("0.002", &["--resume"]);
    let run = out.with_extension("run");
    let config = std::fs::read(run.join("config.json")).unwrap();
    let said = refused(&second.iter().map(String::as_str).collect::<Vec<_>>(), 2);
    assert!(said.contains("config.json") && said.contains("train.rate was 0.001, now 0.002"), "{said}");
    for (more, what) in [
        (["--modality-dropout", "0.5"], "modality_dropout"),
        (["--max-words", "7"], "read.max_words"),
        (["--split", "random"], "split was"),
    ] {
        let words: Vec<String> = fit("0.001", &["--resume"]).into_iter().chain(more.map(str::to_owned)).collect();
        let said = refused(&words.iter().map(String::as_str).collect::<Vec<_>>(), 2);
        assert!(said.contains("config.json") && said.contains(what), "{said}");
    }
    // Another data set of the same size.
    folder.records(|line| line.replace("\"group\":\"a\"", "\"group\":\"c\""));
    let again = fit("0.001", &["--resume"]);
    let said = refused(&again.iter().map(String::as_str).collect::<Vec<_>>(), 2);
    assert!(said.contains("config.json") && said.contains("another data set"), "{said}");
    assert!(std::fs::read(run.join("config.json")).unwrap() == config, "a refused resume leaves the run as it was");
}

#[test]
fn what_cannot_end_well_is_refused_before_training() {
    let folder = Folder::new();
    let data = folder.path().to_str().unwrap();
    let out = folder.path().join("nodir/b.onnx");
    let said = refused(&["fit", data, "--out", out.to_str().unwrap()], 5);
    assert!(said.contains("nodir/b.onnx") && said.starts_with("output_failed"), "{said}");
    folder.records(|line| line.replace("\"label\":0", "\"label\":1"));
    let out = folder.path().join("b.onnx");
    let said = refused(&["fit", data, "--out", out.to_str().unwrap()], 3);
    assert!(said.contains("interviews.jsonl") && said.contains("have label 1"), "{said}");
    assert!(!out.with_extension("run").exists());
}

#[test]
fn a_modality_without_a_row_is_told_and_does_not_end_in_a_panic() {
    let dir = tempfile::tempdir().unwrap();
    small(dir.path(), |options| options.modalities = vec![Modality::Verbal]);
    let (data, out) = (dir.path().to_str().unwrap(), dir.path().join("said"));
    let words = ["compare", data, "--out", out.to_str().unwrap(), "--seeds", "1"];
    for model in ["non_sequential", "bag_of_words"] {
        let said = refused(&[&words[..], &["--models", model, "--modalities", "vocal"]].concat(), 3);
        assert!(said.contains("interviews.jsonl") && said.contains("vocal"), "{said}");
    }
    let said = refused(&[&words[..], &["--models", "missing", "--modalities", "verbal"]].concat(), 2);
    assert!(said.contains("two or more"), "{said}");
}

#[test]
fn a_file_beyond_the_size_limit_is_a_message_and_no_signal() {
    let folder = Folder::new();
    let out = folder.path().join("b.onnx");
    let limited = format!(
        "ulimit -f 8; exec \"$0\" -q fit '{}' --out '{}' --modalities vocal --epochs 1",
        folder.path().display(),
        out.display()
    );
    let output = Command::new("bash").args(["-c", &limited, env!("CARGO_BIN_EXE_hirenet-train")]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(said.starts_with("output_failed") && said.contains("vocal.safetensors"), "{said}");
}

#[test]
fn a_checkpoint_that_does_not_fit_leaves_the_one_before_it() {
    let folder = Folder::new();
    let out = folder.path().join("b.onnx");
    let words = ["fit", folder.path().to_str().unwrap(), "--out", out.to_str().unwrap(), "--modalities", "vocal"];
    let fit = [&words[..], &["--hidden", "8", "--epochs", "4", "--patience", "4"]].concat();
    let mut child =
        Command::new(env!("CARGO_BIN_EXE_hirenet-train")).args(&fit).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.by_ref().any(|line| line.contains("vocal epoch 1:")));
    child.kill().unwrap();
    child.wait().unwrap();
    let checkpoint = out.with_extension("run").join("vocal.safetensors");
    let kept = std::fs::read(&checkpoint).unwrap();
    // As a full disk does: a write fails in the middle of the next checkpoint.
    let limited = ["-c", "ulimit -f 8; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_hirenet-train")];
    let cut = Command::new("bash").args(limited).args(&fit).arg("--resume").output().unwrap();
    let said = String::from_utf8_lossy(&cut.stderr).into_owned();
    assert!(cut.status.code() == Some(5) && said.contains("vocal.safetensors"), "{said}");
    assert!(std::fs::read(&checkpoint).unwrap() == kept, "the checkpoint before is whole");
    let resumed = crate::support::program(&[&fit[..], &["--resume"]].concat());
    let said = String::from_utf8_lossy(&resumed.stderr).into_owned();
    assert!(resumed.status.success() && !said.contains("vocal epoch 1:") && out.exists(), "{said}");
}

#[test]
fn a_file_of_another_interview_or_without_schemas_is_named() {
    let folder = Folder::new();
    folder.rewrite(Array2::zeros((5, 51)), &SchemaEntries::default());
    let said = folder.refused();
    assert!(said.contains("i00003-a1.safetensors") && said.contains("names no vocal schema"), "{said}");
    std::fs::copy(folder.path().join("answers/000/i00002-a1.safetensors"), folder.answer()).unwrap();
    let said = folder.refused();
    assert!(said.contains("i00003-a1.safetensors") && said.contains("`i00002`; `i00003` was expected"), "{said}");
}

#[test]
fn an_earlier_run_is_never_written_over() {
    let folder = Folder::new();
    let out = folder.path().join("b.onnx");
    let words = ["-q", "fit", folder.path().to_str().unwrap(), "--out", out.to_str().unwrap()];
    let more = ["--modalities", "vocal", "--hidden", "4", "--epochs", "1"];
    let fit = [&words[..], &more[..]].concat();
    assert!(crate::support::program(&fit).status.success());
    let run = out.with_extension("run");
    let kept = std::fs::read(run.join("vocal.safetensors")).unwrap();
    let said = refused(&[&fit[..], &["--rate", "0.5"]].concat(), 2);
    assert!(said.contains("b.run holds an earlier run") && said.contains("--resume"), "{said}");
    assert!(std::fs::read(run.join("vocal.safetensors")).unwrap() == kept);
    assert!(crate::support::program(&[&fit[..], &["--resume"]].concat()).status.success());

    // A run is explained with its own data set, and with no other.
    folder.records(|line| line.replace("\"group\":\"a\"", "\"group\":\"c\""));
    let said = refused(&["explain", folder.path().to_str().unwrap(), run.to_str().unwrap()], 2);
    assert!(said.contains("b.run is a run over another data set"), "{said}");
}

#[test]
fn what_no_bundle_may_say_or_overwrite_is_refused_before_training() {
    let folder = Folder::new();
    let data = folder.path().to_str().unwrap().to_owned();
    let out = folder.path().with_extension("onnx");
    let fit = |out: &Path, more: &[&str]| {
        let words = ["fit", &data, "--out", out.to_str().unwrap()];
        refused(&[&words[..], more].concat(), 2)
    };
    for (name, what) in [("emotion", "says `emotion`"), (" ", "--name is empty")] {
        let said = fit(&out, &["--name", name]);
        assert!(said.contains(what), "{said}");
    }
    let said = fit(&folder.path().join("interviews.jsonl"), &[]);
    assert!(said.contains("interviews.jsonl is a file of the data set"), "{said}");
    let said = fit(&folder.path().with_extension("run"), &[]);
    assert!(said.contains("is the run's folder too"), "{said}");
    assert!(!out.exists() && !out.with_extension("run").exists());
}

#[test]
fn word_times_are_two_numbers_for_each_word() {
    let folder = Folder::new();
    let words = || ("verbal", Array2::zeros((3, 256)));
    let schemas = SchemaEntries::of_the_pipeline();
    folder.write_answer(words(), Some(vec![[0.0, 0.5]; 3]), &schemas);
    assert!(crate::support::program(&["inspect", folder.path().to_str().unwrap()]).status.success());
    folder.write_answer(words(), Some(vec![[0.0, 0.5]; 2]), &schemas);
    let said = folder.refused();
    assert!(said.contains("i00003-a1.safetensors: `verbal_times_s` is [2, 2]; [3, 2] was expected"), "{said}");
}

#[test]
fn records_that_contradict_themselves_are_refused() {
    for (from, to, what) in [
        ("\"label\":0", "\"label\":-1", "label is -1; it must be 0 or 1"),
        ("\"label\":0", "\"label\":\"0\"", "label is \"0\"; it must be 0 or 1"),
        ("\"id\":\"a2\"", "\"id\":\"a1\"", "answer `a1` is listed twice"),
    ] {
        let folder = Folder::new();
        folder.records(|line| line.replace(from, to));
        let said = folder.refused();
        assert!(said.contains("interviews.jsonl: line ") && said.contains(what), "{said}");
    }
}
