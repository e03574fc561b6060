//! What the first bytes of a file say before FFmpeg sees it: playlists and scripts, and MP4 files without an index.

use std::io::{Read, Seek, SeekFrom};

use hirenet_core::Code;

use crate::Refusal;

/// Bytes looked at for a playlist.
const HEAD: u64 = 4096;
/// Top-level boxes looked at; real files have a handful, fragmented ones two for each fragment.
const MAX_BOXES: usize = 1_000_000;

/// Refuses playlists and other files that point at something else. Leaves the position at the start.
pub(crate) fn refuse_pointers(file: &mut (impl Read + Seek)) -> std::io::Result<Option<Refusal>> {
    let mut head = Vec::new();
    file.by_ref().take(HEAD).read_to_end(&mut head)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(pointer_kind(&head).map(|kind| {
        Refusal::new(Code::PlaylistRefused, format!("The file is {kind}: nothing that points elsewhere is opened."))
    }))
}

/// What kind of pointer file these first bytes begin, if any.
fn pointer_kind(head: &[u8]) -> Option<&'static str> {
    let text = String::from_utf8_lossy(head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head));
    // UTF-16 text with a byte order mark, read as if the zero bytes were not there.
    let text = text.replace('\0', "").trim_start_matches('\u{fffd}').trim_start().to_ascii_lowercase();
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| text.starts_with(prefix));
    if starts(&["#extm3u", "#ext-x-"]) {
        return Some("a playlist (M3U, HLS)");
    }
    if starts(&["ffconcat"]) {
        return Some("a concat script");
    }
    if starts(&["[playlist]", "[reference]", "<asx", "<smil", "rtsptext", "qt rtsptext"]) {
        return Some("a playlist");
    }
    if starts(&["v=0\r", "v=0\n"]) {
        return Some("a session description (SDP)");
    }
    if starts(&["<"])
        && ["<mpd", "<smoothstreamingmedia", "<asx", "<smil", "<playlist", "<manifest"]
            .iter()
            .any(|tag| text.contains(tag))
    {
        return Some("a streaming manifest");
    }
    let line = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'))?;
    if line.starts_with("file ") || line.starts_with("file\t") {
        return Some("a concat script");
    }
    is_address(line).then_some("a list of addresses")
}

/// True for `scheme:...` where the scheme is one that media players open.
fn is_address(line: &str) -> bool {
    let schemes =
        ["http", "https", "file", "rtsp", "rtmp", "rtp", "udp", "tcp", "ftp", "concat", "data", "hls", "smb", "crypto"];
    line.split_once(':').is_some_and(|(scheme, _)| schemes.contains(&scheme))
}

/// True for an MP4 or MOV file (ISO/IEC 14496-12, section 4.2: boxes of a size and a four-letter type) whose index,
/// the box `moov`, is missing or ends beyond the end of the file.
pub(crate) fn lacks_index(file: &mut (impl Read + Seek)) -> std::io::Result<bool> {
    let end = file.seek(SeekFrom::End(0))?;
    let mut at = 0_u64;
    for number in 0..MAX_BOXES {
        file.seek(SeekFrom::Start(at))?;
        let mut head = Vec::new();
        file.by_ref().take(16).read_to_end(&mut head)?;
        let Some((kind, size)) = box_head(&head, end - at) else {
            return Ok(number > 0);
        };
        if number == 0 && !matches!(kind, b"ftyp" | b"styp" | b"wide" | b"free" | b"skip" | b"mdat" | b"pnot") {
            return Ok(false);
        }
        if kind == b"moov" {
            return Ok(size > end - at);
        }
        match at.checked_add(size) {
            Some(next) if next < end => at = next,
            _ => return Ok(true),
        }
    }
    Ok(false)
}

/// Type and size of a box from its first bytes; size 0 means up to the end of the file.
fn box_head(head: &[u8], rest: u64) -> Option<(&[u8; 4], u64)> {
    let short = u32::from_be_bytes(*head.first_chunk::<4>()?);
    let kind = head.get(4..8)?.first_chunk::<4>()?;
    let size = match short {
        0 => rest,
        1 => u64::from_be_bytes(*head.get(8..16)?.first_chunk::<8>()?),
        size => u64::from(size),
    };
    (size >= 8).then_some((kind, size))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn pointer_files_are_known_by_their_first_bytes() {
        for text in [
            "#EXTM3U\nfile:///etc/passwd",
            "\u{feff}#EXTM3U\n",
            "\n\n  #EXTM3U\n",
            "ffconcat version 1.0\nfile 'x.mp4'",
            "file '/etc/passwd'\n",
            "# comment\nfile x.mp4\n",
            "http://127.0.0.1:8080/x.mp4\n",
            "concat:/a|/b",
            "<?xml version=\"1.0\"?>\n<MPD xmlns=\"x\">",
            "<?xml version=\"1.0\"?><SmoothStreamingMedia>",
            "[playlist]\nFile1=x",
            "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n",
        ] {
            assert!(pointer_kind(text.as_bytes()).is_some(), "{text:?}");
        }
        let utf16: Vec<u8> = "\u{feff}#EXTM3U\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(pointer_kind(&utf16).is_some());
    }

    #[test]
    fn other_text_and_media_are_no_pointers() {
        for head in
            [&b"Dear candidate, this is a text file."[..], b"\0\0\0\x20ftypisom", b"\x1a\x45\xdf\xa3", b"", b"<html>"]
        {
            assert_eq!(pointer_kind(head), None, "{head:?}");
        }
    }

    fn boxes(list: &[(&[u8; 4], u32, usize)]) -> Cursor<Vec<u8>> {
        let mut bytes = Vec::new();
        for (kind, size, content) in list {
            bytes.extend(size.to_be_bytes());
            bytes.extend_from_slice(*kind);
            bytes.extend(vec![0; *content]);
        }
        Cursor::new(bytes)
    }

    #[test]
    fn an_index_must_be_there_and_whole() {
        assert!(!lacks_index(&mut boxes(&[(b"ftyp", 16, 8), (b"mdat", 24, 16), (b"moov", 16, 8)])).unwrap());
        assert!(lacks_index(&mut boxes(&[(b"ftyp", 16, 8), (b"mdat", 24, 16)])).unwrap());
        assert!(lacks_index(&mut boxes(&[(b"ftyp", 16, 8), (b"mdat", 240, 16)])).unwrap());
        assert!(lacks_index(&mut boxes(&[(b"ftyp", 16, 8), (b"moov", 160, 8)])).unwrap());
        assert!(lacks_index(&mut boxes(&[(b"ftyp", 16, 0)])).unwrap());
        assert!(!lacks_index(&mut Cursor::new(b"this is text and no boxes at all".to_vec())).unwrap());
    }
}
