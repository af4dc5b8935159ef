"""Which SRS a store of ezkl bots uses for each size.

    root/srs/dev-15.srs            a development SRS, made here once: whoever made it could forge
    root/srs/15-<16 hex>.srs       one that was brought, named by its SHA-256
    root/srs/chosen.json           {"15": {"file", "sha256", "ceremony"}}: what new imports use

A brought one is never replaced or removed: bots that were made with it go on needing it.
"""

import fcntl
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from proofs.errors import SrsRefused
from proofs.srs import Powers

SRS: Final = "srs"
_CHOSEN: Final = "chosen.json"


@dataclass(frozen=True)
class Srs:
    """A structured reference string on disk; `ceremony` is empty if it is of none that we know."""

    path: Path
    hash: str
    ceremony: str = ""


def file_hash(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def chosen_srs(root: Path, logrows: int) -> Srs | None:
    """The SRS that new imports use for this size, None if none was chosen.  Raises SrsRefused."""
    entry = _read(root).get(str(logrows))
    if entry is None:
        return None
    path = root / SRS / entry["file"]
    if not path.is_file() or file_hash(path) != entry["sha256"]:
        raise SrsRefused(str(path), "it is missing or damaged; bring it again by `setup srs`")
    return Srs(path, entry["sha256"], entry["ceremony"])


def dev_srs(root: Path, logrows: int, make: Callable[[Path], None]) -> Srs:
    """This store's development SRS, made now if it is not there."""
    path = _folder(root) / f"dev-{logrows}.srs"
    with _alone(root):
        if not path.exists():
            partial = path.with_suffix(".tmp")
            make(partial)
            partial.replace(path)
    return Srs(path, file_hash(path))


def kept_srs(root: Path, given: Path, logrows: int) -> Srs:
    """A file brought for one import, now in the store; its ceremony is known if it was checked."""
    digest = file_hash(given)
    path = _folder(root) / f"{logrows}-{digest[:16]}.srs"
    with _alone(root):
        if not path.exists():
            partial = path.with_suffix(".tmp")
            shutil.copyfile(given, partial)
            partial.replace(path)
        known = [entry for entry in _read(root).values() if entry["sha256"] == digest]
    return Srs(path, digest, known[0]["ceremony"] if known else "")


def choose_srs(root: Path, srs: Powers) -> Srs:
    """Keep a checked SRS and let new imports of its size use it."""
    path = _folder(root) / f"{srs.logrows}-{srs.hash[:16]}.srs"
    entry = {"file": path.name, "sha256": srs.hash, "ceremony": srs.ceremony}
    with _alone(root):
        _write(path, srs.file)
        chosen = {**_read(root), str(srs.logrows): entry}
        text = json.dumps(dict(sorted(chosen.items())), indent=1) + "\n"
        _write(root / SRS / _CHOSEN, text.encode())
    return Srs(path, srs.hash, srs.ceremony)


def _read(root: Path) -> dict[str, dict[str, str]]:
    path = root / SRS / _CHOSEN
    try:
        raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return {
            size: {name: str(entry[name]) for name in ("file", "sha256", "ceremony")}
            for size, entry in raw.items()
        }
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise SrsRefused(str(path), f"it is damaged ({error})") from error


def _write(path: Path, data: bytes) -> None:
    partial = path.with_suffix(".tmp")
    partial.write_bytes(data)
    partial.replace(path)


def _folder(root: Path) -> Path:
    folder = root / SRS
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    with (_folder(root) / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
