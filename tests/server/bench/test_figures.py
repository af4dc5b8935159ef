"""Figures out of measurements."""

import math
import os

import pytest

from server.bench.figures import cores, machine, middle_and_tail, percentile
from server.bench.host import Host
from server.bench.readings import Cpu, Lag, Memory


def test_middle_and_tail() -> None:
    assert middle_and_tail([0.25]) == {"median": 0.25, "p95": 0.25}
    assert middle_and_tail([k / 100 for k in range(1, 101)]) == {"median": 0.505, "p95": 0.95}


@pytest.mark.parametrize(("q", "expected"), [(0.0, 1), (0.5, 2), (0.75, 3), (0.76, 4), (1.0, 4)])
def test_a_percentile_is_one_of_the_values(q: float, expected: int) -> None:
    assert percentile([4, 1, 3, 2], q) == expected


def test_the_machine_is_named_by_cores_and_load() -> None:
    assert machine()["cores"] == cores() >= 1
    assert len(machine()["load_average"]) == 3


METRICS = """# TYPE checkproof_loop_lag_seconds histogram
checkproof_loop_lag_seconds_bucket{le="0.001"} 90.0
checkproof_loop_lag_seconds_bucket{le="0.01"} 99.0
checkproof_loop_lag_seconds_bucket{le="+Inf"} 100.0
checkproof_loop_lag_recent_max_seconds 0.25
"""
LATER = METRICS.replace("90.0", "190.0").replace("99.0", "208.0").replace("100.0", "210.0")


def test_lateness_is_that_of_the_time_between_two_readings() -> None:
    late = Lag.of(LATER).since(Lag.of(METRICS))
    assert late.counts == ((0.001, 100.0), (0.01, 109.0), (math.inf, 110.0))
    assert (late.quantile(0.5), late.quantile(0.99), late.quantile(1.0)) == (0.001, 0.01, math.inf)
    assert Lag.recent_of(METRICS) == 0.25


def test_no_metrics_are_no_figures() -> None:
    assert math.isnan(Lag.of("").quantile(0.99))
    assert math.isnan(Lag.recent_of(""))


def test_processor_time_for_each_proof() -> None:
    used = Cpu(server=3, provers=9, node=2, bench=1, waited=0.5).since(
        Cpu(server=1, provers=1, node=1, bench=0.5)
    )
    assert used.per(4) == {"server": 0.5, "provers": 2.0, "node": 0.25, "bench": 0.125}
    assert used.waited == 0.5
    assert used.per(0)["provers"] == 8.0


class _Ours(Host):
    """A host that is this very process."""

    def __init__(self) -> None:
        """Nothing is started."""

    @property
    def pid(self) -> int:
        return os.getpid()

    def family(self) -> list[int]:
        return [os.getpid()]


def test_memory_and_time_are_read_of_processes() -> None:
    memory, cpu = Memory.of(_Ours()), Cpu.of(_Ours())
    assert 1 < memory.pss_mb <= memory.rss_mb
    assert memory.server_mb == pytest.approx(memory.rss_mb, rel=0.1)
    assert cpu.server > 0
    assert cpu.provers == cpu.node == 0
