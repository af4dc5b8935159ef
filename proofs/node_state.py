"""The files in which a local node leaves its chain, and which of them to go by.

    state.new.json                  what the node writes, every few seconds and at its end
    state.json                      the last that it finished
    state.1.json, state.2.json      the two before

None of them is good for being there.  A node that is killed while it writes leaves half a file.
And anvil tells its blocks first and then its accounts, while more blocks are being made: what it
wrote may have a transaction's nonce and effects, and not the transaction.  Whoever went on from
that would lack its logs for ever, and could not send it again.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

WRITTEN: Final = "state.new.json"
STATE: Final = "state.json"
NAMES: Final = (WRITTEN, STATE, "state.1.json", "state.2.json")
"""Latest first."""

_BROKEN: Final = "state.broken.json"


def begin(folder: Path, raw: bytes) -> None:
    """Have this be the first state of a new chain."""
    temporary = folder / f"{STATE}.tmp"
    temporary.write_bytes(raw)
    temporary.replace(folder / STATE)


def keep(folder: Path) -> bool:
    """Take what the node has finished writing as the latest; whether there was any.

    A file that it goes on writing to is no harm: it does so under its new name.
    """
    if not _looks_finished(folder / WRITTEN):
        return False
    for name, older in reversed([*pairwise(NAMES)]):
        with suppress(FileNotFoundError):
            (folder / name).replace(folder / older)
    return True


def settle(folder: Path) -> Path | None:
    """Have state.json be what to go on from, and return it; None where there is nothing.

    No node may run on the folder.
    """
    saved, state = saved_state(folder), folder / STATE
    if saved is not None and saved.path != state:
        with suppress(FileNotFoundError):
            state.replace(folder / _BROKEN)
        saved.path.replace(state)
    (folder / WRITTEN).unlink(missing_ok=True)  # else it would count as the latest
    return state if state.exists() else None


@dataclass(frozen=True)
class Saved:
    """A chain that a node has left, and the file that it lay in."""

    path: Path
    raw: bytes


def saved_state(folder: Path) -> Saved | None:
    """The latest that is whole, else the latest that can be read at all, None for none.

    A node may run on the folder.
    """
    readable = None
    for path in (folder / name for name in NAMES):
        with suppress(OSError, ValueError):
            saved = Saved(path, path.read_bytes())
            if is_whole(state := json.loads(saved.raw)):
                return saved
            readable = readable or (saved if isinstance(state, dict) else None)
    return readable


def is_whole(state: Any) -> bool:
    """Whether a state's blocks, transactions and accounts are of one moment."""
    try:
        return _is_of_one_moment(state)
    except (KeyError, TypeError, ValueError, AttributeError):
        return False


def _is_of_one_moment(state: Mapping[str, Any]) -> bool:
    best = int(state["best_block_number"])
    blocks, transactions = state["blocks"], state["transactions"]
    if {best} != {_number(state["block"]["number"]), max(_height(block) for block in blocks)}:
        return False
    if len(transactions) != sum(len(block["transactions"]) for block in blocks):
        return False
    next_nonce: dict[str, int] = {}
    for sent in (transaction["info"] for transaction in transactions):
        sender = sent["from"]
        next_nonce[sender] = max(next_nonce.get(sender, 0), sent["nonce"] + 1)
    return all(
        account["nonce"] == next_nonce.get(who, 0)
        for who, account in state["accounts"].items()
        if account["code"] == "0x"  # contracts count otherwise
    )


def _height(block: Mapping[str, Any]) -> int:
    return _number(block["header"]["number"])


def _number(value: str | int) -> int:
    return int(value, 16) if isinstance(value, str) else value


def _looks_finished(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            file.seek(-1, 2)
            return file.read(1) == b"}"
    except OSError:  # also for an empty one
        return False
