//! The report page: one self-contained HTML file that shows an assessment to a person.
//!
//! The page holds its styles and its script; the only outside resource is the recording, by a relative link. A content
//! security policy in the page allows exactly that script, those styles and local media: no network at all. Every text
//! of the assessment is escaped by the template engine, and no text reaches a script or a style.
//!
//! The page advises and never decides: it shows what is missing beside the score, and it names the influence of a moment
//! as what it is, a measured difference. The same assessment and options give the same bytes.

mod answer;
mod lane;
mod layout;
mod media;
mod moments;
mod overview;
mod reasons;
#[cfg(test)]
mod tests;
mod text;
mod transcript;

use askama::Template;
use base64::Engine;
use hirenet_core::{Assessment, Code, Coded};
use sha2::{Digest, Sha256};

pub(crate) use media::{EMBED_LIMIT_BYTES, Media, MediaFolders, resolve_media};
pub(crate) use text::tenths;

use layout::Layout;

/// The page's fixed styles.
const STYLE: &str = include_str!("../../templates/report.css");
/// The page's script. It reads positions from `data-` attributes and never builds markup from text.
const SCRIPT: &str = include_str!("../../templates/report.js");

/// What the page needs besides the assessment.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct ReportOptions {
    /// Title of the position, where it is known: the assessment does not carry it.
    pub(crate) title: Option<String>,
    /// The recording of each answer, in the order of the answers; see [`resolve_media`]. Answers beyond its end have none.
    pub(crate) media: Vec<Media>,
}

/// The page could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the report page could not be rendered: {0}")]
pub(crate) struct ReportError(#[from] askama::Error);

impl Coded for ReportError {
    fn code(&self) -> Code {
        Code::Internal
    }
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    policy: String,
    style: &'static str,
    positions: String,
    script: &'static str,
    overview: overview::Overview,
    moments: Vec<moments::Moment>,
    demo_words: bool,
    answers: Vec<answer::AnswerView>,
}

/// Renders the page of one assessment.
///
/// # Errors
/// [`ReportError`] where the template fails; no assessment is known to cause it.
pub(crate) fn render(assessment: &Assessment, options: &ReportOptions) -> Result<String, ReportError> {
    let mut layout = Layout::default();
    let overview = overview::Overview::new(assessment, options.title.as_deref(), &mut layout);
    let moments = moments::moments(assessment);
    let recordings = options.media.iter().map(Some).chain(std::iter::repeat(None));
    let answers = assessment
        .answers
        .iter()
        .zip(recordings)
        .enumerate()
        .map(|(index, (_, recording))| answer::AnswerView::new(assessment, index, recording, &moments, &mut layout))
        .collect();
    let positions = layout.into_css();
    let page = Page {
        policy: policy(&positions),
        style: STYLE,
        positions,
        script: SCRIPT,
        overview,
        moments,
        demo_words: reasons::recognised_by_demo_model(assessment, None),
        answers,
    };
    Ok(page.render()?)
}

/// The content security policy: this script, these styles, local media and nothing else. `file:` is named because a page
/// opened from disk has no origin for `'self'` to match.
fn policy(positions: &str) -> String {
    let hash = |text: &str| {
        let digest = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text.as_bytes()));
        format!("'sha256-{digest}'")
    };
    format!(
        "default-src 'none'; script-src {}; style-src {} {}; media-src 'self' file: data:; img-src data:; \
         base-uri 'none'; form-action 'none'",
        hash(SCRIPT),
        hash(STYLE),
        hash(positions)
    )
}
