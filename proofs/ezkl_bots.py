"""Which ONNX nets play in an arena: the list that `bots add` writes and `serve` reads.

    DATA/ezkl/bots.json   [{"name": "my-net", "folder": "34a5ef2459cb1616"}, ..]

A folder is one that `proofs.ezkl_build` made, named as it lies in DATA/ezkl.  The list is replaced
as a whole, so that a reader finds the old one or the new one; writers wait for each other.
"""

import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final

from engine.net import house_nets
from engine.net_file import is_name
from proofs.errors import BotListDamaged, BotNameRefused, NoSuchBot

SHIPPED: Final = ("rook",)
"""ezkl bots that come with the package; nobody else's may be called so."""


@dataclass(frozen=True)
class ListedBot:
    """One bot of the list; `folder` is a path that can be opened."""

    name: str
    folder: Path


def store_of(data: Path) -> Path:
    """Where a data folder keeps what ezkl made."""
    return data / "ezkl"


def listed_bots(data: Path) -> list[ListedBot]:
    """The bots of a data folder, in the order they were added.  Raises BotListDamaged."""
    path = _file(data)
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return [_bot(entry, path.parent) for entry in entries]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BotListDamaged(str(path), str(error)) from error


def check_name(data: Path, name: str) -> None:
    """Raises BotNameRefused for a name that a new bot cannot have, BotListDamaged."""
    if not is_name(name):
        raise BotNameRefused(name, "use 1 to 32 of a-z, 0-9 and -, and begin with a letter")
    if name in (*house_nets(), *SHIPPED):
        raise BotNameRefused(name, "a bot that comes with checkproof is called so")
    if any(bot.name == name for bot in listed_bots(data)):
        raise BotNameRefused(name, "a bot is called so already; remove it, or choose by --name")


def name_of_file(net: Path) -> str:
    """A bot's name made of its file's: `My Net.onnx` becomes my-net."""
    name = re.sub(r"[^a-z0-9]+", "-", net.stem.lower()).strip("-")
    return name[:32].rstrip("-")


def add_bot(data: Path, name: str, folder: Path) -> None:
    """Write a bot into the list.  Raises BotNameRefused, BotListDamaged."""
    with _alone(data):
        check_name(data, name)
        _write(data, [*listed_bots(data), ListedBot(name, folder)])


def remove_bot(data: Path, name: str) -> ListedBot:
    """Take a bot from the list; its files stay.  Raises NoSuchBot, BotListDamaged."""
    with _alone(data):
        bots = listed_bots(data)
        found = next((bot for bot in bots if bot.name == name), None)
        if found is None:
            raise NoSuchBot(name, [bot.name for bot in bots])
        _write(data, [bot for bot in bots if bot is not found])
    return found


def _file(data: Path) -> Path:
    return store_of(data) / "bots.json"


def _bot(entry: Any, store: Path) -> ListedBot:
    name, folder = entry["name"], entry["folder"]
    if not isinstance(name, str) or not is_name(name) or not isinstance(folder, str):
        raise ValueError(f"an entry is {str(entry)[:60]}")
    return ListedBot(name, store / folder)


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    store_of(data).mkdir(parents=True, exist_ok=True)
    with (store_of(data) / "bots.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _write(data: Path, bots: list[ListedBot]) -> None:
    store = store_of(data)
    entries = [{"name": bot.name, "folder": _relative(bot.folder, store)} for bot in bots]
    with NamedTemporaryFile("w", dir=store, prefix="bots-", delete=False, encoding="utf-8") as file:
        file.write(json.dumps(entries, indent=1) + "\n")
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).replace(_file(data))


def _relative(folder: Path, store: Path) -> str:
    inside = folder.resolve().is_relative_to(store.resolve())
    return str(folder.resolve().relative_to(store.resolve()) if inside else folder.resolve())
