//! The stable codes of everything that can be missing, refused or failed.
//!
//! A code is an API: it is stored, counted and matched on. Its spelling never changes; sentences may.

use serde::{Deserialize, Serialize};

/// What a failure means for the job that met it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The input is at fault: refused at once, retrying cannot help.
    Faulty,
    /// The installation is at fault (a model, a library, the configuration): nothing can run until it is mended.
    Setup,
    /// A passing condition of the machine or a neighbour: retry with back-off.
    Passing,
    /// Unknown: limited attempts.
    Unknown,
    /// Not a failure: something the reader of a result must know.
    Note,
}

/// An error that carries a stable code.
pub trait Coded: std::error::Error {
    /// The stable code of this error.
    fn code(&self) -> Code;
}

macro_rules! codes {
    ($($variant:ident $text:literal $kind:ident $meaning:literal $advice:literal;)*) => {
        /// Stable code of a reason, a refusal or a failure.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Code {
            $(#[doc = $meaning] #[serde(rename = $text)] $variant,)*
        }

        impl Code {
            /// Every code, in the order of this file.
            pub const ALL: &'static [Code] = &[$(Code::$variant),*];

            /// The stable spelling.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $text),* }
            }

            /// What a failure with this code means for its job.
            #[must_use]
            pub fn kind(self) -> Kind {
                match self { $(Code::$variant => Kind::$kind),* }
            }

            /// True where a result that carries this code lacks a piece of its evidence, so that it is `partial`.
            #[must_use]
            pub fn makes_partial(self) -> bool {
                self.kind() != Kind::Note
            }

            /// What the code means, in one sentence for a reader of results.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Code::$variant => $meaning),* }
            }

            /// What to do about it, in one sentence.
            #[must_use]
            pub fn advice(self) -> &'static str {
                match self { $(Code::$variant => $advice),* }
            }
        }
    };
}

codes! {
    // The file
    FileMissing "file_missing" Faulty "The file does not exist." "Check the path.";
    FileUnreadable "file_unreadable" Faulty "The file cannot be read." "Check that it is a plain file and that this user may read it.";
    FileEmpty "file_empty" Faulty "The file is empty." "Upload the recording again.";
    FileHash "sha256_mismatch" Faulty "The file's sha256 is not the one in the message." "Upload the recording again, or send the sha256 of the file that was meant.";
    MediaOutside "media_outside" Faulty "The media path climbs out of the interview's folder." "Put the recording beside the interview file, or name it by an absolute path.";
    MediaScheme "media_scheme" Faulty "The media address has a scheme that is not read here." "Use a path or a file: address.";
    // The container and its streams
    NotMedia "not_media" Faulty "The file is not a media container that is known here." "Send MP4, MOV, WebM, Matroska, MPEG or a common audio file.";
    NoIndex "index_missing" Faulty "The file ends before its index: the upload was cut." "Upload the recording again, whole.";
    PlaylistRefused "playlist_refused" Faulty "The file is a playlist or script that points at other files." "Send the recording itself: nothing that points elsewhere is opened.";
    NoStreams "no_streams" Faulty "The file has neither sound nor picture." "Send a recording with an audio or a video stream.";
    NoAudio "no_audio" Faulty "The recording has no sound." "Check the candidate's microphone permission; the answer is judged without voice and words.";
    NoVideo "no_video" Faulty "The recording has no picture." "The answer is judged without the face.";
    CodecUnsupported "codec_unsupported" Faulty "A stream is in a format that cannot be decoded here." "Convert the recording to H.264 and AAC, or VP8/VP9 and Opus.";
    Encrypted "encrypted" Faulty "The recording is encrypted." "Send it without protection.";
    DecodeTruncated "decode_truncated" Faulty "The recording ends early or is damaged; what could be decoded is used." "Upload the recording again if the whole of it is needed.";
    DecodeFailed "decode_failed" Faulty "The recording, or a stream of it, could not be decoded." "Check that it plays elsewhere; upload it again.";
    LimitDuration "limit_duration" Faulty "The recording is longer than the limit." "Send a shorter one, or raise media.max_duration_s.";
    LimitPixels "limit_pixels" Faulty "The picture is larger than the limit." "Send a smaller picture, or raise media.max_pixels.";
    LimitBytes "limit_bytes" Faulty "The file is larger than the limit." "Send a smaller file, or raise media.max_bytes.";
    LimitTime "limit_time" Faulty "Decoding took longer than the limit." "Send a simpler file, or raise media.max_decode_s.";
    LimitMemory "limit_memory" Faulty "Decoding needed more memory than the limit." "Send a simpler file, or raise media.max_decode_memory_mb.";
    DecoderCrashed "decoder_crashed" Unknown "The decoder died on this file." "Convert the recording and send it again; please report the file's format.";
    // The message
    MessageInvalid "message_invalid" Faulty "The interview description is not of the documented form." "Compare it with `hirenet example`.";
    NoAnswers "no_answers" Faulty "The interview has no answers." "Send at least one answer.";
    ConsentMissing "consent_missing" Faulty "The candidate consented to no modality." "Nothing may be computed without consent.";
    // Missing evidence
    NotConsented "not_consented" Faulty "The candidate did not consent to this modality; it was not computed." "Nothing: consent decides.";
    NoFaceWaiver "no_face_waiver" Faulty "There is no signed face waiver; the face was not computed." "Send consent.face_waiver, or set policy.face_waiver where the law does not ask for it.";
    NoSpeech "no_speech" Faulty "No speech was detected." "Check that the candidate's microphone worked.";
    NoVoice "no_voice" Faulty "The sound is silent throughout." "Check that the candidate's microphone worked.";
    NoFace "no_face" Faulty "No face was found in any frame." "Check that the camera saw the candidate.";
    NoWords "no_words" Faulty "The given transcript has no words." "Send the transcript, or leave it out so that speech is recognised.";
    SpeechUnintelligible "speech_unintelligible" Faulty "Speech was detected, but no words were recognised." "Send a human transcript.";
    LanguageUnsupported "language_unsupported" Faulty "The speech model does not know the language of the answer; no words were recognised." "Set speech.model to a model that knows the language, or send a human transcript.";
    EvidenceExpired "evidence_expired" Faulty "What was measured of this modality has been removed at the end of its retention." "Score an interview anew before retention.days has passed, or set it higher.";
    NothingToScore "nothing_to_score" Faulty "No answer has any usable evidence." "See the reasons of each answer.";
    // Notes
    SeveralFaces "several_faces" Note "More than one face was seen; the main face was measured." "Look at the recording.";
    FaceChanged "face_changed" Note "The measured face changed to another one." "Look at the recording: another person may be in it.";
    FaceLost "face_lost" Note "The face was out of sight for a part of the answer." "Look at the recording.";
    SingleFrame "single_frame" Note "Only one picture of the recording could be measured: nothing is known of movement." "Look at the recording; upload it again if it should show more.";
    TextLooped "text_looped" Note "The recogniser repeated a phrase; the repeats were removed." "Listen to the recording before relying on the words.";
    LowConfidence "low_confidence" Note "The recogniser was unsure of most words." "Listen to the recording, or send a human transcript.";
    SoundClipped "sound_clipped" Note "The sound is clipped: it was recorded too loud." "Voice measures are less reliable.";
    SoundQuiet "sound_quiet" Note "The sound is very quiet; it was raised before recognition." "Voice measures are less reliable.";
    DemoSpeechModel "demo_speech_model" Note "Recognised by the demo model: synthetic voices only, real speech comes out as invented sentences." "Set speech.model to a real model after `hirenet models pull`.";
    ConsentAssumed "consent_assumed" Note "Consent for all modalities was assumed, because the videos were given on the command line." "Use an interview file for anything but trying the program.";
    GivenTranscript "given_transcript" Note "The words come from a transcript that was sent along, not from recognition." "Nothing.";
    LateWords "late_words" Note "Words of the given transcript lie beyond the end of the recording: they count as words without times." "Check that the transcript is one of this recording.";
    NoSalientMoment "no_salient_moment" Note "Attention is spread evenly: no moment stands out." "Nothing: there is no moment to show.";
    OlderTake "older_take" Note "An earlier take was set aside: only the final take is scored." "Nothing.";
    // Bundles
    BundleUnreadable "bundle_unreadable" Faulty "The bundle is not an ONNX graph that can be loaded." "Export it again.";
    BundleContract "bundle_contract" Faulty "The bundle does not keep the graph contract." "See docs/models.md for the contract.";
    BundleSchema "bundle_schema" Faulty "The bundle expects features that no extractor here produces." "Train it on these schemas: `hirenet bundle schemas`.";
    BundleForbidden "bundle_forbidden" Faulty "The bundle claims to infer emotion, mood or personality." "Such a bundle is never run.";
    // The daemon: messages
    MessageConflict "message_conflict" Faulty "The same job_id came before with other content." "Send a new interview under a new job_id.";
    MessageVersion "message_version" Faulty "The message's type or version is not known here." "Send version 1 of a documented message.";
    MessageTooLarge "message_too_large" Faulty "The message is larger than the limit." "Send media by address, never inside the message.";
    InterviewUnknown "interview_unknown" Faulty "The tenant has no such interview or candidate." "Check tenant and ids.";
    InterviewErased "interview_erased" Faulty "The interview was erased; nothing is computed of it." "Nothing: an erasure is final.";
    ConsentWithdrawn "consent_withdrawn" Faulty "The candidate withdrew the consent to this modality; it was erased or never computed." "Nothing: consent decides.";
    // The daemon: fetching media
    MediaForbidden "media_forbidden" Faulty "The media address is not under an allowed prefix." "Put the recording under a prefix of fetch.allowed_prefixes, or extend that setting.";
    MediaMissing "media_missing" Faulty "There is nothing at the media address." "Check that the upload was finished and the address is right.";
    MediaDenied "media_denied" Unknown "The media store refused the request, or its answer is of no use." "Check the worker's credentials and rights, that a signed address has not expired, and that it gives the recording itself.";
    FetchFailed "fetch_failed" Passing "The media could not be fetched." "Check the network and the media store.";
    // The daemon: broker and database
    BrokerUnavailable "broker_unavailable" Passing "The message broker cannot be reached." "Check that it runs and that queue.url names it.";
    BrokerRefused "broker_refused" Setup "The message broker refuses this program." "Check user, password, virtual host and rights.";
    TopologyDiffers "topology_differs" Setup "Queues or exchanges are missing or differ from what the program needs." "Run `hirenet setup`; queues that differ must be emptied and deleted first.";
    ConsumerTimeout "consumer_timeout" Setup "The broker takes a job away before it may be done." "Raise the broker's consumer_timeout and queue.consumer_timeout_s, or lower work.max_job_s.";
    StoreUnavailable "store_unavailable" Passing "The database cannot be reached." "Check that it runs and that store.url names it.";
    StoreReadOnly "store_read_only" Passing "The database takes no writes." "Check whether it is a standby or was set read-only.";
    StoreFull "store_full" Passing "The database ran out of space or connections." "Free space, or raise its limits.";
    StoreRefused "store_refused" Setup "The database refuses this program." "Check user, password and rights.";
    StoreSchema "store_schema" Setup "The database's schema is not this program's." "Run `hirenet setup`.";
    StoreFailed "store_failed" Unknown "A statement failed in the database." "Please report this with the program's log.";
    InvariantBroken "invariant_broken" Unknown "The database holds rows that must never be." "Please report this with what `hirenet check` prints.";
    // The daemon: jobs
    LeaseLost "lease_lost" Passing "Another worker took the job over; this one's result was set aside." "Nothing: the job goes on elsewhere.";
    JobTimeout "job_timeout" Unknown "The job took longer than a job may." "Raise work.max_job_s, or send shorter recordings.";
    JobPanicked "job_panicked" Unknown "The program failed in the middle of the job." "Please report this with the program's log.";
    WorkerDied "worker_died" Unknown "The worker process died in the middle of the job." "Look at the worker's memory and log; please report it.";
    DeliveryLimit "delivery_limit" Unknown "The broker gave the job up after too many deliveries." "Look at the workers' logs; then `hirenet dead replay`.";
    AgeLimit "age_limit" Faulty "The job met passing faults until it was too old." "Mend what failed; then `hirenet dead replay`.";
    StandIn "stand_in" Note "A stand-in took the place of the extractors: the numbers mean nothing." "Never set work.stand_in outside tests.";
    // The installation
    UsageInvalid "usage_invalid" Setup "The command line is wrong." "See `hirenet COMMAND --help`.";
    ConfigInvalid "config_invalid" Setup "The configuration is wrong." "See config.toml for every setting.";
    ModelMissing "model_missing" Setup "A model file is missing." "Run `hirenet doctor`: it looks at every model file.";
    ModelCorrupt "model_corrupt" Setup "A model file is damaged." "Run `hirenet doctor`: it looks at every model file.";
    DownloadFailed "download_failed" Passing "A model file could not be downloaded." "Check the network, or name a mirror folder: `hirenet models pull --from DIR`.";
    RuntimeMissing "runtime_missing" Setup "ONNX Runtime cannot be loaded." "Run `make setup`, or set onnx.library.";
    InstallationIncomplete "installation_incomplete" Setup "Something that the program needs is missing." "Mend what `hirenet doctor` marks MISS.";
    OutputFailed "output_failed" Passing "The output cannot be written." "Check the folder's rights and the free space.";
    ResourceExhausted "resource_exhausted" Passing "The machine ran out of a resource." "Try again later.";
    ModelFailed "model_failed" Unknown "A model failed while running." "Please report this with the program's log.";
    Internal "internal" Unknown "The program failed." "Please report this with the program's log.";
}

impl Code {
    /// What to do about it, for a reader of results; `None` where [`Code::advice`] says that there is nothing to do.
    #[must_use]
    pub fn to_do(self) -> Option<&'static str> {
        let advice = self.advice();
        (!advice.starts_with("Nothing:") && advice != "Nothing.").then_some(advice)
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn spellings_are_unique_and_round_trip() {
        let mut seen = HashSet::new();
        for code in Code::ALL {
            assert!(seen.insert(code.as_str()), "{code} twice");
            let json = serde_json::to_string(code).unwrap();
            assert_eq!(json, format!("\"{code}\""));
            assert_eq!(serde_json::from_str::<Code>(&json).unwrap(), *code);
        }
    }

    #[test]
    fn nothing_to_do_is_no_advice() {
        assert_eq!([Code::NotConsented.to_do(), Code::OlderTake.to_do()], [None, None]);
        assert_eq!(Code::ConsentMissing.to_do(), Some("Nothing may be computed without consent."));
    }
}
