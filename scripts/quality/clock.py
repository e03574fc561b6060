"""Sound and picture on one clock: claps at known times, seen by the face's first frame and heard by the loudness."""

import math

import numpy as np
from clips import Clap
from program import features
from report import Row

NTSC, FILM = "30000/1001", "24000/1001"
LONG_S = 1200
WINDOW_S, HOP_S = 0.5, 0.25
CLAPS = (
    Clap("plain", "25", 2.0, 4),
    Clap("audio-late", "25", 2.0, 4, audio_late_s=0.5),
    Clap("varying-rate", "25", 1.96, 4, kept="not(between(mod(n,7),2,4))"),
    Clap("ntsc", NTSC, 60 * 1001 / 30000, 4),
    Clap("film", FILM, 48 * 1001 / 24000, 4),
    Clap("edit-list", "25", 3.0, 5, cut_s=1.32),
)
LONG_CLAPS = (
    Clap("ntsc-20min", NTSC, (LONG_S - 2) * 30 // 1.001 * 1001 / 30000, LONG_S),
    Clap("film-20min", FILM, (LONG_S - 2) * 24 // 1.001 * 1001 / 24000, LONG_S),
)
EVERY_FRAME = {"media.analysis_fps": 0, "media.frame_height": 128}


def seen_s(video, settings):
    """Time of the first frame with a face."""
    ours = features("visual", video, settings)
    return ours["time_s"][np.flatnonzero(ours["face"] == 1)[0]]


def heard_s(video):
    """Time at which the loudness first reaches half of its largest value."""
    ours = features("vocal", video)
    loudness = ours["Loudness_sma3"]
    return ours["time_s"][np.flatnonzero(loudness >= loudness.max() / 2)[0]]


def first_windows(video, settings):
    """Index of the first window with a face, and of the first with sound."""
    tracks = features("visual", video, settings, windows=True), features("vocal", video, windows=True)
    return [int(np.flatnonzero(track["valid"] == 1)[0]) for track in tracks]


def first_window(time_s):
    """Index of the first window that reaches beyond a time."""
    return max(0, math.floor((time_s - WINDOW_S) / HOP_S) + 1)


def rows(places):
    worst_ms, worst_hops = 0.0, 0
    for clap in (*CLAPS, *LONG_CLAPS):
        video = clap.make(places.work)
        times = [clap.shown_s, seen_s(video, EVERY_FRAME), heard_s(video)]
        print(f"    {clap.name}: truth {times[0]:.3f} s, seen {times[1]:.3f}, heard {times[2]:.3f}", flush=True)
        worst_ms = max(worst_ms, 1000 * (max(times) - min(times)))
        if clap in CLAPS:
            hops = [abs(window - first_window(clap.shown_s)) for window in first_windows(video, EVERY_FRAME)]
            worst_hops = max(worst_hops, *hops)
    return [
        Row("clock_error_ms", worst_ms, "ms", bar="<= 40"),
        Row("clock_error_of_tracks", worst_hops, "hops", bar="<= 1"),
    ]
