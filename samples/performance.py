"""What the head does in an answer: when it blinks, where it turns and looks, and how far its jaw opens.

Everything follows from the answer's seed and from its sound.
"""

from dataclasses import dataclass

import numpy as np

# A blink: the lids close, stay closed and open. Long enough to be seen at ten frames a second.
CLOSING_S, CLOSED_S, OPENING_S = 0.10, 0.16, 0.14
BLINK_EVERY_S = (1.8, 3.4)
LID_REST = 0.96

# Slow turns of the head: amplitude in degrees, range of periods in seconds.
YAW, PITCH, ROLL = (17.0, (4.0, 9.0)), (6.5, (3.0, 7.0)), (6.0, (4.0, 8.0))
WAVES = 3
POSE_LIMIT_DEG = 20.0
NOD_DEG = 1.6
DISTANCE_CM, HEAD_HEIGHT_CM = 41.0, 1.5

GAZE_EVERY_S, GAZE_MOVES_IN_S = (0.9, 2.2), 0.08
GAZE_RIGHT, GAZE_DOWN = 0.55, 0.15

ENVELOPE_S = 0.06
# The jaw never opens wider than this in speech, and is closed below this share of the loudest sound.
JAW_WIDEST, JAW_SILENT = 0.85, 0.06


@dataclass
class Moment:
    """What one frame shows; the units are those of HeadRenderer.draw."""

    pose: tuple
    position: tuple
    lid_opening: float
    gaze: tuple
    jaw_opening: float


def smooth_step(share):
    share = np.clip(share, 0, 1)
    return share * share * (3 - 2 * share)


def _times(random, duration, gaps, margin):
    """Times with random gaps, `margin` away from both ends."""
    times, t = [], margin + random.uniform(0, gaps[0])
    while t < duration - margin:
        times.append(t)
        t += random.uniform(*gaps)
    return times


def loudness(samples, rate, times):
    """Root mean square of the sound around each time, 1 at the 95th percentile of where there is any."""
    power = np.convolve(samples.astype(float) ** 2, np.ones(int(ENVELOPE_S * rate)) / int(ENVELOPE_S * rate), "same")
    at = np.clip((np.asarray(times) * rate).astype(int), 0, len(power) - 1)
    rms = np.sqrt(power[at])
    return rms / np.percentile(rms[rms > 0.02 * rms.max()], 95)


class Performance:
    """One answer's motion; `at` says what the frame at a time shows."""

    def __init__(self, seed, samples, rate, frame_times):
        self._random = random = np.random.default_rng(seed)
        self.duration = len(samples) / rate
        margin = CLOSING_S + CLOSED_S + OPENING_S
        # Rounded first: the truth names these very times.
        self.blinks = [round(t, 2) for t in _times(random, self.duration, BLINK_EVERY_S, margin)]
        self._waves = [self._wave(*axis) for axis in (YAW, PITCH, ROLL)]
        self._sway = [self._wave(amplitude, (5.0, 11.0)) for amplitude in (1.2, 0.6, 1.5)]
        self._looks = [
            (t, random.uniform(-GAZE_RIGHT, GAZE_RIGHT), random.uniform(-0.05, GAZE_DOWN))
            for t in _times(random, self.duration, GAZE_EVERY_S, 0.3)
        ]
        sound = loudness(samples, rate, frame_times)
        self._times = np.asarray(frame_times)
        self._jaw = JAW_WIDEST * np.clip((sound - JAW_SILENT) / (1 - JAW_SILENT), 0, 1) ** 0.7
        self._nod = self._slowed(np.clip(sound, 0, 1))

    def _wave(self, amplitude, periods):
        """A smooth, never repeating swing: a few sines, whose amplitudes sum to `amplitude`."""
        shares = self._random.dirichlet(np.ones(WAVES) * 3)
        return [
            (amplitude * share, self._random.uniform(*periods), self._random.uniform(0, 2 * np.pi)) for share in shares
        ]

    @staticmethod
    def _swing(wave, t):
        return sum(amplitude * np.sin(2 * np.pi * t / period + phase) for amplitude, period, phase in wave)

    def _slowed(self, values, seconds=0.35):
        """A moving average over the frames: a head follows the voice's stress more slowly than a jaw."""
        frames = max(1, round(seconds / (self._times[1] - self._times[0])))
        return np.convolve(values, np.ones(frames) / frames, "same")

    def _lids(self, t):
        for blink in self.blinks:
            since = t - blink  # the middle of the closed time
            closing = smooth_step((since + CLOSED_S / 2 + CLOSING_S) / CLOSING_S)
            opening = smooth_step((since - CLOSED_S / 2) / OPENING_S)
            if closing > 0 and opening < 1:
                return LID_REST * (1 - closing * (1 - opening))
        return LID_REST

    def _gaze(self, t):
        right = down = 0.0
        for start, next_right, next_down in self._looks:
            share = smooth_step((t - start) / GAZE_MOVES_IN_S)
            right, down = right + share * (next_right - right), down + share * (next_down - down)
        return right, down

    def pose(self, t):
        """Yaw, pitch and roll in degrees."""
        yaw, pitch, roll = (self._swing(wave, t) for wave in self._waves)
        pitch += NOD_DEG * np.interp(t, self._times, self._nod)
        return tuple(float(POSE_LIMIT_DEG * np.tanh(angle / POSE_LIMIT_DEG)) for angle in (yaw, pitch, roll))

    def at(self, t):
        """The moment at time `t` in seconds."""
        x, y, z = (self._swing(wave, t) for wave in self._sway)
        jaw = float(np.interp(t, self._times, self._jaw))
        return Moment(self.pose(t), (x, HEAD_HEIGHT_CM + y, DISTANCE_CM + z), self._lids(t), self._gaze(t), jaw)
