//! eGeMAPS low-level descriptors: samples to the vocal track.
