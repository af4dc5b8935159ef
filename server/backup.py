"""A data folder as one file, and back again.

    FILE   a plain tar: manifest.json first, then each file that it names
           {"format": "checkproof-backup/1", "version", "made": unix seconds,
            "files": {name: {"size", "sha256"}}}

    arena.db            the store, copied as of one moment (SQLite's online backup)
    chain/state.json    the local chain, as its node says it is now, else as it last was left whole
    chain/host          the node's address
    deployment.json     the contracts' addresses
    keys/HASH/...       proving and verifying keys
    ezkl/...            the files of ONNX bots, their setups, and the list of them
    spent.json          the gas of today

Not in it: the relayer's key, settings, and what a start makes anew.  It holds the secrets of games
that have not begun, so it is readable for its owner alone.

The store is copied before the chain: so whatever the store knows to have landed is in the chain,
or is brought to it again from the signed transactions in the store.

An archive is read with care: it may hold only these names, regular files of the sizes and hashes
that its manifest tells, and it is unpacked beside the new folder, which appears complete or not at
all.  But nobody signs it: restore what you trust.
"""

import asyncio
import gzip
import hashlib
import json
import os
import re
import shutil
import sqlite3
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, BinaryIO, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from proofs.deploy import deployment_file
from proofs.errors import ChainDown
from proofs.node import running_node
from proofs.node_state import STATE, is_whole, saved_state
from proofs.rpc import Rpc, RpcFault
from server.budget import FILE_NAME as SPENT
from server.config import held
from server.errors import (
    BackupExists,
    BackupFailed,
    DataFolderBusy,
    FolderNotEmpty,
    NotABackup,
)
from server.store import store_file

FORMAT: Final = "checkproof-backup/1"
MANIFEST: Final = "manifest.json"
MAX_MANIFEST: Final = 1 << 20
MAX_FILES: Final = 4000
Tell = Callable[[str], None]

_MIB: Final = 1 << 20
_STATE: Final = "chain/state.json"
_KEY: Final = r"keys/[0-9a-f]{64}/(verifying_key\.(bin|json)|proving_key\.bin|record\.json)"
_BOT_FILE: Final = (
    r"net\.onnx|circuit\.(onnx|ezkl)|settings\.json|vk|pk|verifier\.(sol|json)|manifest\.json|srs"
)
_EZKL: Final = (
    rf"ezkl/(bots\.json|srs/([0-9a-z-]{{1,64}}\.srs|chosen\.json)|[0-9a-f]{{16}}/({_BOT_FILE}))"
)
_LARGEST: Final = (  # what may be in a backup, and how many bytes of it at most
    (re.compile(r"arena\.db|chain/state\.json"), 64 << 30),
    (re.compile(_KEY), 16 << 30),
    (re.compile(_EZKL), 16 << 30),
    (re.compile(r"deployment\.json|spent\.json|chain/host"), _MIB),
)
_BLOCK: Final = tarfile.BLOCKSIZE
_STATE_TRIES: Final = 5
_STATE_PAUSE: Final = 0.1


class FileNote(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    size: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Manifest(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    format: Literal["checkproof-backup/1"]
    version: str
    made: int
    files: dict[str, FileNote]


# --- out ----------------------------------------------------------------------------------------


def back_up(data: Path, file: Path, tell: Tell) -> Manifest:
    """Write a backup of a data folder, whether or not a server runs on it.

    Raises BackupExists, BackupFailed.  `file` appears complete or not at all.
    """
    if file.exists():
        raise BackupExists(file)
    if not (deployment_file(data).is_file() or store_file(data).is_file()):
        raise BackupFailed(f"{data.resolve()} is no data folder")
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{file.name}-", dir=file.parent) as made:
        staging = Path(made)
        sources = dict(_collect(data, staging, tell))
        manifest = Manifest(
            format=FORMAT,
            version=_version(),
            made=int(time.time()),
            files={name: _note(path) for name, path in sorted(sources.items())},
        )
        whole = staging / "whole.tar"
        _write_tar(whole, manifest, sources)
        try:
            os.link(whole, file)  # unlike a rename, it replaces nothing
        except FileExistsError:
            raise BackupExists(file) from None
    return manifest


def _collect(data: Path, staging: Path, tell: Tell) -> Iterator[tuple[str, Path]]:
    """What goes into the backup, by name; what changes while it is read is copied first."""
    if store_file(data).is_file():
        yield "arena.db", _copy_store(store_file(data), staging / "arena.db")
    if (raw := _chain_state(data / "chain", tell)) is not None:
        state = staging / "state.json"
        state.write_bytes(raw)
        yield _STATE, state
    for name in ("chain/host", "deployment.json", SPENT):
        if (data / name).is_file():
            yield name, data / name
    kept = ((_KEY, "keys/*/*"), (_EZKL, "ezkl/*/*"), (_EZKL, "ezkl/*.json"))
    for pattern, places in kept:
        for path in sorted(data.glob(places)):
            name = path.relative_to(data).as_posix()
            if re.fullmatch(pattern, name):
                yield name, path


def _copy_store(path: Path, copy: Path) -> Path:
    """SQLite's own copy of a file that may be written to meanwhile.  Raises BackupFailed."""
    # not read-only: what a killed server left in the write-ahead log has to be taken in
    source = sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True)
    target = sqlite3.connect(copy)
    try:
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")  # one file, no log beside it
        (verdict,) = target.execute("PRAGMA quick_check").fetchone()
    except sqlite3.Error as error:
        raise BackupFailed(f"{path} cannot be copied: {error}") from None
    finally:
        target.close()
        source.close()
    if verdict != "ok":
        raise BackupFailed(f"{path} is damaged: {' '.join(verdict.split())}")
    return copy


def _chain_state(folder: Path, tell: Tell) -> bytes | None:
    """The chain as its node tells it, else as its file does; None where there is no local one.

    Raises BackupFailed.
    """
    url, file = running_node(folder), folder / STATE
    if url is not None:
        try:
            return asyncio.run(_ask_state(url))
        except (ChainDown, RpcFault, ValueError, OSError, EOFError, TypeError):
            tell("the chain's node does not answer; taking what it wrote last")
    if (saved := saved_state(folder)) is not None:
        return saved.raw
    if file.exists():
        raise BackupFailed(f"{file} is damaged")
    if url is not None:
        raise BackupFailed("the chain's node does not answer, and it wrote nothing yet")
    return None


async def _ask_state(url: str) -> bytes:
    """What the node tells of the chain, asked again while it tells of two moments at once."""
    rpc = Rpc(url)
    try:
        for _ in range(_STATE_TRIES):
            answer = await rpc.ask("anvil_dumpState")
            raw = gzip.decompress(bytes.fromhex(answer.removeprefix("0x")))
            if is_whole(state := json.loads(raw)):
                return raw
            await asyncio.sleep(_STATE_PAUSE)
    finally:
        await rpc.close()
    if not isinstance(state, dict):
        raise ValueError("not a state")
    return raw


def _note(path: Path) -> FileNote:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return FileNote(size=file.tell(), sha256=digest)


def _write_tar(path: Path, manifest: Manifest, sources: dict[str, Path]) -> None:
    """Raises BackupFailed if a file changed since it was noted."""
    head = path.with_name(MANIFEST)
    head.write_text(manifest.model_dump_json(indent=1) + "\n", encoding="utf-8")
    with path.open("xb") as file:
        os.fchmod(file.fileno(), 0o600)
        with tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as tar:
            _add(tar, MANIFEST, head, head.stat().st_size)
            for name, note in manifest.files.items():
                _add(tar, name, sources[name], note.size)
        file.flush()
        os.fsync(file.fileno())


def _add(tar: tarfile.TarFile, name: str, path: Path, size: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = size, 0o600, int(path.stat().st_mtime)
    with path.open("rb") as source:
        if os.fstat(source.fileno()).st_size != size:
            raise BackupFailed(f"{path} changed while it was read; try again")
        tar.addfile(entry, source)


# --- in -----------------------------------------------------------------------------------------


def restore(file: Path, data: Path) -> Manifest:
    """Make the data folder `data` from a backup.

    Raises FolderNotEmpty, DataFolderBusy, NotABackup, and then nothing is there.
    """
    _check_free(data)
    with _reading(file) as archive:
        data.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{data.name}-", dir=data.parent))
        try:
            manifest = _unpack(file, archive, staging)
            _move(staging, data)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    return manifest


def _move(staging: Path, data: Path) -> None:
    try:
        staging.rename(data)  # onto nothing, or onto an empty folder
    except OSError:
        raise FolderNotEmpty(data) from None


def _check_free(data: Path) -> None:
    if not data.exists():
        return
    if held(data):
        raise DataFolderBusy(data.resolve())
    if not data.is_dir() or any(data.iterdir()):
        raise FolderNotEmpty(data)


@contextmanager
def _reading(file: Path) -> Iterator[BinaryIO]:
    """The open archive; whatever is wrong with it is NotABackup."""
    try:
        with file.open("rb") as archive:
            yield archive
    except (FileNotFoundError, IsADirectoryError):
        raise NotABackup(file, "there is no such file") from None
    except tarfile.TarError as error:
        raise NotABackup(file, f"not a tar as `checkproof backup` writes it ({error})") from None


def _next(file: Path, archive: BinaryIO) -> tarfile.TarInfo | None:
    """The next entry's header, None at the end; `archive` is then at its content.

    One block is read and taken for what it is: with none of tar's extensions there is nothing
    in an archive that could make memory grow, point elsewhere, or stand for more than it holds.
    """
    block = archive.read(_BLOCK)
    if block == bytes(_BLOCK):
        return None
    entry = tarfile.TarInfo.frombuf(block, "ascii", "surrogateescape")
    if entry.type != tarfile.REGTYPE:
        raise NotABackup(file, f"{entry.name[:100]!r} is no regular file")
    return entry


def _unpack(file: Path, archive: BinaryIO, into: Path) -> Manifest:
    manifest = _manifest(file, archive, shutil.disk_usage(into).free)
    missing = dict(manifest.files)
    while (entry := _next(file, archive)) is not None:
        note = missing.pop(entry.name, None)
        if note is None:
            raise NotABackup(file, f"{entry.name[:100]!r} is in it twice, or not in its manifest")
        if entry.size != note.size:
            raise NotABackup(file, f"{entry.name} is not of the size that its manifest tells")
        target = into / entry.name  # one of the names that _check_name allows
        target.parent.mkdir(parents=True, exist_ok=True)
        if _copy_out(archive, entry.size, target) != note.sha256:
            raise NotABackup(file, f"{entry.name} has another hash than its manifest tells")
    if missing:
        raise NotABackup(file, f"{min(missing)} is missing")
    return manifest


def _manifest(file: Path, archive: BinaryIO, free: int) -> Manifest:
    entry = _next(file, archive)
    if entry is None or entry.name != MANIFEST:
        raise NotABackup(file, f"it does not begin with {MANIFEST}")
    if not 0 <= entry.size <= MAX_MANIFEST:  # tar can tell negative sizes: read all, that means
        raise NotABackup(file, f"{MANIFEST} is too large")
    raw = archive.read(entry.size)
    archive.seek(-entry.size % _BLOCK, os.SEEK_CUR)
    try:
        manifest = Manifest.model_validate_json(raw)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part)[:100] for part in problem["loc"])
        raise NotABackup(file, f"{MANIFEST}: {where}: {problem['msg']}") from None
    if len(manifest.files) > MAX_FILES:
        raise NotABackup(file, f"{len(manifest.files)} files are too many")
    for name, note in manifest.files.items():
        _check_name(file, name, note.size)
    needed = sum(note.size for note in manifest.files.values())
    if needed > free:
        raise NotABackup(file, f"it needs {needed} bytes, and {free} are free")
    return manifest


def _check_name(file: Path, name: str, size: int) -> None:
    for pattern, largest in _LARGEST:
        if pattern.fullmatch(name):
            if size > largest:
                raise NotABackup(file, f"{name} is too large: {size} bytes")
            return
    raise NotABackup(file, f"{name[:100]!r} is nothing that a backup holds")


def _copy_out(archive: BinaryIO, size: int, target: Path) -> str:
    """Write the next `size` bytes, or what there is of them, to a file; their SHA-256."""
    digest, left = hashlib.sha256(), size
    with target.open("xb") as out:
        while left and (chunk := archive.read(min(left, _MIB))):
            digest.update(chunk)
            out.write(chunk)
            left -= len(chunk)
        out.flush()
        os.fsync(out.fileno())
    archive.seek(-size % _BLOCK, os.SEEK_CUR)
    return digest.hexdigest()


def _version() -> str:
    with suppress(PackageNotFoundError):
        return version("checkproof")
    return "0"
