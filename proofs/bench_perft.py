"""Published perft counts against the contracts' rules, on a fresh local chain.

The contract plays every line of a position but for its last move, and the leaves are the bits of
the legal masks that it then finds.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from engine.encoding import Position
from proofs.errors import NotAPerftFile
from proofs.perft_file import PerftCase, read_perft
from proofs.rules_chain import BATCH, POSITION_BYTES, RulesChain, pack, rules_chain

MAX_NODES: Final = 1_000_000
"""The largest count that is checked unless told otherwise."""

_TELL_SECONDS: Final = 5.0
_AT_ONCE: Final = 4  # calls, so that the node has work for more than one core


def golden_file() -> Path:
    """The project's own positions: beside this file in a wheel, with the tests in a checkout."""
    packed = Path(__file__).with_name("perft.epd")
    return packed if packed.exists() else packed.parents[1] / "tests" / "golden" / packed.name


def bench_perft(
    file: Path | None = None,
    *,
    max_nodes: int = MAX_NODES,
    progress: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Check every count of `file` (default: the project's own) that is at most `max_nodes`.

    `positions` are those with such a count, `nodes` the leaves of the deepest one of each,
    `mismatches` the counts that the contract does not come to; each is told to `progress`.
    Raises NotAPerftFile, OSError, NodeMissing, NodeFailed, ChainDown.
    """
    path = file or golden_file()
    cases = [case for case in read_perft(path) if case.up_to(max_nodes)]
    if not cases:
        raise NotAPerftFile(str(path), None, f"no count in it is at most {max_nodes:,}")
    return asyncio.run(_run(cases, max_nodes, progress or (lambda _line: None)))


async def _run(
    cases: Sequence[PerftCase], max_nodes: int, tell: Callable[[str], None]
) -> dict[str, Any]:
    async with rules_chain() as rules:
        nodes = mismatches = 0
        start = told = time.perf_counter()
        for done, case in enumerate(cases, 1):
            expected = case.up_to(max_nodes)
            found = await perft(rules, case.position, expected)
            nodes += found[-1]
            for depth, count in expected:
                if found[depth - 1] != count:
                    mismatches += 1
                    tell(_difference(case, depth, found[depth - 1], count))
            if time.perf_counter() - told > _TELL_SECONDS:
                told = time.perf_counter()
                tell(f"{done} of {len(cases)} positions, {nodes:,} leaves")
        seconds = time.perf_counter() - start
    return {
        "positions": len(cases),
        "nodes": nodes,
        "mismatches": mismatches,
        "nodes_per_s": round(nodes / seconds),
    }


async def perft(
    rules: RulesChain, position: Position, expected: Sequence[tuple[int, int]]
) -> list[int]:
    """The lines of legal moves of depth 1, 2, .. up to the last of `expected`.

    Counting ends early, with what was found so far, once more are found than `expected` says.
    """
    found = [0] * expected[-1][0]

    async def go_on(depth: int, packed: bytes) -> list[tuple[int, bytes]]:
        if depth == len(found):
            leaves = await rules.leaves(packed)
            found[depth - 1] += leaves
            return []
        after = await rules.successors(packed)
        found[depth - 1] += len(after) // POSITION_BYTES
        step = BATCH * POSITION_BYTES
        return [(depth + 1, after[i : i + step]) for i in range(0, len(after), step)]

    pending = [(1, pack([position]))]  # depth of the moves to come, positions to make them in
    while pending and all(found[depth - 1] <= count for depth, count in expected):
        taken = [pending.pop() for _ in range(min(_AT_ONCE, len(pending)))]
        for more in await asyncio.gather(*(go_on(*work) for work in taken)):
            pending += more
    return found


def _difference(case: PerftCase, depth: int, found: int, expected: int) -> str:
    than = "at least " if found > expected else ""
    return (
        f"line {case.line}, depth {depth}: the contract counts {than}{found:,}, "
        f"the file {expected:,}: {case.fen}"
    )
