"""Figures out of measurements, and the machine that they are from."""

import os
from collections.abc import Sequence
from math import ceil
from statistics import median
from typing import Any


def middle_and_tail(values: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile of some seconds, of one at least."""
    return {"median": round(median(values), 3), "p95": round(percentile(values, 0.95), 3)}


def percentile(values: Sequence[float], q: float) -> float:
    """The smallest value that at least a share `q` of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, ceil(q * len(ordered)) - 1)]


def machine() -> dict[str, Any]:
    """What else there is to know of where a figure was taken: other work on it counts."""
    return {"cores": cores(), "load_average": [round(load, 2) for load in os.getloadavg()]}


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
