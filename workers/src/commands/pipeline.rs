//! Which command of the pipeline runs.

use crate::cli::{Common, PipelineCommand};
use crate::commands::records::{PageOf, write_page_of};
use crate::commands::{analyze, bundle, doctor, example, features, models, probe, report, transcribe};
use crate::config::Config;
use crate::failure::{Failure, Outcome};

/// Runs the command.
pub(super) fn run(config: &Config, common: &Common, command: PipelineCommand) -> Result<Outcome, Failure> {
    match command {
        PipelineCommand::Analyze(arguments) => analyze::run(config, &arguments),
        PipelineCommand::Example { plain } => example::run(plain),
        PipelineCommand::Probe { media } => probe::run(config, &media),
        PipelineCommand::Transcribe { media, language, format } => {
            transcribe::run(config, &media, language.as_deref(), format)
        }
        PipelineCommand::Features { modality, media, windows, language } => {
            let request = features::Wanted { modality, windows, language: language.as_deref() };
            features::run(config, &media, &request)
        }
        PipelineCommand::Models { command } => models::run(config, command),
        PipelineCommand::Bundle { command } => bundle::run(config, command),
        PipelineCommand::Doctor { load, json } => doctor::run(config, common.config.as_deref(), load, json),
        PipelineCommand::Report { assessment, interview, tenant, out, media, embed_media } => {
            let media = media.as_deref();
            match (assessment, interview) {
                (Some(file), _) => report::run(&file, &out, media, embed_media),
                (None, interview) => {
                    let interview = interview.unwrap_or_default();
                    let tenant = tenant.as_deref();
                    let page = PageOf { interview: &interview, tenant, out: &out, media, embed: embed_media };
                    write_page_of(config, page)
                }
            }
        }
    }
}
