//! `hirenet models`

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use hirenet_core::{Code, Coded};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::cli::ModelsCommand;
use crate::commands::needs::needs;
use crate::commands::{print, print_json};
use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::models::{Entry, Manifest, ModelsError, Pull, State};
use crate::{locate, logging};

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
        State::Equal => "equal",
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

/// The folder of models that came with the program, where that is another one than the manifest's.
fn installed(manifest: &Manifest) -> Option<PathBuf> {
    let same = |a: &Path, b: &Path| matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b);
    Some(locate::models(Path::new(""))).filter(|folder| folder.is_dir() && !same(folder, manifest.folder()))
}

fn pull(
    config: &Config,
    manifest: &Manifest,
    names: &[String],
    all: bool,
    mirror: Option<&Path>,
) -> Result<Outcome, Failure> {
    mirror.map_or(Ok(()), a_folder)?;
    let entries = if all {
        manifest.entries().iter().collect()
    } else if names.is_empty() {
        needs(config, manifest).into_iter().filter_map(|need| need.entry()).collect()
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
            // An equal file can be longer than the entry's own.
            bar.set_length(entry.bytes.max(bytes));
            bar.set_position(bytes);
        }
    };
    let installed = installed(manifest);
    let report = Pull::new(manifest, mirror).with_installed(installed.clone()).run(entries, &mut shown);
    if let Some(bar) = &bar {
        bar.finish_and_clear();
    }
    let mut text = String::new();
    for entry in &report.fetched {
        let _ = writeln!(text, "fetched  {}", entry.name);
    }
    for entry in &report.installed {
        let folder = installed.as_deref().unwrap_or(manifest.folder()).display();
        let _ = writeln!(text, "copied   {}: shipped with the program, from {folder}", entry.name);
    }
    for entry in &report.present {
        let _ = writeln!(text, "present  {}", entry.name);
    }
    print(text.as_bytes())?;
    let mut failed = report.failed.iter().map(|(entry, error)| not_pulled(entry, error));
    let Some(first) = failed.next() else { return Ok(Outcome::Done) };
    for other in failed {
        logging::failure(other.code(), &other.to_string());
    }
    Err(first)
}

/// Why a model could not be fetched, and what to do about that.
fn not_pulled(entry: &Entry, error: &ModelsError) -> Failure {
    let cure = entry.cure_of_pull(error).map(|cure| format!(". {cure}")).unwrap_or_default();
    Failure::new(error.code(), format!("{error}{cure}")).naming(&entry.name)
}

/// A mirror that is none is a slip of the hand, not one that lacks everything.
fn a_folder(mirror: &Path) -> Result<(), Failure> {
    let sentence = || format!("the mirror {} is not a folder", mirror.display());
    if mirror.is_dir() { Ok(()) } else { Err(Failure::new(Code::ConfigInvalid, sentence())) }
}

/// What to do about a damaged file of a mirror.
const MEND_MIRROR: &str = "Put a whole file into that folder, or take it out";

fn verify(manifest: &Manifest, from: Option<&Path>) -> Result<Outcome, Failure> {
    from.map_or(Ok(()), a_folder)?;
    let elsewhere = from.map(|folder| manifest.clone().in_folder(folder));
    let manifest = elsewhere.as_ref().unwrap_or(manifest);
    let mut text = String::new();
    // The first is told in full on standard error.
    let mut wrong = Vec::new();
    for entry in manifest.entries() {
        let name = &entry.name;
        let _ = match manifest.verify(entry) {
            State::Corrupt { detail } => {
                wrong.push((Code::ModelCorrupt, entry));
                writeln!(text, "corrupt  {name:<28} {detail}")
            }
            // A mirror need not hold what comes with the program.
            State::Missing if entry.shipped && from.is_some() => {
                writeln!(text, "absent   {name:<28} shipped with the program")
            }
            State::Missing if entry.shipped => {
                wrong.push((Code::ModelMissing, entry));
                writeln!(text, "missing  {name}")
            }
            State::Missing if from.is_some() => writeln!(text, "absent   {name}"),
            State::Missing => writeln!(text, "absent   {name:<28} not shipped: {}", entry.pull_command()),
            State::Equal => writeln!(text, "equal    {name:<28} the same network in a slower layout"),
            State::Whole => writeln!(text, "whole    {name}"),
        };
    }
    print(text.as_bytes())?;
    let Some((code, entry)) = wrong.first() else { return Ok(Outcome::Done) };
    let path = manifest.path(entry);
    let cure = from.map_or_else(|| manifest.cure(&path), |_| MEND_MIRROR.to_owned());
    Err(Failure::new(*code, format!("{} ({} in all). {cure}", path.display(), wrong.len())))
}
