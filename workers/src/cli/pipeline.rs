//! Commands that measure recordings on this machine, and those that look after the installation.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(crate) enum PipelineCommand {
    /// Analyse an interview into DIR/assessment.json, DIR/report.html and DIR/tracks/
    #[command(after_help = "Examples:\n  hirenet analyze interview.json --out result\n  \
        hirenet analyze answer1.mp4 answer2.webm --question 'Why this job?' --question 'Tell us about a conflict.' --title 'Sales assistant' --out result")]
    Analyze(Analyze),
    /// Print a commented INTERVIEW.json
    #[command(after_help = "Example:\n  hirenet example > interview.json")]
    Example {
        /// Without comments, as strict JSON
        #[arg(long)]
        plain: bool,
    },
    /// Describe a media file: container, streams, duration, rotation, offsets, as JSON
    #[command(after_help = "Example:\n  hirenet probe answer.webm")]
    Probe {
        /// The media file
        media: PathBuf,
    },
    /// Recognise the speech of a media file
    #[command(after_help = "Example:\n  hirenet transcribe answer.mp4 --language en --format vtt > answer.vtt")]
    Transcribe {
        /// The media file
        media: PathBuf,
        /// Spoken language as a two-letter code; left out: detected
        #[arg(long, value_parser = language)]
        language: Option<String>,
        /// Form of the transcript
        #[arg(long, value_enum, default_value_t = TranscriptFormat::Json)]
        format: TranscriptFormat,
    },
    /// Print what is measured of a media file as CSV
    #[command(
        after_help = "Examples:\n  hirenet features vocal answer.mp4 > lld.csv\n  hirenet features visual answer.mp4 --windows > track.csv"
    )]
    Features {
        /// What to measure
        #[arg(value_enum)]
        modality: FeatureModality,
        /// The media file
        media: PathBuf,
        /// Print the track on the common clock instead (vocal, visual)
        #[arg(long)]
        windows: bool,
        /// Spoken language as a two-letter code (verbal); left out: detected
        #[arg(long, value_parser = language)]
        language: Option<String>,
    },
    /// List, fetch or check the model files
    #[command(
        after_help = "Examples:\n  hirenet models list\n  hirenet models pull ggml-base\n  hirenet models pull --from /mnt/mirror\n  hirenet models verify"
    )]
    Models {
        #[command(subcommand)]
        command: ModelsCommand,
    },
    /// Check or show a HireNet bundle, or print the feature schemas
    #[command(
        after_help = "Examples:\n  hirenet bundle check bundle.onnx\n  hirenet bundle show bundle.onnx\n  hirenet bundle schemas --json"
    )]
    Bundle {
        #[command(subcommand)]
        command: BundleCommand,
    },
    /// Check this installation and say what to do about each miss
    #[command(after_help = "Example:\n  hirenet doctor")]
    Doctor {
        /// Also load every model that `analyze` uses, and say how long it took
        #[arg(long)]
        load: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make the page of an assessment
    #[command(
        after_help = "Examples:\n  hirenet report result/assessment.json --out page.html\n  hirenet report --interview i-17 --out page.html"
    )]
    Report {
        /// The assessment; or take one from the database, with --interview
        #[arg(required_unless_present = "interview")]
        assessment: Option<PathBuf>,
        /// The interview whose stored assessment is shown, as the tenant names it
        #[arg(long, value_name = "ID", conflicts_with = "assessment")]
        interview: Option<String>,
        /// Whose interview; left out: the only tenant there is
        #[arg(long, value_name = "TENANT", requires = "interview")]
        tenant: Option<String>,
        /// The page to write
        #[arg(long, value_name = "FILE.html")]
        out: PathBuf,
        /// Folder that the media addresses are relative to; left out: the assessment's folder
        #[arg(long, value_name = "DIR")]
        media: Option<PathBuf>,
        /// Put the recordings into the page (up to 20 MB)
        #[arg(long)]
        embed_media: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Analyze {
    /// INTERVIEW.json, or the videos themselves (with --question for each)
    #[arg(value_name = "INTERVIEW.json | VIDEO")]
    pub(crate) inputs: Vec<PathBuf>,
    /// Folder to write to; made where it is missing
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// The HireNet bundle [setting hirenet.bundle]
    #[arg(long, value_name = "FILE")]
    pub(crate) bundle: Option<PathBuf>,
    /// The question that a video answers: one for all, or one for each video in order
    #[arg(long, value_name = "TEXT", num_args = 1..)]
    pub(crate) question: Vec<String>,
    /// Title of the position (with videos)
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,
    /// Spoken language as a two-letter code (with videos); left out: detected
    #[arg(long, value_parser = language)]
    pub(crate) language: Option<String>,
    /// Put the recordings into the page (up to 20 MB)
    #[arg(long)]
    pub(crate) embed_media: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ModelsCommand {
    /// List the models of the manifest and whether they are here
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Fetch models that are not here: those named, or every one that the settings use
    Pull {
        /// Names in the manifest
        names: Vec<String>,
        /// Every model of the manifest
        #[arg(long, conflicts_with = "names")]
        all: bool,
        /// Folder to copy from instead of the network [setting models.mirror]
        #[arg(long, value_name = "DIR")]
        from: Option<PathBuf>,
    },
    /// Check the hash of every model file that is here
    Verify {
        /// Check the files of this folder instead
        #[arg(long, value_name = "DIR")]
        from: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum BundleCommand {
    /// Check contract and schemas, and run the graph on random tracks of every subset of modalities
    Check {
        /// The graph
        file: PathBuf,
    },
    /// Print a bundle's card
    Show {
        /// The graph; left out: the configured one
        file: Option<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the feature schemas that extractors produce
    Schemas {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Form of a transcript.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TranscriptFormat {
    /// Everything, with times and confidences.
    Json,
    /// WebVTT subtitles.
    Vtt,
    /// SubRip subtitles.
    Srt,
    /// The words alone, a line a segment.
    Txt,
}

/// What `features` measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FeatureModality {
    /// The 25 low-level descriptors of the voice every 10 ms.
    Vocal,
    /// The main face in every analysed frame.
    Visual,
    /// The words and their vectors.
    Verbal,
}

fn language(text: &str) -> Result<String, String> {
    match hirenet_speech::language_code(text) {
        Ok(code) if code == text => Ok(text.to_owned()),
        _ => {
            Err("a two-letter ISO 639-1 code in lower case of a language that whisper knows, such as en or fr"
                .to_owned())
        }
    }
}
