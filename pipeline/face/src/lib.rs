//! Face detection, landmarks, blendshapes, head pose and gaze: frames to the visual track.
