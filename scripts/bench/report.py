"""The rows of a benchmark: a table for people, a JSON file for programs, and whether all bars are met."""

import json
import operator
import os
import platform
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

COMPARISONS = {"<=": operator.le, ">=": operator.ge}


@dataclass
class Row:
    """One measured value. `bar` is its bound as text, such as `<= 0.6`; `floor` and `peer` stand beside the value."""

    name: str
    value: float | None
    unit: str
    floor: float | None = None
    peer: float | None = None
    bar: str | None = None

    @property
    def passed(self):
        """None where nothing is demanded; a value that could not be measured never passes."""
        if self.value is None:
            return False
        if self.bar is None:
            return None
        comparison, bound = self.bar.split()
        return COMPARISONS[comparison](self.value, float(bound))


def machine():
    """The machine in words."""
    model = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {len(os.sched_getaffinity(0))} cores, {memory_gb:.0f} GiB, {platform.platform()}"


def commit():
    """The source's commit, marked where the working tree differs from it; None outside a clone."""
    described = subprocess.run(
        ["git", "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"], capture_output=True, text=True
    )
    return described.stdout.strip() or None


def write(path, settings, rows):
    """Writes the JSON file, by way of a part file."""
    records = [asdict(row) | {"pass": row.passed} for row in rows]
    content = {"commit": commit(), "machine": machine(), "settings": settings, "rows": records}
    path.parent.mkdir(exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(content, indent=1) + "\n")
    part.rename(path)


def table(rows):
    """The rows as cells of text, headings first."""

    def number(value):
        return "" if value is None else f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"

    cells = [("", "value", "unit", "floor", "peer", "bar", "")]
    for row in rows:
        mark = {True: "pass", False: "FAIL", None: ""}[row.passed]
        value = "not measured" if row.value is None else number(row.value)
        cells.append((row.name, value, row.unit, number(row.floor), number(row.peer), row.bar or "", mark))
    return cells


def markdown(rows):
    """The table as Markdown."""
    heading, *lines = [f"| {' | '.join(cells)} |" for cells in table(rows)]
    return "\n".join([heading, "| --- | ---: | --- | ---: | ---: | --- | --- |", *lines]) + "\n"


def show(rows):
    """Prints the table and returns whether every row with a bar passes."""
    cells = table(rows)
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    for line in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())
    return not any(row.passed is False for row in rows)
