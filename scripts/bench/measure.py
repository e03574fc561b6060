"""Runs a command and measures its whole process tree: wall time, processor time and peak memory."""

import os
import signal
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

SAMPLING_S = 0.05
LIMIT_S = 1500


class Failed(Exception):
    """The command could not do its work."""


@dataclass
class Measured:
    """What one run needed. `cpu_s` counts all processes of the tree, user and system."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    status: int
    stdout: str
    stderr: str


def children(pid):
    """Processes that `pid` started, as Linux lists them for each of its threads."""
    for listing in Path(f"/proc/{pid}/task").glob("*/children"):
        yield from listing.read_text().split()


def peak_mb(pid):
    """Largest resident memory so far of the process and of each below it, summed.

    An upper bound: shared pages count twice, and the peaks may not fall together. (`ru_maxrss` would not do: it counts
    the moment before the program is loaded, when the new process still is a copy of this one.)
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        own_kb = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
        return own_kb * 1024 / 1e6 + sum(peak_mb(child) for child in children(pid))
    except (OSError, StopIteration):  # it has just ended
        return 0.0


class PeakMemory(threading.Thread):
    """Follows the memory of a process tree until told to stop."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.peak_mb, self.done = pid, 0.0, threading.Event()
        self.start()

    def run(self):
        while not self.done.wait(SAMPLING_S):
            self.peak_mb = max(self.peak_mb, peak_mb(self.pid))

    def stop(self):
        self.done.set()
        self.join()
        return self.peak_mb


def environment(changes):
    """This process's environment without settings that would favour either side, and with `changes`."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("HIRENET_", "OPENBLAS_", "OMP_"))}
    return kept | {k: str(v) for k, v in changes.items()}


def start(command, env, cores, **pipes):
    pin = (lambda: os.sched_setaffinity(0, cores)) if cores else None
    return subprocess.Popen(
        [str(part) for part in command],
        env=environment(env),
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=pin,
        **pipes,
    )


def run(command, env=None, cores=None, accepted=(0,)):
    """Runs `command` to its end, on the given cores only where some are named.

    Raises `Failed` with the end of its stderr where it ends with a status that is not `accepted`.
    """
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        started = time.perf_counter()
        process = start(command, env or {}, cores, stdout=out, stderr=err)
        alarm = threading.Timer(LIMIT_S, os.killpg, (process.pid, signal.SIGKILL))
        alarm.start()
        memory = PeakMemory(process.pid)
        _, raw_status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - started
        alarm.cancel()
        process.returncode = status = os.waitstatus_to_exitcode(raw_status)
        peak = memory.stop()
        out.seek(0)
        err.seek(0)
        said = err.read()
        if status not in accepted:
            raise Failed(f"{command[0]} {command[1]} ended with status {status}: {said[-600:]}")
        return Measured(wall_s, usage.ru_utime + usage.ru_stime, peak, status, out.read(), said)


def seconds_until(command, text, env=None):
    """Seconds from the start of `command` to the first line of its stderr that has `text`; it is ended then."""
    started = time.perf_counter()
    with start(command, env or {}, None, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        alarm = threading.Timer(LIMIT_S, os.killpg, (process.pid, signal.SIGKILL))
        alarm.start()
        try:
            for line in process.stderr:
                if text in line:
                    return time.perf_counter() - started
        finally:
            alarm.cancel()
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    raise Failed(f"{command[0]} {command[1]} ended without saying {text}")
