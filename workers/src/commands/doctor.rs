//! `hirenet doctor`

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use hirenet_analyze::Rooms;
use hirenet_core::Code;
use hirenet_onnx::Device;
use serde::Serialize;

use crate::commands::needs::{Need, needs};
use crate::commands::{print, print_json};
use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::locate;
use crate::models::{Entry, Manifest, Named, State};
use crate::setup::Installation;

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Check {
    name: String,
    ok: bool,
    found: String,
    /// What to do; empty where all is well.
    advice: String,
}

impl Check {
    fn ok(name: &str, found: impl Into<String>) -> Self {
        Check { name: name.to_owned(), ok: true, found: found.into(), advice: String::new() }
    }

    fn miss(name: &str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Check { name: name.to_owned(), ok: false, found: found.into(), advice: advice.into() }
    }
}

pub(crate) fn run(config: &Config, file: Option<&Path>, load: bool, as_json: bool) -> Result<Outcome, Failure> {
    let mut checks = vec![Check::ok("hirenet", env!("CARGO_PKG_VERSION")), configuration(file)];
    let installation = Installation::new(config);
    match &installation {
        Err(failure) => {
            checks.push(Check::miss("models", failure.to_string(), "reinstall the models folder, or set models.dir"));
        }
        Ok(installation) => {
            checks.extend(runtime(config, installation));
            checks.extend(models(config, installation.manifest()));
            if load {
                checks.push(load_all(installation));
            }
        }
    }
    checks.extend(codecs());
    if as_json {
        print_json(&checks)?;
    } else {
        print(table(&checks).as_bytes())?;
    }
    match checks.iter().find(|check| !check.ok) {
        None => Ok(Outcome::Done),
        Some(first) => Err(Failure::new(
            Code::InstallationIncomplete,
            format!("{}: {}: {}", first.name, first.found, first.advice),
        )),
    }
}

fn configuration(named: Option<&Path>) -> Check {
    match locate::config(named) {
        Some(path) => Check::ok("configuration", path.display().to_string()),
        None => Check::ok("configuration", "no config.toml found: the built-in defaults"),
    }
}

/// What a CUDA device that was named needs.
const CUDA_ADVICE: &str = "name the library of onnxruntime-gpu in onnx.library and install CUDA 13 and cuDNN 9, name a device that is there, \
                           or set onnx.device to cpu";

fn runtime(config: &Config, installation: &Installation<'_>) -> Vec<Check> {
    let library = config.onnx.library.display().to_string();
    let runtime = match installation.runtime() {
        Ok(runtime) => runtime,
        Err(failure) => {
            return vec![Check::miss("ONNX Runtime", failure.to_string(), "run `make setup`, or set onnx.library")];
        }
    };
    let devices = match (runtime.device(), runtime.cuda_problem()) {
        (Device::Cuda(n), _) => Check::ok("devices", format!("cuda:{n} and the CPU")),
        (Device::Cpu | Device::Auto, None) => Check::ok("devices", "the CPU"),
        (Device::Cpu | Device::Auto, Some(problem)) => {
            let found = format!("the CPU; no CUDA device: {problem}");
            match config.onnx.device {
                Device::Cuda(_) => Check::miss("devices", found, CUDA_ADVICE),
                Device::Cpu | Device::Auto => Check::ok("devices", found),
            }
        }
    };
    vec![Check::ok("ONNX Runtime", format!("{} ({library})", runtime.version())), devices]
}

/// The manifest's models, and the files of the user's own that the settings name.
fn models(config: &Config, manifest: &Manifest) -> Vec<Check> {
    let needs = needs(config, manifest);
    let need = |entry: &Entry| needs.iter().find(|need| need.entry() == Some(entry));
    let mut checks: Vec<Check> = manifest.entries().iter().map(|entry| model(manifest, entry, need(entry))).collect();
    checks.extend(needs.iter().filter_map(|need| own_file(manifest, need)));
    checks
}

fn model(manifest: &Manifest, entry: &Entry, need: Option<&Need<'_>>) -> Check {
    let name = format!("model {}", entry.name);
    let cure = || manifest.cure(&manifest.path(entry));
    let named = need.and_then(|need| need.setting).map(|setting| format!("; {setting} names it")).unwrap_or_default();
    match manifest.verify(entry) {
        State::Whole => Check::ok(&name, "whole"),
        State::Equal => Check::ok(&name, "whole, in the slower layout of older mirrors"),
        State::Missing if entry.shipped || need.is_some() => Check::miss(&name, format!("missing{named}"), cure()),
        State::Missing => Check::ok(&name, format!("not here; {} fetches it", entry.pull_command())),
        State::Corrupt { detail } => Check::miss(&name, format!("{detail}{named}"), cure()),
    }
}

/// What a setting names that is no model of the manifest.
fn own_file(manifest: &Manifest, need: &Need<'_>) -> Option<Check> {
    let setting = need.setting?;
    let name = format!("setting {setting}");
    match &need.model {
        Named::Model(_) => None,
        Named::Unknown => {
            let found = format!("`{}` is neither a model of the manifest nor a file", need.text);
            Some(Check::miss(&name, found, format!("Set {setting} to a name of `hirenet models list`, or to a file")))
        }
        Named::File(path) => Some(match manifest.file_elsewhere(path.clone()).read() {
            Ok(_) => Check::ok(&name, path.display().to_string()),
            Err(error) => Check::miss(&name, error.to_string(), manifest.cure(path)),
        }),
    }
}

fn load_all(installation: &Installation<'_>) -> Check {
    let started = Instant::now();
    let rooms = Rooms { activity: true, recognition: true, voice: true, face: true };
    let loaded = installation.extractor(rooms).and_then(|_| {
        let bundle = installation.bundle_file(None)?;
        installation.bundle(&bundle, &installation.encoder()?)
    });
    match loaded {
        Ok(_) => Check::ok("loading", format!("all models in {:.2} s", started.elapsed().as_secs_f64())),
        Err(failure) => Check::miss("loading", failure.to_string(), "see the models above"),
    }
}

fn codecs() -> Vec<Check> {
    let decoders = hirenet_media::decoders();
    let mut checks = vec![Check::ok("ffmpeg", hirenet_media::ffmpeg_version())];
    for (name, present) in decoders {
        let label = format!("decoder {name}");
        checks.push(if present {
            Check::ok(&label, "present")
        } else {
            Check::miss(&label, "missing", "install a complete ffmpeg (libavcodec)")
        });
    }
    checks
}

fn table(checks: &[Check]) -> String {
    let mut text = String::new();
    for check in checks {
        let mark = if check.ok { "ok" } else { "MISS" };
        let _ = writeln!(text, "{mark:<5} {:<36} {}", check.name, check.found);
        if !check.ok {
            let _ = writeln!(text, "      {:<36} -> {}", "", check.advice);
        }
    }
    text
}
