//! `hirenet report`

use std::path::{Path, PathBuf};

use hirenet_core::{Assessment, Code};

use crate::commands::exists;
use crate::failure::{Failure, Outcome};
use crate::report::{MediaFolders, ReportOptions, render, resolve_media};

pub(crate) fn run(file: &Path, out: &Path, media: Option<&Path>, embed: bool) -> Result<Outcome, Failure> {
    exists(file)?;
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::new(Code::FileUnreadable, format!("{}: {error}", file.display())))?;
    let assessment: Assessment = serde_json::from_str(&text).map_err(|error| {
        Failure::new(Code::MessageInvalid, format!("{} is not an assessment: {error}", file.display()))
    })?;
    let folder = parent(file);
    let search = media.map(Path::to_path_buf).into_iter().chain([folder]).collect();
    write_page(&assessment, None, search, out, embed)?;
    Ok(Outcome::Done)
}

/// Makes the page of an assessment whose media addresses are relative to one of the folders in `search`.
pub(crate) fn write_page(
    assessment: &Assessment,
    title: Option<String>,
    search: Vec<PathBuf>,
    out: &Path,
    embed: bool,
) -> Result<(), Failure> {
    let media = resolve_media(assessment, &MediaFolders { search, page: parent(out), embed });
    let page = render(assessment, &ReportOptions { title, media }).map_err(|e| Failure::internal(&e.into()))?;
    Ok(hirenet_analyze::write_whole(out, page.as_bytes())?)
}

/// The folder of a file; `.` for a bare name.
fn parent(file: &Path) -> PathBuf {
    match file.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir.to_path_buf(),
        _ => PathBuf::from("."),
    }
}
