"""Measures a WAV file with Praat as its users do: pitch, formants and harmonicity every 10 ms, jitter and shimmer once.

usage: praat_recording.py WAV
"""

import json
import sys
import time

import parselmouth
from parselmouth.praat import call

STEP_S, PITCH_FLOOR_HZ, PITCH_CEILING_HZ = 0.01, 60, 600
PERIODS = (0.0001, 0.02, 1.3)  # Praat's own defaults: shortest and longest period in seconds, largest factor
AMPLITUDE_FACTOR = 1.6


def main(wav):
    sound = parselmouth.Sound(wav)
    started = time.process_time()
    pitch = sound.to_pitch_ac(STEP_S, PITCH_FLOOR_HZ, pitch_ceiling=PITCH_CEILING_HZ)
    sound.to_formant_burg(STEP_S, max_number_of_formants=5, maximum_formant=5500)
    sound.to_harmonicity_cc(STEP_S, PITCH_FLOOR_HZ)
    pulses = call([sound, pitch], "To PointProcess (cc)")
    call(pulses, "Get jitter (local)", 0, 0, *PERIODS)
    call([sound, pulses], "Get shimmer (local_dB)", 0, 0, *PERIODS, AMPLITUDE_FACTOR)
    print(json.dumps({"cpu": time.process_time() - started}))


if __name__ == "__main__":
    main(*sys.argv[1:])
