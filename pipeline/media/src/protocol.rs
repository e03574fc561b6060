//! Messages as bytes on the pipe: a letter, a length (`u32`, little endian), a body.
//!
//! | letter | body |
//! | --- | --- |
//! | `O` | the [`Probe`](crate::Probe) as JSON |
//! | `S` | samples, `f32` little endian |
//! | `F` | time in seconds (`f64`), width, height, full width, full height (`u32`), then RGB; all little endian |
//! | `E` | the [`Outcome`](crate::Outcome) as JSON |
//! | `R` | the [`Refusal`](crate::Refusal) as JSON |

use std::io::{Error, ErrorKind, Read, Result, Write};

use hirenet_core::Frame;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::message::Message;
use crate::types::Event;

/// Longest body that is believed: a picture of 64 million pixels and its head.
const MAX_BODY: u32 = 3 * (64 << 20) + FRAME_HEAD;
/// Longest JSON body that is believed.
const MAX_JSON: u32 = 1 << 20;
/// Bytes before the pixels of a frame.
const FRAME_HEAD: u32 = 24;

/// Where messages are read from.
pub(crate) trait Source: Read {
    /// Reads into the spare capacity of `to`, which need not be zeroed first as for [`Read::read`]: a picture is
    /// megabytes. Zero at the end of the stream.
    fn append(&mut self, to: &mut Vec<u8>) -> Result<usize>;
}

/// Writes one message.
pub(crate) fn write(out: &mut impl Write, message: &Message) -> Result<()> {
    match message {
        Message::Opened(probe) => write_json(out, b'O', probe),
        Message::Refused(refusal) => write_json(out, b'R', refusal),
        Message::Event(Event::Ended(outcome)) => write_json(out, b'E', outcome),
        Message::Event(Event::Samples(samples)) => {
            let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
            write_head(out, b'S', bytes.len(), &[])?;
            out.write_all(&bytes)
        }
        Message::Event(Event::Frame(frame)) => {
            let mut head = frame.time_s.to_le_bytes().to_vec();
            for side in [frame.width, frame.height, frame.full_width, frame.full_height] {
                head.extend(side.to_le_bytes());
            }
            write_head(out, b'F', head.len() + frame.rgb.len(), &head)?;
            out.write_all(&frame.rgb)
        }
    }
}

fn write_json(out: &mut impl Write, letter: u8, value: &impl Serialize) -> Result<()> {
    let body = serde_json::to_vec(value)?;
    write_head(out, letter, body.len(), &body)
}

fn write_head(out: &mut impl Write, letter: u8, length: usize, start: &[u8]) -> Result<()> {
    let length = u32::try_from(length).map_err(|_| Error::from(ErrorKind::InvalidInput))?;
    let mut head = vec![letter];
    head.extend(length.to_le_bytes());
    head.extend_from_slice(start);
    out.write_all(&head)
}

/// Reads one message. Whatever is not one is `InvalidData`; the end of the stream is `UnexpectedEof`.
pub(crate) fn read(from: &mut impl Source) -> Result<Message> {
    let mut head = [0; 5];
    from.read_exact(&mut head)?;
    let [letter, length @ ..] = head;
    let length = u32::from_le_bytes(length);
    let limit = if matches!(letter, b'S' | b'F') { MAX_BODY } else { MAX_JSON };
    if length > limit {
        return Err(invalid("a message is too long"));
    }
    match letter {
        b'O' => Ok(Message::Opened(Box::new(read_json(from, length)?))),
        b'R' => Ok(Message::Refused(read_json(from, length)?)),
        b'E' => Ok(Message::Event(Event::Ended(read_json(from, length)?))),
        b'S' => {
            let bytes = read_body(from, length)?;
            let (samples, []) = bytes.as_chunks::<4>() else { return Err(invalid("samples end in mid-sample")) };
            Ok(Message::Event(Event::Samples(samples.iter().map(|sample| f32::from_le_bytes(*sample)).collect())))
        }
        b'F' => Ok(Message::Event(Event::Frame(read_frame(from, length)?))),
        _ => Err(invalid("an unknown message")),
    }
}

fn read_frame(from: &mut impl Source, length: u32) -> Result<Frame> {
    let mut time = [0; 8];
    from.read_exact(&mut time)?;
    let mut side = || -> Result<u32> {
        let mut bytes = [0; 4];
        from.read_exact(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    };
    let (width, height, full_width, full_height) = (side()?, side()?, side()?, side()?);
    let pixels = u64::from(width) * u64::from(height);
    let time_s = f64::from_le_bytes(time);
    if pixels == 0 || pixels * 3 + u64::from(FRAME_HEAD) != u64::from(length) || !(time_s.is_finite() && time_s >= 0.0)
    {
        return Err(invalid("a frame contradicts itself"));
    }
    let rgb = read_body(from, length - FRAME_HEAD)?;
    Ok(Frame { time_s, width, height, full_width, full_height, rgb })
}

fn read_body(from: &mut impl Source, length: u32) -> Result<Vec<u8>> {
    let length = length as usize;
    let mut body = Vec::with_capacity(length);
    if body.capacity() > length {
        // More spare capacity would swallow the next message.
        body.resize(length, 0);
        from.read_exact(&mut body)?;
    }
    while body.len() < length {
        if from.append(&mut body)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(body)
}

fn read_json<T: DeserializeOwned>(from: &mut impl Source, length: u32) -> Result<T> {
    serde_json::from_slice(&read_body(from, length)?).map_err(|error| Error::new(ErrorKind::InvalidData, error))
}

fn invalid(what: &'static str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Outcome, Refusal};
    use hirenet_core::Code;
    use proptest::prelude::*;

    impl Source for &[u8] {
        fn append(&mut self, to: &mut Vec<u8>) -> Result<usize> {
            let (taken, rest) = self.split_at(self.len().min(to.capacity() - to.len()));
            to.extend_from_slice(taken);
            *self = rest;
            Ok(taken.len())
        }
    }

    fn back(message: &Message) -> Message {
        let mut bytes = Vec::new();
        write(&mut bytes, message).unwrap();
        let mut rest = &bytes[..];
        let read_back = read(&mut rest).unwrap();
        assert!(rest.is_empty());
        read_back
    }

    #[test]
    fn messages_come_back_as_they_went() {
        let rgb = (0..18).collect();
        let frame = Frame { time_s: 1.25, width: 3, height: 2, full_width: 6, full_height: 4, rgb };
        for message in [
            Message::Event(Event::Samples(vec![0.5, -1.0, f32::MIN_POSITIVE])),
            Message::Event(Event::Frame(frame)),
            Message::Event(Event::Ended(Outcome { duration_s: 2.5, samples: 3, frames: 1, reasons: Vec::new() })),
            Message::Refused(Refusal::plain(Code::NotMedia)),
        ] {
            assert_eq!(back(&message), message);
        }
    }

    proptest! {
        /// Whatever a damaged child writes, reading ends in a message or an error.
        #[test]
        fn foreign_bytes_are_no_danger(letter in prop::sample::select(b"OSFERX".to_vec()), bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let mut all = vec![letter];
            all.extend((bytes.len() as u32).to_le_bytes());
            all.extend(bytes);
            let _outcome = read(&mut &all[..]);
        }
    }
}
