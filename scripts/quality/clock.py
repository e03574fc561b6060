"""Sound and picture on one clock: claps at known times, seen by the face's first frame and heard by the loudness."""

import numpy as np
from clips import Clap
from program import features
from report import Row

NTSC, FILM = "30000/1001", "24000/1001"
LONG_S = 1200
CLAPS = (
    Clap("plain", "25", 2.0, 4),
    Clap("audio-late", "25", 2.0, 4, audio_late_s=0.5),
    Clap("varying-rate", "25", 1.96, 4, kept="not(between(mod(n,7),2,4))"),
    Clap("ntsc", NTSC, 60 * 1001 / 30000, 4),
    Clap("film", FILM, 48 * 1001 / 24000, 4),
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


def largest_error_ms(claps, places):
    """The largest distance between truth, picture and sound over all claps."""
    worst = 0.0
    for clap in claps:
        video = clap.make(places.work)
        times = [clap.time_s, seen_s(video, EVERY_FRAME), heard_s(video)]
        print(f"    {clap.name}: truth {times[0]:.3f} s, seen {times[1]:.3f}, heard {times[2]:.3f}", flush=True)
        worst = max(worst, 1000 * (max(times) - min(times)))
    return worst


def rows(places):
    return [
        Row("clock_error_ms", largest_error_ms((*CLAPS, *LONG_CLAPS), places), "ms", bar="<= 40"),
    ]
