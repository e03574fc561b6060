use std::sync::{Arc, Mutex, PoisonError};

use hirenet_core::{SAMPLE_RATE, SpeechProbability};
use hirenet_onnx::ort::session::Session;
use hirenet_onnx::ort::value::TensorRef;
use hirenet_onnx::{ModelFile, Runtime, ort};
use ndarray::{Array0, Array2, Array3, arr0};

use crate::SpeechError;

/// New samples a window.
pub(crate) const WINDOW: usize = 512;
/// Samples of the previous window that stand before the new ones; without them the network hears no speech at all.
const CONTEXT: usize = 64;
/// Seconds from one probability to the next.
pub const ACTIVITY_HOP_S: f64 = WINDOW as f64 / SAMPLE_RATE as f64;

/// The one voice activity detector: Silero VAD, 16 kHz. Load it once a process; clones share the network.
#[derive(Debug, Clone)]
pub struct VoiceActivity {
    session: Arc<Mutex<Session>>,
}

impl VoiceActivity {
    /// Loads the network.
    ///
    /// # Errors
    /// [`SpeechError::Onnx`] where the file is missing, damaged or not a graph that runs.
    pub fn load(runtime: &Runtime, model: &ModelFile) -> Result<VoiceActivity, SpeechError> {
        Ok(VoiceActivity { session: Arc::new(Mutex::new(runtime.open(model)?)) })
    }

    /// A detector at the start of a recording.
    #[must_use]
    pub fn stream(&self) -> ActivityStream {
        ActivityStream {
            session: Arc::clone(&self.session),
            input: Array2::zeros((1, CONTEXT + WINDOW)),
            filled: 0,
            state: Array3::zeros((2, 1, 128)),
            sample_rate: arr0(i64::from(SAMPLE_RATE)),
        }
    }

    /// Speech probability of a whole recording, 16 kHz mono.
    ///
    /// # Errors
    /// [`SpeechError::Onnx`] where the network fails.
    pub fn probabilities(&self, samples: &[f32]) -> Result<SpeechProbability, SpeechError> {
        let mut stream = self.stream();
        let mut values = stream.push(samples)?;
        values.extend(stream.finish()?);
        Ok(SpeechProbability { hop_s: ACTIVITY_HOP_S, values })
    }
}

/// Voice activity of one recording as it arrives.
#[derive(Debug)]
pub struct ActivityStream {
    session: Arc<Mutex<Session>>,
    /// `[1, CONTEXT + WINDOW]`: the end of the previous window, then the new samples.
    input: Array2<f32>,
    filled: usize,
    /// `[2, 1, 128]`: the network's memory.
    state: Array3<f32>,
    sample_rate: Array0<i64>,
}

impl ActivityStream {
    /// Takes samples (16 kHz mono, -1..1) and gives the probability of each window that they complete.
    ///
    /// # Errors
    /// [`SpeechError::Onnx`] where the network fails.
    pub fn push(&mut self, mut samples: &[f32]) -> Result<Vec<f32>, SpeechError> {
        let session = Arc::clone(&self.session);
        // A panic elsewhere leaves no half-written state: `run` owns nothing between calls.
        let mut session = session.lock().unwrap_or_else(PoisonError::into_inner);
        let mut probabilities = Vec::with_capacity((self.filled + samples.len()) / WINDOW);
        while !samples.is_empty() {
            let (now, later) = samples.split_at(samples.len().min(WINDOW - self.filled));
            for (slot, sample) in self.input.iter_mut().skip(CONTEXT + self.filled).zip(now) {
                // One NaN would stay in the network's memory for good.
                *slot = if sample.is_finite() { *sample } else { 0.0 };
            }
            self.filled += now.len();
            samples = later;
            if self.filled == WINDOW {
                probabilities.push(self.window(&mut session)?);
            }
        }
        Ok(probabilities)
    }

    /// The probability of the last, incomplete window, filled up with silence; nothing where there is none.
    ///
    /// # Errors
    /// [`SpeechError::Onnx`] where the network fails.
    pub fn finish(&mut self) -> Result<Option<f32>, SpeechError> {
        if self.filled == 0 {
            return Ok(None);
        }
        let silence = [0.0; WINDOW];
        Ok(self.push(&silence[self.filled..])?.pop())
    }

    fn window(&mut self, session: &mut Session) -> Result<f32, SpeechError> {
        let outputs = session.run(ort::inputs![
            "input" => TensorRef::from_array_view(&self.input)?,
            "state" => TensorRef::from_array_view(&self.state)?,
            "sr" => TensorRef::from_array_view(&self.sample_rate)?,
        ])?;
        let probability = outputs["output"].try_extract_tensor::<f32>()?.1.first().copied().unwrap_or(0.0);
        let (_, state) = outputs["stateN"].try_extract_tensor::<f32>()?;
        for (slot, value) in self.state.iter_mut().zip(state) {
            *slot = *value;
        }
        for k in 0..CONTEXT {
            self.input[[0, k]] = self.input[[0, WINDOW + k]];
        }
        self.filled = 0;
        // Sound that is not a number gives no number: that is no evidence of speech.
        Ok(if probability.is_finite() { probability } else { 0.0 })
    }
}
