"""Measured runs by the name of their command, and the values that are taken from a run."""

import json
import re
import statistics
import sys

import measure


class Runs:
    """Runs of each named command; one that failed is None and is told once, aloud."""

    def __init__(self):
        self.by_name = {}

    def add(self, name, command, env=None, cores=None, accepted=(0,)):
        print(f"  {name}", flush=True)
        try:
            measured = measure.run(command, env, cores, accepted)
        except (measure.Failed, OSError) as error:
            print(f"    not measured: {error}", file=sys.stderr)
            measured = None
        self.by_name.setdefault(name, []).append(measured)

    def values(self, name, of):
        """A value of every run, or none at all where one of them failed."""
        runs = self.by_name.get(name, [])
        return [of(run) for run in runs] if runs and None not in runs else []

    def median(self, name, of):
        values = self.values(name, of)
        return statistics.median(values) if values else None


def wall(run):
    return run.wall_s


def cpu(run):
    return run.cpu_s


def printed(key):
    """A number that the command printed as JSON in its last line."""
    return lambda run: json.loads(run.stdout.strip().splitlines()[-1])[key]


def loading_s(run):
    """Seconds that `hirenet doctor --load` spent on loading alone, without starting and looking at everything else."""
    return float(re.search(r"all models in ([0-9.]+) s", run.stdout)[1])
