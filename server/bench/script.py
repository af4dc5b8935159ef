"""Which fault comes when: decided by a seed alone, before anything happens.

Kinds come as from a shuffled deck: each once before any comes again.
"""

import random
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

KINDS: Final = {
    "prover_killed": "a worker gets SIGKILL",
    "foreman_killed": "the process that loads the keys gets SIGKILL, and its workers end with it",
    "prover_stopped": "a worker gets SIGSTOP and never goes on",
    "server_killed": "the server gets SIGKILL and is started again",
    "server_stopped": "the server gets SIGTERM and is started again",
    "node_killed": "the node gets SIGKILL and starts again from its last saved state",
    "node_frozen": "the node gets SIGSTOP, and SIGCONT seconds later",
    "rpc_slow": "every answer of the node comes late",
    "rpc_down": "connections to the node are cut",
    "rpc_error": "the node answers 500",
    "rpc_garbage": "the node answers nonsense",
    "reply_lost": "transactions arrive, and the answers to them do not",
    "reorg": "the last blocks are replaced by as many empty ones",
    "rollback": "the last blocks are taken away",
    "socket_cut": "sockets are cut between a command and its answer",
    "reload_with_version": "pages come back with the version that they saw, or an older one",
    "reload_fresh": "pages are loaded anew",
}

_OVERLAP: Final = 0.25
_LONG: Final = frozenset({"prover_stopped"})
"""What takes long to be noticed: in haste the next does not wait for it."""

_SECONDS: Final = {
    "server_killed": (0.0, 2.0),
    "node_killed": (0.0, 3.0),
    "node_frozen": (1.0, 6.0),
    "rpc_slow": (4.0, 8.0),
    "rpc_down": (1.0, 6.0),
    "rpc_error": (1.0, 6.0),
    "rpc_garbage": (1.0, 6.0),
    "reply_lost": (2.0, 6.0),
}


@dataclass(frozen=True)
class Fault:
    """One fault.  It waits for `gap` plies to be verified after the one before.

    `seconds` it lasts, or lets pass before the restart; `depth` is in blocks; `choice` names one of
    several that may be hit.  When it `overlaps`, the next does not wait until all have recovered.
    """

    kind: str
    gap: int
    seconds: float
    depth: int
    choice: int
    overlaps: bool


def script(
    seed: int, *, every: int, haste: float = 1.0, kinds: Collection[str] = tuple(KINDS)
) -> Iterator[Fault]:
    """Faults without end, one in about `every` plies; `haste` shortens all times."""
    rng = random.Random(f"faults {seed}")
    while True:
        deck = list(kinds)
        rng.shuffle(deck)
        for kind in deck:
            yield Fault(
                kind=kind,
                gap=rng.randint(1, max(1, 2 * every - 1)),
                seconds=rng.uniform(*_SECONDS.get(kind, (0.0, 0.0))) / haste,
                depth=rng.choice((1, 1, 2, 2, 3, 5)),
                choice=rng.randrange(1 << 16),
                overlaps=rng.random() < _OVERLAP or (haste > 1 and kind in _LONG),
            )
