//! From frames to rows: detect, follow, measure.

use hirenet_core::{BLENDSHAPES, Frame};
use hirenet_onnx::{ModelFile, Runtime};

use crate::blendshapes::BlendshapeNetwork;
use crate::continuity::{Continuity, Signature};
use crate::detector::{Detection, Detector};
use crate::fit::RegionFit;
use crate::gaze::gaze_deg;
use crate::geometry::{Rect, Region};
use crate::landmarks::{LandmarkNetwork, Landmarks};
use crate::pose::CanonicalFace;
use crate::{FaceError, FaceSettings, crop};

/// The three model files of the face room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaceModels {
    /// BlazeFace, short range.
    pub detector: ModelFile,
    /// FaceMesh V2, 478 points.
    pub landmarks: ModelFile,
    /// Blendshape V2.
    pub blendshapes: ModelFile,
}

/// What was measured of the main face in one frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FaceMeasure {
    /// Probability that the landmark network saw a face, 0..1.
    pub confidence: f32,
    /// The face's box in pixels of the upright full-size picture: the detector's where it ran for this face, else tight
    /// around the landmarks.
    pub bounds: Rect,
    /// Positive: the nose points to the image's right.
    pub yaw_deg: f32,
    /// Positive: the nose points down.
    pub pitch_deg: f32,
    /// Positive: the head is turned counter-clockwise in the image.
    pub roll_deg: f32,
    /// Relative to the head; positive: to the image's right.
    pub gaze_yaw_deg: f32,
    /// Relative to the head; positive: down.
    pub gaze_pitch_deg: f32,
    /// Coefficients 0..1 in the order of [`BLENDSHAPES`].
    pub blendshapes: [f32; BLENDSHAPES.len()],
}

/// One analysed frame.
#[derive(Debug, Clone, PartialEq)]
pub struct FaceRow {
    /// Seconds since media time zero.
    pub time_s: f64,
    /// The main face, where there is one.
    pub face: Option<FaceMeasure>,
    /// Number of faces that the detector saw; `None` where it did not run.
    pub faces_seen: Option<u32>,
    /// True in one frame, shortly after the main face became another one than before: when the difference has lasted.
    pub changed: bool,
}

/// A face that is followed from frame to frame.
#[derive(Debug)]
struct Tracked {
    landmarks: Landmarks,
    /// Where it came from; a detection's box is shown as it is.
    detected: Option<Rect>,
}

/// Measures the main face of a recording, frame by frame.
///
/// The main face is the largest one when none is known; later the one nearest to where it was.
#[derive(Debug)]
pub struct FaceMeter {
    settings: FaceSettings,
    detector: Detector,
    network: LandmarkNetwork,
    blendshapes: BlendshapeNetwork,
    canonical: CanonicalFace,
    tracked: Option<Tracked>,
    continuity: Continuity,
    fit: RegionFit,
    /// Detector runs since the face was entered.
    checks: u32,
    last_bounds: Option<Rect>,
    detected_s: f64,
}

/// The detector runs in the first frames of a face, so that the fit does not rest on few detections.
const SETTLING_CHECKS: u32 = 10;
/// After these, of so many runs of the detector one renews the fit.
const REFIT_EVERY: u32 = 5;
/// Weight of the second look at a detected face. Where the crop sits half of a network's pixel off, a coefficient can
/// come out 0.15 otherwise, so one look alone says little; the first keeps the larger part, as its box is the one shown.
const SECOND_LOOK: f64 = 0.2;

impl FaceMeter {
    /// Opens the three networks.
    ///
    /// # Errors
    /// Where a model file is missing or damaged, or a setting is out of its range.
    pub fn new(runtime: &Runtime, models: &FaceModels, settings: &FaceSettings) -> Result<FaceMeter, FaceError> {
        settings.validate()?;
        Ok(FaceMeter {
            settings: settings.clone(),
            detector: Detector::open(runtime, &models.detector, settings.detector_threshold)?,
            network: LandmarkNetwork::open(runtime, &models.landmarks)?,
            blendshapes: BlendshapeNetwork::open(runtime, &models.blendshapes)?,
            canonical: CanonicalFace::load()?,
            tracked: None,
            continuity: Continuity::default(),
            fit: RegionFit::default(),
            checks: 0,
            last_bounds: None,
            detected_s: 0.0,
        })
    }

    /// Forgets everything about the recording so far; call it before another one.
    pub fn reset(&mut self) {
        self.tracked = None;
        self.last_bounds = None;
        self.continuity = Continuity::default();
    }

    /// The landmarks of the main face in the last frame, in pixels of that frame.
    #[must_use]
    pub fn landmarks(&self) -> Option<&Landmarks> {
        self.tracked.as_ref().map(|tracked| &tracked.landmarks)
    }

    /// Measures one frame; frames come in the order of their times.
    ///
    /// # Errors
    /// [`FaceError::Frame`] for a frame whose sizes and bytes disagree; where OpenCV or a network fails.
    pub fn measure(&mut self, frame: &Frame) -> Result<FaceRow, FaceError> {
        crop::check(frame)?;
        let mut faces_seen = None;
        self.tracked = self.follow(frame)?;
        if self.tracked.is_none() || self.recheck_is_due(frame.time_s) {
            let faces = self.detector.detect(frame)?;
            self.detected_s = frame.time_s;
            self.checks = self.checks.saturating_add(1);
            faces_seen = u32::try_from(faces.len()).ok();
            match &self.tracked {
                Some(tracked) if self.refit_is_due() => self.refit(frame, &faces, &tracked.landmarks.region())?,
                Some(_) => {}
                None => self.tracked = self.enter(frame, &faces)?,
            }
        }
        let (face, changed) = self.read(frame)?;
        Ok(FaceRow { time_s: frame.time_s, face, faces_seen, changed })
    }

    /// Measures the main face that was found in this frame, and says whether it is another one than before.
    fn read(&mut self, frame: &Frame) -> Result<(Option<FaceMeasure>, bool), FaceError> {
        let Some(Tracked { landmarks, detected }) = &self.tracked else { return Ok((None, false)) };
        let Some(pose) = self.canonical.pose(landmarks, frame.width, frame.height) else { return Ok((None, false)) };
        let [yaw, pitch, roll] = pose.angles_deg();
        let blendshapes = self.blendshapes.measure(landmarks)?;
        let [gaze_yaw, gaze_pitch] = gaze_deg(landmarks, &pose, &blendshapes);
        let bounds = landmarks.bounds();
        let measure = FaceMeasure {
            confidence: landmarks.presence,
            bounds: full_size(&detected.unwrap_or(bounds), frame),
            yaw_deg: yaw as f32,
            pitch_deg: pitch as f32,
            roll_deg: roll as f32,
            gaze_yaw_deg: gaze_yaw as f32,
            gaze_pitch_deg: gaze_pitch as f32,
            blendshapes,
        };
        self.last_bounds = Some(bounds);
        let changed = self.continuity.is_another(Signature::of(frame, landmarks, &pose, &self.canonical), frame.time_s);
        Ok((Some(measure), changed))
    }

    fn recheck_is_due(&self, time_s: f64) -> bool {
        let interval = self.settings.recheck_interval_s;
        interval > 0.0 && (time_s - self.detected_s >= interval || self.checks < SETTLING_CHECKS)
    }

    /// A settled fit moves little: it is renewed at some of the detector's runs only, since it costs a second one.
    fn refit_is_due(&self) -> bool {
        self.checks <= SETTLING_CHECKS || self.checks.is_multiple_of(REFIT_EVERY)
    }

    /// Learns how the detector sees the face that is followed, where it is among the detected ones.
    fn refit(&mut self, frame: &Frame, faces: &[Detection], followed: &Region) -> Result<(), FaceError> {
        let far = |face: &Detection| offset(face.face.centre(), followed.centre);
        if let Some(nearest) = faces.iter().min_by(|a, b| far(a).total_cmp(&far(b))) {
            let again = self.detector.detect_again(frame, nearest)?;
            let seen = again.map_or(nearest.region(), |again| nearest.region().middle(&again.region()));
            self.fit.observe(&seen, followed);
        }
        Ok(())
    }

    /// The face of the last frame in this one.
    fn follow(&mut self, frame: &Frame) -> Result<Option<Tracked>, FaceError> {
        let Some(last) = self.tracked.take().filter(|_| self.settings.tracking) else { return Ok(None) };
        let region = self.fit.apply(&last.landmarks.region());
        let Some(landmarks) = self.look(frame, &region)? else { return Ok(None) };
        // A fast head leaves the middle of its old region, where the network is best: look again where it is now.
        let moved = self.fit.apply(&landmarks.region());
        let again = if moved.differs_from(&region) { self.look(frame, &moved)? } else { None };
        let landmarks = again.unwrap_or(landmarks);
        Ok(Some(Tracked { landmarks, detected: None }))
    }

    /// The main one of the detected faces.
    fn enter(&mut self, frame: &Frame, faces: &[Detection]) -> Result<Option<Tracked>, FaceError> {
        let mut candidates: Vec<&Detection> = faces.iter().collect();
        match self.last_bounds {
            Some(last) => {
                let far = |face: &Detection| offset(face.face.centre(), last.centre());
                candidates.sort_by(|a, b| far(a).total_cmp(&far(b)));
            }
            None => candidates.sort_by(|a, b| b.face.area().total_cmp(&a.face.area())),
        }
        for face in candidates {
            let region = face.region();
            if let Some(landmarks) = self.look(frame, &region)? {
                let (landmarks, region) = self.look_again(frame, face, landmarks)?;
                (self.fit, self.checks) = (RegionFit::default(), 1);
                self.fit.observe(&region, &landmarks.region());
                return Ok(Some(Tracked { landmarks, detected: Some(face.face) }));
            }
        }
        Ok(None)
    }

    /// The landmarks of a detected face and its region, both the mean of two looks where the second one sees it too.
    fn look_again(
        &mut self,
        frame: &Frame,
        face: &Detection,
        landmarks: Landmarks,
    ) -> Result<(Landmarks, Region), FaceError> {
        let region = face.region();
        let Some(again) = self.detector.detect_again(frame, face)?.map(|again| again.region()) else {
            return Ok((landmarks, region));
        };
        let landmarks = match self.look(frame, &again)? {
            Some(second) => landmarks.mean_with(&second, SECOND_LOOK),
            None => landmarks,
        };
        Ok((landmarks, region.middle(&again)))
    }

    fn look(&mut self, frame: &Frame, region: &Region) -> Result<Option<Landmarks>, FaceError> {
        if !region.is_usable() {
            return Ok(None);
        }
        let landmarks = self.network.find(frame, region)?;
        Ok((landmarks.presence >= self.settings.presence_threshold).then_some(landmarks))
    }
}

fn offset(a: [f64; 2], b: [f64; 2]) -> f64 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

fn full_size(bounds: &Rect, frame: &Frame) -> Rect {
    let across = f64::from(frame.full_width) / f64::from(frame.width);
    let down = f64::from(frame.full_height) / f64::from(frame.height);
    Rect { x: bounds.x * across, y: bounds.y * down, width: bounds.width * across, height: bounds.height * down }
}
