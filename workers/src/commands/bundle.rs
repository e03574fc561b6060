//! `hirenet bundle`

use std::fmt::Write as _;
use std::path::Path;

use hirenet_core::Code;

use crate::cli::BundleCommand;
use crate::commands::{exists, print, print_json};
use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::setup::{Installation, known_schemas};

pub(crate) fn run(config: &Config, command: BundleCommand) -> Result<Outcome, Failure> {
    let installation = Installation::new(config)?;
    match command {
        BundleCommand::Check { file } => check(&installation, &file),
        BundleCommand::Show { file, json } => show(&installation, file.as_deref(), json),
        BundleCommand::Schemas { json } => schemas(&installation, json),
    }
}

fn check(installation: &Installation<'_>, file: &Path) -> Result<Outcome, Failure> {
    exists(file)?;
    let model = installation.bundle_file(Some(&file.to_string_lossy()))?;
    let mut bundle =
        installation.bundle(&model, &installation.encoder()?).map_err(|failure| failure.naming(file.display()))?;
    let report = hirenet_model::check(&mut bundle);
    if !report.passed() {
        let sentence = format!("{}: {}", file.display(), report.findings.join("; "));
        return Err(Failure::new(Code::BundleContract, sentence));
    }
    let info = bundle.info();
    let text = format!(
        "{} {} ({}) keeps the contract: {} runs over every subset of its modalities\n",
        info.name,
        info.version,
        info.kind.as_str(),
        report.runs
    );
    print(text.as_bytes())?;
    Ok(Outcome::Done)
}

fn show(installation: &Installation<'_>, file: Option<&Path>, as_json: bool) -> Result<Outcome, Failure> {
    if let Some(file) = file {
        exists(file)?;
    }
    let model = installation.bundle_file(file.map(Path::to_string_lossy).as_deref())?;
    let bundle = installation.bundle(&model, &installation.encoder()?)?;
    if as_json {
        print_json(&serde_json::json!({"file_sha256": bundle.info().sha256, "card": bundle.card()}))?;
        return Ok(Outcome::Done);
    }
    let info = bundle.info();
    let mut text = format!("{} {} ({})\nsha256     {}\n", info.name, info.version, info.kind.as_str(), info.sha256);
    let card = serde_json::to_value(bundle.card()).map_err(|error| Failure::internal(&error.into()))?;
    for (key, value) in card.as_object().into_iter().flatten() {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let _ = writeln!(text, "{key:<14} {value}");
    }
    print(text.as_bytes())?;
    Ok(Outcome::Done)
}

fn schemas(installation: &Installation<'_>, as_json: bool) -> Result<Outcome, Failure> {
    let schemas = known_schemas(&installation.encoder()?);
    if as_json {
        print_json(&schemas.iter().map(AsRef::as_ref).collect::<Vec<_>>())?;
        return Ok(Outcome::Done);
    }
    let mut text = String::new();
    for schema in &schemas {
        let _ = writeln!(text, "{}: {} columns, a row a {}", schema.id, schema.dim(), schema.row_name());
        for column in &schema.columns {
            let _ = writeln!(text, "  {:<40} {}", column.name, column.unit);
        }
    }
    print(text.as_bytes())?;
    Ok(Outcome::Done)
}
