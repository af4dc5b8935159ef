"""How long a bot's proof will take, before any was seen."""

from collections.abc import Callable, Iterable
from typing import Final

from server.info import BotInfo

SECONDS_PER_CONSTRAINT: Final = 17e-6
"""Of one processor: pawn's 50,103 constraints took 0.85 s, a net's of 128,437 took 2.0 s."""


def expected_seconds(
    bots: Iterable[BotInfo], seen: Callable[[bytes], float | None]
) -> dict[str, float]:
    """Seconds of a proof by bot version: the median `seen` where there is one.

    Else as long as the bot of the next number of constraints takes for each, else for each what
    one processor took elsewhere.  Nothing is guessed of a bot whose circuit is not counted.
    """
    shown = [bot for bot in bots if bot.version]
    medians = {bot.version: seen(bytes.fromhex(bot.version[2:])) for bot in shown}
    known = [
        (bot.constraints, median)
        for bot in shown
        if bot.constraints is not None and (median := medians[bot.version]) is not None
    ]
    found: dict[str, float] = {}
    for bot in shown:
        median = medians[bot.version]
        if median is None and bot.constraints is not None:
            median = _guess(bot.constraints, known)
        if median is not None:
            found[bot.version] = median
    return found


def _guess(constraints: int, known: list[tuple[int, float]]) -> float:
    if not known:
        return constraints * SECONDS_PER_CONSTRAINT
    near, seconds = min(known, key=lambda pair: abs(pair[0] - constraints))
    return seconds * constraints / near
