"""Recognises a 16 kHz mono WAV file with whisper.cpp, greedy, without temperature fallback.

usage: whisper.py MODEL WAV TOKENS_PER_WINDOW THREADS    (0 threads: whisper.cpp's own choice)
"""

import json
import sys
import time

import _pywhispercpp as whisper
from wav import samples


def main(model, wav, tokens, threads):
    context = whisper.whisper_init_from_file_with_params(model, whisper.whisper_context_default_params())
    started = time.perf_counter(), time.process_time()
    params = whisper.whisper_full_default_params(whisper.whisper_sampling_strategy.WHISPER_SAMPLING_GREEDY)
    if threads != "0":
        params.n_threads = int(threads)
    params.language = "en"
    params.temperature_inc = 0.0  # no fallback
    params.greedy = {"best_of": 1}
    params.no_context = True
    params.no_timestamps = True
    params.single_segment = True
    params.max_tokens = int(tokens)
    params.print_progress = params.print_realtime = params.print_timestamps = False
    audio, _ = samples(wav)
    if whisper.whisper_full(context, params, audio, audio.size) != 0:
        raise SystemExit("whisper.cpp failed")
    counts = [whisper.whisper_full_n_tokens(context, i) for i in range(whisper.whisper_full_n_segments(context))]
    print(
        json.dumps(
            {"tokens": counts, "wall": time.perf_counter() - started[0], "cpu": time.process_time() - started[1]}
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
