//! Opening a container from a descriptor.

use std::fs::File;
use std::io::{Seek, SeekFrom};

use ffmpeg_next::format::context::{Input, StreamIo};
use ffmpeg_next::{Dictionary, Error, format};
use hirenet_core::Code;

use crate::{Refusal, allowed, sniff};

/// Bytes that FFmpeg reads at once.
const READ_BUFFER: usize = 256 << 10;
/// Streams that a container may have; an interview has two.
const MAX_STREAMS: &str = "64";

/// Memory that a decoder may ask for at once: two of the largest pictures with 16 bits a value.
const ROOM: usize = 64 << 20;

/// Opens a container; returns it with the size of the file in bytes.
pub(crate) fn open(mut file: File) -> Result<(Input, u64), Refusal> {
    let bytes = file.seek(SeekFrom::End(0)).map_err(|error| unreadable(&error))?;
    file.seek(SeekFrom::Start(0)).map_err(|error| unreadable(&error))?;
    if let Some(refusal) = sniff::refuse_pointers(&mut file).map_err(|error| unreadable(&error))? {
        return Err(refusal);
    }
    let mut again = file.try_clone().map_err(|error| unreadable(&error))?;
    let stream = StreamIo::from_read_seek_with_capacity(file, READ_BUFFER).map_err(|error| refuse(error, false))?;
    let mut options = Dictionary::new();
    options.set("format_whitelist", allowed::DEMUXERS);
    options.set("codec_whitelist", allowed::DECODERS);
    // No protocol has this name: a demuxer that wants to open something else fails.
    options.set("protocol_whitelist", "none");
    options.set("max_streams", MAX_STREAMS);
    // No file name: the format is decided by content alone.
    let opened = format::input_from_stream(stream, None, Some(options));
    opened.map(|input| (input, bytes)).map_err(|error| {
        let cut = sniff::lacks_index(&mut again).unwrap_or(false);
        refuse(error, cut)
    })
}

fn unreadable(error: &std::io::Error) -> Refusal {
    Refusal::new(Code::FileUnreadable, format!("The file cannot be read: {error}."))
}

fn refuse(error: Error, cut: bool) -> Refusal {
    if is_memory(error) {
        return Refusal::plain(Code::LimitMemory);
    }
    Refusal::plain(if cut { Code::NoIndex } else { Code::NotMedia })
}

/// True where FFmpeg failed because the limit on memory was reached. It reports many a failed allocation as damage, so
/// what is left is tried too.
pub(crate) fn is_memory(error: Error) -> bool {
    error == Error::Other { errno: ffmpeg_next::error::ENOMEM } || is_out_of_room()
}

/// True where the limit on memory leaves no room to work in.
pub(crate) fn is_out_of_room() -> bool {
    Vec::<u8>::new().try_reserve_exact(ROOM).is_err()
}
