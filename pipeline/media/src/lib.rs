//! Probe and decode media files in a child process: 16 kHz mono samples and RGB frames on one clock.
