//! From a decoded picture to upright RGB of the analysis size with square pixels.

use ffmpeg_next::format::Pixel;
use ffmpeg_next::software::scaling::{Context, Flags};
use ffmpeg_next::util::color::Space;
use ffmpeg_next::{Error, Rational, frame};
use hirenet_core::Frame;

use crate::ffi;
use crate::upright::Upright;

/// Pixel shapes outside of this range are taken for damage, and pixels for square.
const ODDEST_PIXEL: f64 = 8.0;

/// Size with square pixels of a stored picture: the longer side of a pixel decides, so that nothing is lost.
pub(crate) fn square_size(width: u32, height: u32, shape: Rational) -> (u32, u32) {
    let ratio = f64::from(shape.numerator()) / f64::from(shape.denominator());
    if !ratio.is_finite() || !(1.0 / ODDEST_PIXEL..=ODDEST_PIXEL).contains(&ratio) {
        (width, height)
    } else if ratio > 1.0 {
        ((f64::from(width) * ratio).round() as u32, height)
    } else {
        (width, (f64::from(height) / ratio).round() as u32)
    }
}

/// Size after scaling down until the shorter side has at most `limit` pixels (0: no limit). The longer side becomes even,
/// as 4:2:0 pictures want it.
pub(crate) fn scaled_size((width, height): (u32, u32), limit: u32) -> (u32, u32) {
    let shorter = width.min(height);
    if limit == 0 || shorter <= limit {
        return (width, height);
    }
    let factor = f64::from(limit) / f64::from(shorter);
    let scale = |side: u32| if side == shorter { limit } else { 2 * (f64::from(side) * factor / 2.0).round() as u32 };
    (scale(width), scale(height))
}

/// What a picture looks like to the scaler; another look needs another scaler.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Look {
    pixel: Pixel,
    width: u32,
    height: u32,
    shape: Rational,
    space: Space,
    full_range: bool,
}

impl Look {
    fn of(picture: &frame::Video) -> Self {
        let pixel = picture.format();
        let is_jpeg =
            matches!(pixel, Pixel::YUVJ420P | Pixel::YUVJ422P | Pixel::YUVJ444P | Pixel::YUVJ440P | Pixel::YUVJ411P);
        Look {
            pixel,
            width: picture.width(),
            height: picture.height(),
            shape: picture.aspect_ratio(),
            space: picture.color_space(),
            full_range: is_jpeg || ffi::is_full_range(picture),
        }
    }

    /// Steps from such pictures to RGB of this size.
    ///
    /// Where a 4:2:0 picture changes its size, it does so first and becomes RGB then: libswscale has fast code for each
    /// of the two, and none for both at once (0.5 ms against 3 ms from 720p).
    fn steps(self, (width, height): (u32, u32)) -> Result<Vec<Step>, Error> {
        let halved = matches!(self.pixel, Pixel::YUV420P | Pixel::YUVJ420P | Pixel::NV12 | Pixel::YUV420P10LE);
        if !halved || (width, height) == (self.width, self.height) {
            return Ok(vec![self.step(Pixel::RGB24, width, height)?]);
        }
        let smaller = self.step(Pixel::YUV420P, width, height)?;
        Ok(vec![smaller, Look { pixel: Pixel::YUV420P, width, height, ..self }.step(Pixel::RGB24, width, height)?])
    }

    fn step(self, to: Pixel, width: u32, height: u32) -> Result<Step, Error> {
        let flags = Flags::BILINEAR;
        let mut context = Context::get(self.pixel, self.width, self.height, to, width, height, flags)?;
        ffi::set_colours(&mut context, self.space, self.full_range, to == Pixel::RGB24 || self.full_range);
        Ok(Step { context, out: frame::Video::empty() })
    }
}

/// One conversion, and room for what it gives.
struct Step {
    context: Context,
    out: frame::Video,
}

/// Scales pictures of one stream; follows changes of size and format in mid-stream.
pub(crate) struct Scaler {
    limit: u32,
    upright: Upright,
    current: Option<(Look, Vec<Step>)>,
}

impl Scaler {
    pub(crate) fn new(limit: u32, upright: Upright) -> Self {
        Scaler { limit, upright, current: None }
    }

    /// The analysis frame of a picture at `time_s`.
    pub(crate) fn frame(&mut self, picture: &frame::Video, time_s: f64) -> Result<Frame, Error> {
        let look = Look::of(picture);
        let full = square_size(look.width, look.height, look.shape);
        let known = self.current.take().filter(|(known, _)| *known == look);
        let make = || look.steps(scaled_size(full, self.limit)).map(|steps| (look, steps));
        let (_, steps) = self.current.insert(known.map_or_else(make, Ok)?);
        let mut rgb = picture;
        for Step { context, out } in steps {
            context.run(rgb, out)?;
            rgb = out;
        }
        let (width, height) = (rgb.width(), rgb.height());
        let pixels = self.upright.copy(rgb.data(0), rgb.stride(0), width as usize, height as usize);
        let (width, height) = self.upright.size(width, height);
        let (full_width, full_height) = self.upright.size(full.0, full.1);
        Ok(Frame { time_s, width, height, full_width, full_height, rgb: pixels })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_shrink_to_the_limit_and_never_grow() {
        assert_eq!(scaled_size((1280, 720), 480), (854, 480));
        assert_eq!(scaled_size((720, 1280), 480), (480, 854));
        assert_eq!(scaled_size((360, 288), 480), (360, 288));
        assert_eq!(scaled_size((1920, 1080), 0), (1920, 1080));
        assert_eq!(scaled_size((2, 100_000), 1), (1, 50_000));
    }

    #[test]
    fn oblong_pixels_become_square() {
        assert_eq!(square_size(720, 576, Rational(64, 45)), (1024, 576));
        assert_eq!(square_size(720, 480, Rational(8, 9)), (720, 540));
        assert_eq!(square_size(360, 288, Rational(0, 1)), (360, 288));
        assert_eq!(square_size(360, 288, Rational(1, 0)), (360, 288));
        assert_eq!(square_size(360, 288, Rational(-1, 1)), (360, 288));
    }
}
