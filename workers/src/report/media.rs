//! Where a page finds the recording of each answer: a relative link, a data URI, or a reason why there is none.

use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use base64::Engine;
use hirenet_core::{AnswerResult, Assessment, sha256_file};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

/// Most bytes of recordings that one page holds inside itself.
pub(crate) const EMBED_LIMIT_BYTES: u64 = 20_000_000;

/// The recording of one answer as the page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Media {
    /// A relative link from the page's folder to the file, percent-encoded.
    Link {
        /// The link.
        href: String,
        /// Bytes of a file that was to be inlined and is too large for [`EMBED_LIMIT_BYTES`].
        too_large: Option<u64>,
    },
    /// The file itself as a data URI.
    Embedded(String),
    /// There is no recording to show.
    Missing(MissingMedia),
}

/// Why there is no recording to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MissingMedia {
    /// The address is not a file of this machine.
    Remote,
    /// No file was found.
    NotFound,
    /// A file was found, and it is not the one that was analysed.
    Changed,
    /// The file cannot be read.
    Unreadable,
}

impl MissingMedia {
    /// The sentence for the page's reader.
    #[must_use]
    pub(crate) fn sentence(self) -> &'static str {
        match self {
            MissingMedia::Remote => "The recording is not a file beside this page, so it cannot be played here.",
            MissingMedia::NotFound => "The recording was not found when this page was made.",
            MissingMedia::Changed => {
                "A recording was found under this name, but it is not the one that was analysed; it is not shown."
            }
            MissingMedia::Unreadable => "The recording could not be read when this page was made.",
        }
    }
}

/// Where to look for recordings, and how to show them.
#[derive(Debug, Clone, Default)]
pub(crate) struct MediaFolders {
    /// Folders that relative addresses are tried against, in order: the folder of the interview file where it is known;
    /// otherwise the one the user names, or that of the assessment.
    pub(crate) search: Vec<PathBuf>,
    /// The folder that the page will be written to.
    pub(crate) page: PathBuf,
    /// True: recordings are inlined, in order, as long as their sum stays within [`EMBED_LIMIT_BYTES`].
    pub(crate) embed: bool,
}

/// The recording of every answer of `assessment`, in order. A file whose sha256 is not the assessment's is not shown.
#[must_use]
pub(crate) fn resolve_media(assessment: &Assessment, folders: &MediaFolders) -> Vec<Media> {
    let mut room = EMBED_LIMIT_BYTES;
    assessment.answers.iter().map(|answer| resolve(answer, folders, &mut room).unwrap_or_else(Media::Missing)).collect()
}

fn resolve(answer: &AnswerResult, folders: &MediaFolders, room: &mut u64) -> Result<Media, MissingMedia> {
    let file = find(&answer.media, &folders.search)?;
    let (sha256, bytes) = sha256_file(&file).map_err(|_| MissingMedia::Unreadable)?;
    if answer.media_sha256.as_ref().is_some_and(|expected| !expected.eq_ignore_ascii_case(&sha256)) {
        return Err(MissingMedia::Changed);
    }
    if folders.embed && bytes <= *room {
        *room -= bytes;
        let content = std::fs::read(&file).map_err(|_| MissingMedia::Unreadable)?;
        let content = base64::engine::general_purpose::STANDARD.encode(content);
        return Ok(Media::Embedded(format!("data:{};base64,{content}", media_type(&file))));
    }
    let href = relative_link(&folders.page, &file).ok_or(MissingMedia::Unreadable)?;
    Ok(Media::Link { href, too_large: folders.embed.then_some(bytes) })
}

/// The file that `address` (a path, or a `file:` address) means.
fn find(address: &str, search: &[PathBuf]) -> Result<PathBuf, MissingMedia> {
    let path = match address.split_once(':') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("file") => {
            let path = rest.strip_prefix("//localhost").or_else(|| rest.strip_prefix("//")).unwrap_or(rest);
            PathBuf::from(percent_decode_str(path).decode_utf8().map_err(|_| MissingMedia::NotFound)?.as_ref())
        }
        Some((_, rest)) if rest.starts_with("//") => return Err(MissingMedia::Remote),
        _ => PathBuf::from(address),
    };
    // A recording that was moved is looked for by its name alone, after its place.
    let name = path.file_name().map(PathBuf::from);
    let placed = search.iter().map(|folder| folder.join(&path));
    let moved = search.iter().filter_map(|folder| Some(folder.join(name.as_ref()?)));
    placed.chain([path.clone()].into_iter().filter(|p| p.is_absolute())).chain(moved).find(|p| p.is_file()).ok_or(
        // The sentence on the page names no path: it may hold a name.
        MissingMedia::NotFound,
    )
}

/// Everything but RFC 3986's unreserved characters: nothing in a name can be taken for a scheme, query or fragment.
const IN_SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The relative link from a folder to a file, both resolved through symbolic links.
fn relative_link(folder: &Path, file: &Path) -> Option<String> {
    // The page's folder may be made later.
    let folder = folder.canonicalize().or_else(|_| std::path::absolute(folder)).ok()?;
    let file = file.canonicalize().ok()?;
    let shared = folder.components().zip(file.components()).take_while(|(a, b)| a == b).count();
    let up = folder.components().skip(shared).map(|_| "..".to_owned());
    let down = file.components().skip(shared).filter_map(|component| match component {
        Component::Normal(name) => Some(percent_encode(name.as_bytes(), IN_SEGMENT).to_string()),
        _ => None,
    });
    Some(up.chain(down).collect::<Vec<_>>().join("/"))
}

/// The media type that a browser is told for a file's name.
fn media_type(file: &Path) -> &'static str {
    let extension = file.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    match extension.as_str() {
        "webm" => "video/webm",
        "mkv" => "video/x-matroska",
        "mov" => "video/quicktime",
        "mpg" | "mpeg" => "video/mpeg",
        "ogv" => "video/ogg",
        "wav" => "audio/wav",
        "mp3" => "audio/mpeg",
        "m4a" => "audio/mp4",
        "aac" => "audio/aac",
        "flac" => "audio/flac",
        "ogg" | "oga" | "opus" => "audio/ogg",
        _ => "video/mp4",
    }
}

/// True where the name of a recording says that it has sound only.
pub(super) fn is_audio(address: &str) -> bool {
    media_type(Path::new(address)).starts_with("audio/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, file).unwrap();
        }
        folder
    }

    #[test]
    fn a_link_is_relative_and_survives_any_name() {
        let folder = folder_with(&["in/a 1#?%:é.mp4", "out/x"]);
        let link = relative_link(&folder.path().join("out"), &folder.path().join("in/a 1#?%:é.mp4")).unwrap();
        assert_eq!(link, "../in/a%201%23%3F%25%3A%C3%A9.mp4");
        let beside = relative_link(&folder.path().join("out"), &folder.path().join("out/x")).unwrap();
        assert_eq!(beside, "x");
        let later = relative_link(&folder.path().join("later"), &folder.path().join("out/x")).unwrap();
        assert_eq!(later, "../out/x");
    }

    #[test]
    fn a_recording_is_found_by_its_place_then_by_its_name() {
        let folder = folder_with(&["in/takes/a.mp4", "moved/b.mp4"]);
        let search = [folder.path().join("in"), folder.path().join("moved")];
        assert_eq!(find("takes/a.mp4", &search).unwrap(), search[0].join("takes/a.mp4"));
        assert_eq!(find("elsewhere/b.mp4", &search).unwrap(), search[1].join("b.mp4"));
        let address = format!("file://{}", search[0].join("takes/%61.mp4").display());
        assert_eq!(find(&address, &[]).unwrap(), search[0].join("takes/a.mp4"));
        assert_eq!(find("c.mp4", &search), Err(MissingMedia::NotFound));
        assert_eq!(find("https://example.org/a.mp4", &search), Err(MissingMedia::Remote));
    }

    #[test]
    fn the_kind_of_player_follows_the_name() {
        assert!(is_audio("a/b.WAV") && is_audio("x.opus"));
        assert!(!is_audio("a.webm") && !is_audio("a"));
    }
}
