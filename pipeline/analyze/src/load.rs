//! Loading the models once, side by side.

use std::collections::BTreeSet;

use hirenet_core::Modality;
use hirenet_face::{FaceMeter, FaceModels, FaceSettings};
use hirenet_media::MediaSettings;
use hirenet_onnx::{ModelFile, Runtime};
use hirenet_speech::{Recogniser, SpeechError, SpeechSettings, VoiceActivity};
use hirenet_voice::{VoiceMeter, VoiceSettings};

use crate::{AnalyzeError, Extractor};

/// Settings of everything that an extraction does.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ExtractorSettings {
    /// Decoding.
    pub media: MediaSettings,
    /// Voice activity and recognition.
    pub speech: SpeechSettings,
    /// Low-level descriptors.
    pub voice: VoiceSettings,
    /// Face.
    pub face: FaceSettings,
}

/// Files of the models that an extraction runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFiles {
    /// Voice activity (Silero).
    pub voice_activity: ModelFile,
    /// Recognition (whisper).
    pub recognition: ModelFile,
    /// The one language of a recognition model that knows no other, though its file does not say so.
    pub recognition_language: Option<String>,
    /// The three face networks.
    pub face: FaceModels,
}

/// Which rooms have work: no other model is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each room has work or has none")]
pub struct Rooms {
    /// Voice activity: for words and for the voice's share of speech.
    pub activity: bool,
    /// Speech recognition.
    pub recognition: bool,
    /// Low-level descriptors.
    pub voice: bool,
    /// Face.
    pub face: bool,
}

impl Rooms {
    /// The rooms that `modalities` need; `recognised`: at least one answer has no human transcript.
    #[must_use]
    pub fn for_modalities(modalities: &BTreeSet<Modality>, recognised: bool) -> Rooms {
        let recognition = modalities.contains(&Modality::Verbal) && recognised;
        let voice = modalities.contains(&Modality::Vocal);
        Rooms { activity: recognition || voice, recognition, voice, face: modalities.contains(&Modality::Visual) }
    }
}

impl Extractor {
    /// Loads the models of `rooms`, as many at once as there are cores that nothing else of rayon's holds.
    ///
    /// # Errors
    /// The first model that is missing or damaged, by file.
    pub fn load(
        runtime: &Runtime,
        files: &ModelFiles,
        settings: &ExtractorSettings,
        rooms: Rooms,
    ) -> Result<Extractor, AnalyzeError> {
        let activity = || rooms.activity.then(|| VoiceActivity::load(runtime, &files.voice_activity)).transpose();
        let recogniser = || rooms.recognition.then(|| load_recogniser(files, settings)).transpose();
        let voice = || rooms.voice.then(|| VoiceMeter::new(runtime, &settings.voice)).transpose();
        let face = || rooms.face.then(|| FaceMeter::new(runtime, &files.face, &settings.face)).transpose();
        let ((recogniser, activity), (face, voice)) =
            rayon::join(|| rayon::join(recogniser, activity), || rayon::join(face, voice));
        Ok(Extractor {
            settings: settings.clone(),
            activity: activity?,
            recogniser: recogniser?,
            voice: voice?,
            face: face?,
        })
    }
}

impl Extractor {
    /// The recognition model: by far the largest, and read-only, so that extractors of one process can share it.
    #[must_use]
    pub fn recogniser(&self) -> Option<Recogniser> {
        self.recogniser.clone()
    }

    /// This extractor with a recognition model that another one has loaded.
    #[must_use]
    pub fn sharing(mut self, recogniser: Recogniser) -> Extractor {
        self.recogniser = Some(recogniser);
        self
    }
}

fn load_recogniser(files: &ModelFiles, settings: &ExtractorSettings) -> Result<Recogniser, SpeechError> {
    let recogniser = Recogniser::load(&files.recognition, &settings.speech)?;
    match &files.recognition_language {
        Some(language) => recogniser.only(language),
        None => Ok(recogniser),
    }
}
