//! How the database keeps what nobody searches: compressed by zstd.

use std::cell::RefCell;
use std::io;

use zstd::bulk::Compressor;

/// Level of compression: what is packed is small, and written once.
const LEVEL: i32 = 3;

thread_local! {
    /// Kept: the tables of a new one take longer than most of what is packed.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
}

/// Packs bytes.
///
/// # Errors
/// Where there is no memory for it.
pub fn pack(bytes: &[u8]) -> io::Result<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|kept| {
        let compressor = match kept {
            Some(compressor) => compressor,
            None => kept.insert(Compressor::new(LEVEL)?),
        };
        compressor.compress(bytes)
    })
}

/// Unpacks what [`pack`] has packed, up to `most` bytes.
///
/// # Errors
/// Where it is damaged, or longer.
pub fn unpack(packed: &[u8], most: usize) -> io::Result<Vec<u8>> {
    zstd::bulk::decompress(packed, most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_back() {
        for bytes in [&b"twice, twice, twice"[..], b"", b"again"] {
            assert_eq!(unpack(&pack(bytes).unwrap(), 100).unwrap(), bytes);
        }
        assert!(unpack(&pack(&[7; 200]).unwrap(), 100).is_err() && unpack(b"no frame", 100).is_err());
    }
}
