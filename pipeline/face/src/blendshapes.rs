//! 52 blendshape coefficients from the landmarks: MediaPipe's Blendshape V2 network.

use hirenet_core::BLENDSHAPES;
use hirenet_onnx::{ModelFile, Runtime};

use crate::FaceError;
use crate::landmarks::Landmarks;
use crate::network::Network;

/// The landmarks that the network reads, in order.
#[rustfmt::skip]
const INPUT_LANDMARKS: [usize; 146] = [
    0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65, 66, 67, 70, 78, 80,
    81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136, 144, 145, 146, 148, 149, 150, 152, 153,
    154, 155, 157, 158, 159, 160, 161, 162, 163, 168, 172, 173, 176, 178, 181, 185, 191, 195, 197, 234, 246, 249,
    251, 263, 267, 269, 270, 276, 282, 283, 284, 285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312, 314,
    317, 318, 321, 323, 324, 332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379, 380, 381, 382,
    384, 385, 386, 387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454, 466, 468, 469, 470, 471, 472, 473,
    474, 475, 476, 477,
];

/// The blendshape network.
#[derive(Debug)]
pub(crate) struct BlendshapeNetwork {
    network: Network,
}

impl BlendshapeNetwork {
    /// Opens the network.
    ///
    /// # Errors
    /// Where the model file is missing or damaged.
    pub(crate) fn open(runtime: &Runtime, model: &ModelFile) -> Result<BlendshapeNetwork, FaceError> {
        let network = Network::open(runtime, model, "face blendshapes", &[1, INPUT_LANDMARKS.len(), 2])?;
        Ok(BlendshapeNetwork { network })
    }

    /// The coefficients 0..1 in the order of [`BLENDSHAPES`].
    ///
    /// The network removes shift and scale itself; it must see pixels, not shares of the picture's sides, because its
    /// input's aspect ratio counts.
    ///
    /// # Errors
    /// Where the network fails.
    pub(crate) fn measure(&mut self, landmarks: &Landmarks) -> Result<[f32; BLENDSHAPES.len()], FaceError> {
        for (pair, index) in self.network.input.chunks_exact_mut(2).zip(INPUT_LANDMARKS) {
            let [x, y, _] = landmarks.points[index];
            (pair[0], pair[1]) = (x as f32, y as f32);
        }
        let outputs = self.network.run("points")?;
        // The first of the 52 is `_neutral`, which carries nothing.
        let values = outputs.take("blendshapes", BLENDSHAPES.len() + 1)?;
        Ok(std::array::from_fn(|k| values[k + 1]))
    }
}
