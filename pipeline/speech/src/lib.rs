//! Voice activity and speech recognition: samples to transcript.
