"""The life of a ply, in one table.

    bot's move     proposed ─▶ queued ─▶ proving ─▶ proved ─▶ submitted ─▶ verified
    player's move  proposed ─────────────────────────────────▶ submitted ─▶ verified
    the opening    proposed ─────────────────────────────────▶ submitted ─▶ verified

Any stage before verified may end in rejected.  Any may jump to verified, because anyone may bring
a move to the contract.  A prover that dies sends a move from proving back to queued.
"""

from typing import Final, Literal

from server.errors import IllegalTransition
from server.messages import Stage

Kind = Literal["bot", "player", "opening"]

_CARRIED: Final[dict[Stage | None, frozenset[Stage]]] = {
    None: frozenset({"proposed"}),
    "proposed": frozenset({"submitted", "verified", "rejected"}),
    "submitted": frozenset({"verified", "rejected"}),
    "verified": frozenset(),
    "rejected": frozenset(),
}

NEXT: Final[dict[Kind, dict[Stage | None, frozenset[Stage]]]] = {
    "bot": {
        None: frozenset({"proposed"}),
        "proposed": frozenset({"queued", "verified", "rejected"}),
        "queued": frozenset({"proving", "verified", "rejected"}),
        "proving": frozenset({"proved", "queued", "verified", "rejected"}),
        "proved": frozenset({"submitted", "verified", "rejected"}),
        "submitted": frozenset({"verified", "rejected"}),
        "verified": frozenset(),
        "rejected": frozenset(),
    },
    "player": _CARRIED,
    "opening": _CARRIED,
}
"""What may follow each stage; None is before the first."""


def step(kind: Kind, before: Stage | None, after: Stage) -> Stage:
    """`after`, if it may follow `before`.  Raises IllegalTransition otherwise."""
    if after not in NEXT[kind].get(before, frozenset()):
        raise IllegalTransition(f"the {kind}" + "'s move" * (kind != "opening"), before, after)
    return after
