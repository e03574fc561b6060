//! Turning stored pictures upright, as the container's display matrix says.

use ffmpeg_next::Stream;
use ffmpeg_next::codec::packet::side_data::Type;

/// One of the eight ways to turn and mirror a picture by quarter turns.
///
/// The upright pixel `(x, y)` is the stored pixel `(u, v)`, where `u` is `x` (counted from the right where `flip_x`) and
/// `v` is `y` (counted from the bottom where `flip_y`), exchanged where `transpose`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Upright {
    pub(crate) transpose: bool,
    pub(crate) flip_x: bool,
    pub(crate) flip_y: bool,
}

impl Upright {
    /// The orientation of a stream; upright where it has no display matrix.
    pub(crate) fn of(stream: &Stream<'_>) -> Self {
        let matrix = stream.side_data().find(|side| side.kind() == Type::DisplayMatrix);
        matrix.map_or_else(Upright::default, |side| Upright::from_matrix(side.data()))
    }

    /// Reads a display matrix: nine native `i32`, `[a b u, c d v, x y w]`, that take the stored point `(p, q)` to
    /// `(a p + c q, b p + d q)` (ISO/IEC 14496-12, section 8.3.2, without the translation). Other angles than quarter
    /// turns are rounded to the nearest.
    fn from_matrix(bytes: &[u8]) -> Self {
        let value = |at: usize| {
            bytes
                .get(4 * at..)
                .and_then(|rest| rest.first_chunk::<4>())
                .map_or(0, |four| i64::from(i32::from_ne_bytes(*four)))
        };
        let (a, b, c, d) = (value(0), value(1), value(3), value(4));
        if b.abs() + c.abs() > a.abs() + d.abs() {
            Upright { transpose: true, flip_x: c < 0, flip_y: b < 0 }
        } else {
            Upright { transpose: false, flip_x: a < 0, flip_y: d < 0 }
        }
    }

    /// Counter-clockwise quarter turn in degrees, before the mirroring.
    pub(crate) fn rotation_deg(self) -> u32 {
        match (self.transpose, self.flip_y) {
            (false, false) => 0,
            (true, false) => 270,
            (false, true) => 180,
            (true, true) => 90,
        }
    }

    /// True where the picture is mirrored left to right after the turn.
    pub(crate) fn is_mirrored(self) -> bool {
        (self.flip_x != self.flip_y) != self.transpose
    }

    /// Width and height as shown.
    pub(crate) fn size(self, width: u32, height: u32) -> (u32, u32) {
        if self.transpose { (height, width) } else { (width, height) }
    }

    /// Copies `height` rows of `width` RGB triples, each row `stride` bytes from the last, into upright rows without
    /// padding.
    pub(crate) fn copy(self, stored: &[u8], stride: usize, width: usize, height: usize) -> Vec<u8> {
        let mut rgb = Vec::with_capacity(3 * width * height);
        if self == Upright::default() {
            for row in stored.chunks(stride).take(height) {
                rgb.extend_from_slice(&row[..3 * width]);
            }
            return rgb;
        }
        let (shown_width, shown_height) = if self.transpose { (height, width) } else { (width, height) };
        for y in 0..shown_height {
            let v = if self.flip_y { shown_height - 1 - y } else { y };
            for x in 0..shown_width {
                let u = if self.flip_x { shown_width - 1 - x } else { x };
                let (column, row) = if self.transpose { (v, u) } else { (u, v) };
                let at = row * stride + 3 * column;
                rgb.extend_from_slice(&stored[at..at + 3]);
            }
        }
        rgb
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(a: i32, b: i32, c: i32, d: i32) -> Vec<u8> {
        [a, b, 0, c, d, 0, 0, 0, 1 << 30].iter().flat_map(|v| v.to_ne_bytes()).collect()
    }

    /// Two columns, three rows: the red value counts 0, 1 / 2, 3 / 4, 5; a row has a byte of padding.
    fn turned(upright: Upright) -> Vec<u8> {
        let stored: Vec<u8> = [[0, 1], [2, 3], [4, 5]].iter().flat_map(|[l, r]| [*l, 9, 9, *r, 9, 9, 7]).collect();
        upright.copy(&stored, 7, 2, 3).chunks(3).map(|pixel| pixel[0]).collect()
    }

    #[test]
    fn matrices_turn_as_players_do() {
        const ONE: i32 = 1 << 16;
        for (bytes, rotation, mirrored, pixels) in [
            (matrix(ONE, 0, 0, ONE), 0, false, [0, 1, 2, 3, 4, 5]),
            (matrix(0, ONE, -ONE, 0), 270, false, [4, 2, 0, 5, 3, 1]),
            (matrix(-ONE, 0, 0, -ONE), 180, false, [5, 4, 3, 2, 1, 0]),
            (matrix(0, -ONE, ONE, 0), 90, false, [1, 3, 5, 0, 2, 4]),
            (matrix(-ONE, 0, 0, ONE), 0, true, [1, 0, 3, 2, 5, 4]),
            (matrix(ONE, 0, 0, -ONE), 180, true, [4, 5, 2, 3, 0, 1]),
            (matrix(0, ONE, ONE, 0), 270, true, [0, 2, 4, 1, 3, 5]),
            (matrix(0, -ONE, -ONE, 0), 90, true, [5, 3, 1, 4, 2, 0]),
        ] {
            let upright = Upright::from_matrix(&bytes);
            assert_eq!((upright.rotation_deg(), upright.is_mirrored()), (rotation, mirrored));
            assert_eq!(turned(upright), pixels, "{rotation} {mirrored}");
        }
    }

    #[test]
    fn a_short_matrix_is_no_turn() {
        assert_eq!(Upright::from_matrix(&[1, 2, 3]), Upright::default());
    }
}
