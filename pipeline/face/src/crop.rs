//! Cutting the networks' inputs out of a frame.

use hirenet_core::Frame;
use opencv::core::{BorderTypes, Mat, Scalar, Size, Vec3b};
use opencv::imgproc::{self, INTER_LINEAR, WARP_INVERSE_MAP};
use opencv::prelude::*;

use crate::FaceError;
use crate::geometry::Region;

/// How a network's crops were made when it was trained.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Convention {
    /// Pixels a side.
    pub(crate) size: u16,
    /// `pixel * gain + offset` is the range that the network wants.
    pub(crate) gain: f32,
    /// See `gain`.
    pub(crate) offset: f32,
    /// What the crop shows outside the picture: black, or the nearest pixel of the edge.
    pub(crate) black_outside: bool,
    /// Coordinates mean the middles of pixels at `+ 0.5`; else whole numbers do.
    pub(crate) half_pixels: bool,
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
    convention: Convention,
    crop: Mat,
}

impl Cropper {
    pub(crate) fn new(convention: Convention) -> Result<Cropper, FaceError> {
        // OpenCV would bring a thread pool of its own; a room runs on one thread.
        opencv::core::set_num_threads(1)?;
        Ok(Cropper { convention, crop: Mat::default() })
    }

    /// Fills `tensor` (`[size, size, 3]`, RGB) with the region, bilinearly resampled without smoothing before shrinking,
    /// as the networks were trained on.
    pub(crate) fn cut(&mut self, frame: &Frame, region: &Region, tensor: &mut [f32]) -> Result<(), FaceError> {
        let Convention { size, gain, offset, black_outside, half_pixels } = self.convention;
        let rows = i32::try_from(frame.height).unwrap_or(i32::MAX);
        let columns = i32::try_from(frame.width).unwrap_or(i32::MAX);
        let picture = Mat::new_rows_cols_with_bytes::<Vec3b>(rows, columns, &frame.rgb)?;
        let mut map = region.to_picture(f64::from(size));
        if half_pixels {
            for row in &mut map {
                row[2] += (row[0] + row[1] - 1.0) / 2.0;
            }
        }
        let map = Mat::from_slice_2d(&map)?;
        let border = if black_outside { BorderTypes::BORDER_CONSTANT } else { BorderTypes::BORDER_REPLICATE };
        let side = i32::from(size);
        imgproc::warp_affine(
            &picture,
            &mut self.crop,
            &map,
            Size::new(side, side),
            INTER_LINEAR | WARP_INVERSE_MAP,
            border as i32,
            Scalar::default(),
        )?;
        for (value, byte) in tensor.iter_mut().zip(self.crop.data_bytes()?) {
            *value = f32::from(*byte) * gain + offset;
        }
        Ok(())
    }
}
