//! Sound for tests.

use std::path::Path;

/// Samples of a WAV file of 16-bit mono PCM at 16 kHz, in -1..1.
pub(crate) fn read_wav(path: &Path) -> Vec<f32> {
    let bytes = std::fs::read(path).unwrap();
    assert_eq!(&bytes[8..12], b"WAVE", "{}", path.display());
    let mut at = 12;
    loop {
        let length = u32::from_le_bytes(bytes[at + 4..at + 8].try_into().unwrap()) as usize;
        let body = &bytes[at + 8..(at + 8 + length).min(bytes.len())];
        match &bytes[at..at + 4] {
            b"fmt " => assert_eq!(body[..8], [1, 0, 1, 0, 0x80, 0x3e, 0, 0], "mono PCM at 16 kHz"),
            b"data" => {
                return body.chunks_exact(2).map(|b| f32::from(i16::from_le_bytes([b[0], b[1]])) / 32768.0).collect();
            }
            _ => {}
        }
        at += 8 + length + length % 2;
    }
}
