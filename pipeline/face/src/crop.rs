//! Cutting the networks' inputs out of a frame.

use hirenet_core::Frame;
use opencv::core::{BorderTypes, Mat, Scalar, Size, Vec3b};
use opencv::imgproc::{self, INTER_LINEAR, WARP_INVERSE_MAP};
use opencv::prelude::*;

use crate::FaceError;
use crate::geometry::Region;

/// What a crop shows outside the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outside {
    /// Black.
    Black,
    /// The nearest pixel of the picture's edge.
    Edge,
}

/// Checks that a frame's sizes and bytes agree.
pub(crate) fn check(frame: &Frame) -> Result<(), FaceError> {
    let expected = u64::from(frame.width) * u64::from(frame.height) * 3;
    let sizes = [frame.width, frame.height, frame.full_width, frame.full_height];
    if sizes.contains(&0) || frame.rgb.len() as u64 != expected {
        return Err(FaceError::Frame { width: frame.width, height: frame.height, bytes: frame.rgb.len() });
    }
    Ok(())
}

/// Cuts square crops of one size, reusing its buffer.
#[derive(Debug)]
pub(crate) struct Cropper {
    size: i32,
    outside: Outside,
    gain: f32,
    offset: f32,
    crop: Mat,
}

impl Cropper {
    /// `pixel * gain + offset` is the range that the network wants.
    pub(crate) fn new(size: u16, outside: Outside, gain: f32, offset: f32) -> Result<Cropper, FaceError> {
        // OpenCV would bring a thread pool of its own; a room runs on one thread.
        opencv::core::set_num_threads(1)?;
        Ok(Cropper { size: i32::from(size), outside, gain, offset, crop: Mat::default() })
    }

    /// Fills `tensor` (`[size, size, 3]`, RGB) with the region, bilinearly resampled as MediaPipe's
    /// `ImageToTensorCalculator` does it (no smoothing before shrinking; whole-pixel coordinates).
    pub(crate) fn cut(&mut self, frame: &Frame, region: &Region, tensor: &mut [f32]) -> Result<(), FaceError> {
        let rows = i32::try_from(frame.height).unwrap_or(i32::MAX);
        let columns = i32::try_from(frame.width).unwrap_or(i32::MAX);
        let picture = Mat::new_rows_cols_with_bytes::<Vec3b>(rows, columns, &frame.rgb)?;
        let map = Mat::from_slice_2d(&region.to_picture(f64::from(self.size)))?;
        let border = match self.outside {
            Outside::Black => BorderTypes::BORDER_CONSTANT,
            Outside::Edge => BorderTypes::BORDER_REPLICATE,
        };
        imgproc::warp_affine(
            &picture,
            &mut self.crop,
            &map,
            Size::new(self.size, self.size),
            INTER_LINEAR | WARP_INVERSE_MAP,
            border as i32,
            Scalar::default(),
        )?;
        for (value, byte) in tensor.iter_mut().zip(self.crop.data_bytes()?) {
            *value = f32::from(*byte) * self.gain + self.offset;
        }
        Ok(())
    }
}
