"""How the loop's lateness is counted."""

import asyncio
import time

from server.lag import BOUNDS, RECENT_SECONDS, TICK, LoopLag, quantile


def test_a_long_stall_counts_for_every_tick_that_it_swallowed() -> None:
    lag = LoopLag()
    for second in range(98):
        lag.note(0.0, float(second))
    lag.note(10 * TICK + 0.001, 98.0)
    assert sum(lag.counts) == 98 + 11
    assert quantile(lag.counts, 0.5) == BOUNDS[0]
    assert quantile(lag.counts, 0.99) >= 9 * TICK


def test_the_quantile_is_a_bound_from_above() -> None:
    lag = LoopLag()
    lag.note(0.004, 0.0)
    assert 0.004 <= quantile(lag.counts, 0.99) < 0.004 * 1.25
    lag.note(60.0, 1.0)
    assert quantile(lag.counts, 1.0) == float("inf")
    assert quantile([0] * (len(BOUNDS) + 1), 0.99) == 0.0


def test_the_largest_is_forgotten_after_a_while() -> None:
    lag = LoopLag()
    lag.note(0.3, 100.0)
    lag.note(0.1, 101.0)
    assert lag.recent_largest(102.0) == 0.3
    assert lag.recent_largest(100.5 + RECENT_SECONDS) == 0.1
    assert lag.recent_largest(200.0) == 0.0
    assert lag.largest == 0.3


async def test_a_blocked_loop_is_seen() -> None:
    lag = LoopLag()
    task = asyncio.create_task(lag.run())
    await asyncio.sleep(0)
    time.sleep(0.1)  # noqa: ASYNC251  the very thing that must not happen
    await asyncio.sleep(2 * TICK)
    task.cancel()
    assert lag.largest >= 0.08
