//! `hirenet models`

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use hirenet_core::{Code, Coded};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::cli::ModelsCommand;
use crate::commands::{print, print_json};
use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::logging;
use crate::models::{Entry, Manifest, Pull, Role, State};

pub(crate) fn run(config: &Config, command: ModelsCommand) -> Result<Outcome, Failure> {
    let manifest = Manifest::load(&config.models.dir)?;
    match command {
        ModelsCommand::List { json } => list(&manifest, json),
        ModelsCommand::Pull { names, all, from } => {
            let configured = Some(config.models.mirror.clone()).filter(|m| !m.as_os_str().is_empty());
            pull(config, &manifest, &names, all, from.or(configured).as_deref())
        }
        ModelsCommand::Verify { from } => verify(&manifest, from.as_deref()),
    }
}

fn state_word(state: &State) -> &'static str {
    match state {
        State::Whole => "whole",
        State::Missing => "missing",
        State::Corrupt { .. } => "corrupt",
    }
}

fn list(manifest: &Manifest, as_json: bool) -> Result<Outcome, Failure> {
    let rows = manifest.entries().iter().map(|entry| (entry, manifest.verify(entry)));
    if as_json {
        let rows: Vec<_> = rows
            .map(|(e, state)| {
                json!({"name": e.name, "role": e.role.as_str(), "file": e.file, "bytes": e.bytes, "sha256": e.sha256,
                    "licence": e.licence, "source": e.source, "shipped": e.shipped, "state": state_word(&state),
                    "contract": e.contract, "origin": e.origin})
            })
            .collect();
        print_json(&rows)?;
    } else {
        let mut text = format!("{:<28} {:<18} {:>12} {:<8} {}\n", "NAME", "ROLE", "BYTES", "STATE", "LICENCE");
        for (entry, state) in rows {
            let (name, role, bytes) = (&entry.name, entry.role.as_str(), entry.bytes);
            let _ = writeln!(text, "{name:<28} {role:<18} {bytes:>12} {:<8} {}", state_word(&state), entry.licence);
        }
        print(text.as_bytes())?;
    }
    Ok(Outcome::Done)
}

/// The models that the settings use.
fn used<'m>(config: &Config, manifest: &'m Manifest) -> Vec<&'m Entry> {
    let language = [&config.language.model, &config.language.tokenizer].map(|path| path.to_string_lossy());
    let mut names = BTreeSet::from([config.speech.model.as_str(), config.hirenet.bundle.as_str()]);
    names.extend(language.iter().map(AsRef::as_ref));
    let roles = [Role::FaceDetector, Role::FaceLandmarks, Role::FaceBlendshapes, Role::VoiceActivity];
    let wanted = |e: &&Entry| names.contains(e.name.as_str()) || roles.contains(&e.role);
    manifest.entries().iter().filter(wanted).collect()
}

fn pull(
    config: &Config,
    manifest: &Manifest,
    names: &[String],
    all: bool,
    mirror: Option<&Path>,
) -> Result<Outcome, Failure> {
    if let Some(mirror) = mirror.filter(|m| !m.is_dir()) {
        return Err(Failure::new(Code::ConfigInvalid, format!("the mirror {} is not a folder", mirror.display())));
    }
    let entries = if all {
        manifest.entries().iter().collect()
    } else if names.is_empty() {
        used(config, manifest)
    } else {
        names.iter().map(|name| manifest.by_name(name)).collect::<Result<Vec<_>, _>>()?
    };
    let bar = logging::is_watched().then(|| {
        let style = "{prefix:<34} {bar:30} {bytes}/{total_bytes}  {bytes_per_sec}  {eta}";
        ProgressBar::new(0)
            .with_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()))
    });
    let mut shown = |entry: &Entry, bytes: u64| {
        if let Some(bar) = &bar {
            bar.set_prefix(entry.name.clone());
            bar.set_length(entry.bytes);
            bar.set_position(bytes);
        }
    };
    let report = Pull::new(manifest, mirror).run(entries, &mut shown);
    if let Some(bar) = &bar {
        bar.finish_and_clear();
    }
    let mut text = String::new();
    for entry in &report.fetched {
        let _ = writeln!(text, "fetched  {}", entry.name);
    }
    for entry in &report.present {
        let _ = writeln!(text, "present  {}", entry.name);
    }
    print(text.as_bytes())?;
    let mut failed = report.failed.into_iter();
    match failed.next() {
        None => Ok(Outcome::Done),
        Some((entry, error)) => {
            for (entry, error) in failed {
                logging::failure(error.code(), &format!("{}: {error}", entry.name));
            }
            Err(Failure::about(&entry.name, &error))
        }
    }
}

fn verify(manifest: &Manifest, from: Option<&Path>) -> Result<Outcome, Failure> {
    let elsewhere = from.map(|folder| manifest.clone().in_folder(folder));
    let manifest = elsewhere.as_ref().unwrap_or(manifest);
    let mut text = String::new();
    let mut wrong = Vec::new();
    for entry in manifest.entries() {
        let state = manifest.verify(entry);
        match &state {
            State::Corrupt { detail } => {
                let _ = writeln!(text, "corrupt  {:<28} {detail}", entry.name);
                wrong.push((Code::ModelCorrupt, entry));
            }
            State::Missing if entry.shipped => {
                let _ = writeln!(text, "missing  {}", entry.name);
                wrong.push((Code::ModelMissing, entry));
            }
            State::Missing => {
                let _ = writeln!(text, "absent   {:<28} not shipped: `hirenet models pull {}`", entry.name, entry.name);
            }
            State::Whole => {
                let _ = writeln!(text, "whole    {}", entry.name);
            }
        }
    }
    print(text.as_bytes())?;
    match wrong.first() {
        None => Ok(Outcome::Done),
        Some((code, entry)) => {
            Err(Failure::new(*code, format!("{} ({} in all)", manifest.path(entry).display(), wrong.len())))
        }
    }
}
