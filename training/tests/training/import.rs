//! A data set from what the program itself measured.

use std::fs;
use std::path::Path;

use hirenet_tests::program::{command, finish};
use hirenet_tests::source_dir;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{program, refused};

#[test]
fn what_analyze_wrote_becomes_a_data_set_with_the_recruiters_majority() {
    let folder = TempDir::new().unwrap();
    let (result, corpus) = (folder.path().join("result"), folder.path().join("corpus"));
    let interview = source_dir().join("samples/interview.json");
    let run = finish(command(["-q", "analyze"]).arg(interview).arg("--out").arg(&result));
    assert_eq!(run.status, 0, "{}", run.stderr);
    let decisions = folder.path().join("decisions.csv");
    // One for, one against: a draw counts as hirable.
    let rows = "interview_id,decision,position_id,title,group_language\n\
        sample-interview,1,p1,Project manager,en\nsample-interview,0,p1,Project manager,en\n";
    fs::write(&decisions, rows).unwrap();

    refuses_what_inspect_would_refuse(&result, &decisions, folder.path(), rows);

    let [result, decisions, out] = [&result, &decisions, &corpus].map(|path| path.to_str().unwrap());
    let imported = program(&["import", result, "--decisions", decisions, "--out", out]);
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
    let record: Value = serde_json::from_str(&fs::read_to_string(corpus.join("interviews.jsonl")).unwrap()).unwrap();
    assert_eq!((&record["label"], &record["groups"]["language"]), (&1.into(), &"en".into()));
    assert_eq!(record["answers"].as_array().unwrap().len(), 3);

    let inspected = program(&["inspect", out]);
    let said = String::from_utf8_lossy(&inspected.stdout).into_owned();
    assert!(inspected.status.success() && said.contains("1 interviews for 1 positions, 3 answers"), "{said}");
    for modality in ["verbal", "vocal", "visual"] {
        assert!(said.contains(&format!("{modality} 1 interviews, 3 answers, missing in 0")), "{said}");
    }
}

fn refuses_what_inspect_would_refuse(result: &Path, decisions: &Path, folder: &Path, rows: &str) {
    let out = folder.join("refused");
    let [result_text, out] = [result, &out].map(|path| path.to_str().unwrap());
    let import = |results: &[&str], decisions: &Path| {
        let words = [&["import"], results, &["--decisions", decisions.to_str().unwrap(), "--out", out]].concat();
        refused(&words, 3)
    };
    let said = import(&[result_text, result_text], decisions);
    assert!(said.contains("assessment.json") && said.contains("sample-interview"), "{said}");
    for (from, to, what) in [
        (",p1,", ",,", "line 2: `position_id` is empty"),
        ("manager,en\nsample", "manager,fr\nsample", "line 3: group_language"),
    ] {
        let wrong = folder.join("wrong.csv");
        fs::write(&wrong, rows.replace(from, to)).unwrap();
        let said = import(&[result_text], &wrong);
        assert!(said.contains("wrong.csv") && said.contains(what), "{said}");
    }
    // A track's file that is gone, and then the whole folder of them.
    let tracks = result.join("tracks");
    let moved = folder.join("moved");
    let file = fs::read_dir(&tracks).unwrap().next().unwrap().unwrap().file_name();
    fs::rename(tracks.join(&file), &moved).unwrap();
    let said = import(&[result_text], decisions);
    assert!(said.contains(file.to_str().unwrap()) && said.contains("assessment.json lists"), "{said}");
    fs::rename(&moved, tracks.join(&file)).unwrap();
    fs::rename(&tracks, &moved).unwrap();
    assert!(import(&[result_text], decisions).contains(".safetensors"));
    fs::rename(&moved, &tracks).unwrap();
}
