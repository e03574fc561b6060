//! `hirenet report`

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use hirenet_core::{Assessment, Code, Coded};

use crate::commands::exists;
use crate::failure::{Failure, Outcome};
use crate::report::{MediaFolders, ReportOptions, render, resolve_media};

pub(crate) fn run(file: &Path, out: &Path, media: Option<&Path>, embed: bool) -> Result<Outcome, Failure> {
    exists(file)?;
    if is_same_file(file, out) {
        let sentence = format!("--out {} is the assessment itself: name another file for the page", out.display());
        return Err(Failure::new(Code::UsageInvalid, sentence));
    }
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::new(Code::FileUnreadable, format!("{}: {error}", file.display())))?;
    let assessment = Assessment::from_json(&text)
        .map_err(|error| Failure::new(error.code(), format!("{} is not an assessment: {error}", file.display())))?;
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

/// True where both paths lead to one file, by whatever links.
fn is_same_file(one: &Path, other: &Path) -> bool {
    let file = |path: &Path| std::fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino()));
    file(one).ok().is_some_and(|one| file(other).is_ok_and(|other| other == one))
}

/// The folder of a file; `.` for a bare name.
fn parent(file: &Path) -> PathBuf {
    match file.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir.to_path_buf(),
        _ => PathBuf::from("."),
    }
}
