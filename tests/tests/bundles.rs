//! Bundles that cannot be used: refused with a stable code and a sentence that names the file.

use std::fs;

use hirenet_tests::program::{command, finish};
use tempfile::TempDir;

const REFUSED: i32 = 3;

#[test]
fn a_bundle_that_is_no_bundle() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("bundle.onnx");
    fs::write(&file, "no graph").unwrap();
    let result = finish(command(["bundle", "check"]).arg(&file));
    assert_eq!((result.status, result.stdout.as_str()), (REFUSED, ""), "{}", result.stderr);
    assert!(result.stderr.contains("bundle_unreadable") && result.stderr.contains("bundle.onnx"), "{}", result.stderr);
    let result = finish(command(["bundle", "check"]).arg(dir.path().join("nowhere.onnx")));
    assert_eq!(result.status, REFUSED);
}

#[test]
fn a_bundle_of_a_foreign_schema_names_the_modality_and_both_ids() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("foreign.onnx");
    let mut graph = fs::read(hirenet_tests::model("hirenet-untrained.onnx").path).unwrap();
    let known = b"vocal/lld51/1";
    let place = graph.windows(known.len()).position(|bytes| bytes == known).unwrap();
    graph[place..place + known.len()].copy_from_slice(b"vocal/other/7");
    fs::write(&file, graph).unwrap();
    let video = hirenet_tests::source_dir().join("samples/a1.mp4");
    let analysis = ["--question", "Why?", "--out"].map(std::ffi::OsString::from);
    let commands = [
        finish(command(["bundle", "check"]).arg(&file)),
        finish(command(["bundle", "show"]).arg(&file)),
        finish(command(["analyze"]).arg(video).args(analysis).arg(dir.path().join("out")).arg("--bundle").arg(&file)),
    ];
    for result in commands {
        assert_eq!((result.status, result.stdout.as_str()), (REFUSED, ""), "{}", result.stderr);
        let told = ["bundle_schema", "foreign.onnx", "vocal", "vocal/other/7", "vocal/lld51/1"];
        assert!(told.iter().all(|part| result.stderr.contains(part)), "{}", result.stderr);
    }
}
