"""Backups: what is in them, what comes back out of them, and what hostile ones do: nothing."""

import fcntl
import gzip
import hashlib
import io
import json
import shutil
import sqlite3
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from server import backup
from server.backup import back_up, restore
from server.errors import BackupExists, BackupFailed, DataFolderBusy, FolderNotEmpty, NotABackup
from server.store import Store, store_file
from tests.proofs.test_node_state import state_of, torn

KEY = "keys/" + "ab" * 32
BOT = "ezkl/" + "ab" * 8
STATE = b'{"blocks": []}'


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with a bit of everything, and what is no part of a backup."""
    folder = tmp_path / "data"
    store = Store.open(store_file(folder))
    store.note("hello", "world")
    store.close()
    for name, content in {
        "chain/state.json": STATE,
        "chain/host": b"127.9.9.9\n",
        "chain/node.log": b"noise",
        "deployment.json": b"{}",
        "spent.json": b'{"day": "2026-01-01", "gas": 1}',
        "checkproof.toml": b'key = "hunter2"',
        "lock": b"",
        f"{KEY}/proving_key.bin": b"p" * 5000,
        f"{KEY}/record.json": b"{}",
        f"{KEY}/verifying_key.bin": b"v",
        f"{KEY}/verifying_key.json": b"{}",
        "ezkl/bots.json": b"[]",
        "ezkl/srs/dev-14.srs": b"setup",
        "ezkl/srs/chosen.json": b"{}",
        f"{BOT}/pk": b"pk",
        f"{BOT}/manifest.json": b"{}",
        f"{BOT}/net.onnx": b"net",
        f"{BOT}/srs": b"../srs/dev-14.srs",
        "ezkl/srs/lock": b"",
        "ezkl/.making-half/pk": b"half made",
        "keys/new-half/proving_key.bin": b"half made",
        "keys/lock": b"",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def file(data: Path, tmp_path: Path) -> Path:
    back_up(data, tmp_path / "backup.tar", lambda _line: None)
    return tmp_path / "backup.tar"


def test_what_is_restored_is_what_was_there(data: Path, file: Path, tmp_path: Path) -> None:
    there = tmp_path / "deep" / "there"
    manifest = restore(file, there)
    found = {p.relative_to(there).as_posix() for p in there.rglob("*") if p.is_file()}
    assert found == set(manifest.files)
    assert found == {
        "arena.db", "chain/state.json", "chain/host", "deployment.json", "spent.json",
        f"{KEY}/proving_key.bin", f"{KEY}/record.json",
        f"{KEY}/verifying_key.bin", f"{KEY}/verifying_key.json",
        "ezkl/bots.json", "ezkl/srs/dev-14.srs", "ezkl/srs/chosen.json",
        f"{BOT}/pk", f"{BOT}/manifest.json", f"{BOT}/net.onnx", f"{BOT}/srs",
    }  # fmt: skip
    for name in found - {"arena.db"}:
        assert (there / name).read_bytes() == (data / name).read_bytes()
    store = Store.open(store_file(there))
    assert store.noted("hello") == "world"
    store.close()


def test_it_is_for_its_owner_alone_and_any_tar_can_read_it(file: Path) -> None:
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with tarfile.open(file) as tar:
        assert tar.getnames()[0] == "manifest.json"
        assert b"hunter2" not in file.read_bytes()


def test_nothing_is_written_over(data: Path, file: Path, tmp_path: Path) -> None:
    before = file.read_bytes()
    with pytest.raises(BackupExists):
        back_up(data, file, lambda _line: None)
    assert file.read_bytes() == before
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("mine")
    with pytest.raises(FolderNotEmpty):
        restore(file, tmp_path / "full")
    assert (tmp_path / "full" / "mine").read_text() == "mine"
    (tmp_path / "empty").mkdir()
    restore(file, tmp_path / "empty")


def test_a_folder_that_is_served_is_left_alone(file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "held"
    folder.mkdir()
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(DataFolderBusy):
            restore(file, folder)


def test_a_store_in_use_is_copied_whole(data: Path, tmp_path: Path) -> None:
    """Also what is only in its write-ahead log yet."""
    store = Store.open(store_file(data))
    store.note("hello", "again")
    assert store_file(data).with_name("arena.db-wal").stat().st_size > 0
    back_up(data, tmp_path / "b.tar", lambda _line: None)
    store.close()
    restore(tmp_path / "b.tar", tmp_path / "there")
    copy = Store.open(store_file(tmp_path / "there"))
    assert copy.noted("hello") == "again"
    copy.close()


def test_what_a_killed_server_left_is_copied_whole(data: Path, tmp_path: Path) -> None:
    store, killed = Store.open(store_file(data)), tmp_path / "killed"
    store.note("hello", "last words")
    shutil.copytree(data, killed)
    (killed / "arena.db-shm").unlink()
    store.close()
    back_up(killed, tmp_path / "b.tar", lambda _line: None)
    restore(tmp_path / "b.tar", tmp_path / "there")
    copy = Store.open(store_file(tmp_path / "there"))
    assert copy.noted("hello") == "last words"
    copy.close()


def test_a_damaged_folder_makes_no_backup(data: Path, tmp_path: Path) -> None:
    (data / "arena.db").write_bytes(b"no database" * 1000)
    with pytest.raises(BackupFailed, match=r"arena\.db"):
        back_up(data, tmp_path / "b.tar", lambda _line: None)
    (data / "arena.db").unlink()
    (data / "chain" / "state.json").write_bytes(b'{"half')
    with pytest.raises(BackupFailed, match=r"state\.json is damaged"):
        back_up(data, tmp_path / "b.tar", lambda _line: None)
    with pytest.raises(BackupFailed, match="no data folder"):
        back_up(tmp_path / "nothing", tmp_path / "b.tar", lambda _line: None)
    assert [p.name for p in tmp_path.iterdir()] == ["data"]


def test_a_store_with_damaged_pages_makes_no_backup(data: Path, tmp_path: Path) -> None:
    """Its head is sound, and it can be copied."""
    with store_file(data).open("r+b") as file:
        file.seek(8 * 4096 + 1)
        file.write(b"\x0f\xf0")  # free space where there is none
    with pytest.raises(BackupFailed, match=r"arena\.db is damaged: .*corruption"):
        back_up(data, tmp_path / "b.tar", lambda _line: None)
    assert not (tmp_path / "b.tar").exists()


def test_a_node_that_is_gone_is_told_of(data: Path, tmp_path: Path) -> None:
    note = {"rpcUrl": "http://127.0.0.1:1", "pid": 1}
    (data / "chain" / "node.json").write_text(json.dumps(note))
    told: list[str] = []
    back_up(data, tmp_path / "b.tar", told.append)
    assert told == ["the chain's node does not answer; taking what it wrote last"]
    (data / "chain" / "state.json").unlink()
    with pytest.raises(BackupFailed, match="wrote nothing yet"):
        back_up(data, tmp_path / "c.tar", told.append)


def test_a_state_of_two_moments_is_asked_for_again(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = {"rpcUrl": "http://127.0.0.1:1", "pid": 1}
    (data / "chain" / "node.json").write_text(json.dumps(note))
    told = [torn(state_of(3)), state_of(4)]

    class Node:
        def __init__(self, url: str) -> None: ...

        async def ask(self, _method: str) -> str:
            return "0x" + gzip.compress(json.dumps(told.pop(0)).encode()).hex()

        async def close(self) -> None: ...

    monkeypatch.setattr(backup, "Rpc", Node)
    monkeypatch.setattr(backup, "_STATE_PAUSE", 0)
    back_up(data, tmp_path / "b.tar", lambda _line: None)
    restore(tmp_path / "b.tar", tmp_path / "there")
    assert json.loads((tmp_path / "there/chain/state.json").read_bytes()) == state_of(4)


def test_the_latest_whole_state_is_taken_where_no_node_runs(data: Path, tmp_path: Path) -> None:
    (data / "chain" / "state.json").write_text(json.dumps(torn(state_of(3))))
    (data / "chain" / "state.1.json").write_text(json.dumps(state_of(2)))
    back_up(data, tmp_path / "b.tar", lambda _line: None)
    restore(tmp_path / "b.tar", tmp_path / "there")
    assert json.loads((tmp_path / "there/chain/state.json").read_bytes()) == state_of(2)


# --- hostile ------------------------------------------------------------------------------------


class Archive:
    """An archive that anybody could make."""

    def __init__(self) -> None:
        self.entries: list[tuple[tarfile.TarInfo, bytes]] = []
        self.files: dict[str, dict[str, Any]] = {}
        self.manifest: dict[str, Any] = {
            "format": backup.FORMAT, "version": "0", "made": 1, "files": self.files,
        }  # fmt: skip

    def add(self, name: str, content: bytes, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
        """An entry, and its note in the manifest."""
        self.files[name] = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        return self.put(name, content, kind)

    def put(self, name: str, content: bytes, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
        entry = tarfile.TarInfo(name)
        entry.size, entry.type = len(content), kind
        self.entries.append((entry, content))
        return entry

    def write(self, path: Path, *, manifest: bytes | None = None) -> Path:
        raw = json.dumps(self.manifest).encode() if manifest is None else manifest
        head = tarfile.TarInfo("manifest.json")
        head.size = len(raw)
        with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
            tar.addfile(head, io.BytesIO(raw))
            for entry, content in self.entries:
                tar.addfile(entry, io.BytesIO(content))
        return path


def escapes(archive: Archive) -> None:
    archive.add("../escaped", b"x")


def escapes_within(archive: Archive) -> None:
    archive.add("keys/../../escaped", b"x")


def is_absolute(archive: Archive) -> None:
    archive.add("/tmp/checkproof-escaped", b"x")


def has_another_name(archive: Archive) -> None:
    archive.add("checkproof.toml", b"rpc = 'http://evil'")


def has_a_link(archive: Archive) -> None:
    archive.add("deployment.json", b"", tarfile.SYMTYPE).linkname = "/etc/passwd"


def has_a_hard_link(archive: Archive) -> None:
    archive.add("deployment.json", b"", tarfile.LNKTYPE).linkname = "manifest.json"


def has_a_folder(archive: Archive) -> None:
    archive.add("chain/host", b"", tarfile.DIRTYPE)


def has_a_device(archive: Archive) -> None:
    archive.add("chain/host", b"", tarfile.CHRTYPE)


def has_a_sparse_file(archive: Archive) -> None:
    archive.add("arena.db", b"x", tarfile.GNUTYPE_SPARSE)


def has_a_long_name(archive: Archive) -> None:
    archive.put("././@LongLink", b"a" * 5000, tarfile.GNUTYPE_LONGNAME)


def has_a_file_twice(archive: Archive) -> None:
    archive.add("deployment.json", b"{}")
    archive.put("deployment.json", b"{}")


def has_too_much(archive: Archive) -> None:
    archive.put("deployment.json", b"{}")


def has_too_little(archive: Archive) -> None:
    archive.add("deployment.json", b"{}")
    archive.entries.clear()


def was_changed(archive: Archive) -> None:
    archive.add("deployment.json", b"{}")
    archive.entries[0] = archive.entries[0][0], b"[]"


def tells_another_size(archive: Archive) -> None:
    archive.add("deployment.json", b"{}")
    archive.files["deployment.json"]["size"] = 3


def tells_a_huge_size(archive: Archive) -> None:
    archive.add("deployment.json", b"{}")
    archive.files["deployment.json"]["size"] = 1 << 40


def needs_more_than_the_disk_has(archive: Archive) -> None:
    archive.add("arena.db", b"x")
    archive.files["arena.db"]["size"] = 60 << 30


def has_too_many_files(archive: Archive) -> None:
    archive.files |= {
        f"keys/{n:064x}/record.json": {"size": 0, "sha256": "0" * 64} for n in range(4001)
    }


def has_another_format(archive: Archive) -> None:
    archive.manifest["format"] = "checkproof-backup/2"


def has_a_negative_size(archive: Archive) -> None:
    archive.files["arena.db"] = {"size": -1, "sha256": "0" * 64}


HOSTILE: list[tuple[Callable[[Archive], None], str]] = [
    (escapes, "nothing that a backup holds"),
    (escapes_within, "nothing that a backup holds"),
    (is_absolute, "nothing that a backup holds"),
    (has_another_name, "nothing that a backup holds"),
    (has_a_link, "no regular file"),
    (has_a_hard_link, "no regular file"),
    (has_a_folder, "no regular file"),
    (has_a_device, "no regular file"),
    (has_a_sparse_file, "no regular file"),
    (has_a_long_name, "no regular file"),
    (has_a_file_twice, "twice"),
    (has_too_much, "not in its manifest"),
    (has_too_little, "missing"),
    (was_changed, "another hash"),
    (tells_another_size, "not of the size"),
    (tells_a_huge_size, "too large"),
    (needs_more_than_the_disk_has, "are free"),
    (has_too_many_files, "too many"),
    (has_another_format, "format"),
    (has_a_negative_size, r"files\.arena\.db\.size"),
]


@pytest.mark.parametrize(
    ("make", "says"), HOSTILE, ids=lambda value: getattr(value, "__name__", "")
)
def test_restore_failsIfTheArchive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Archive], None], says: str
) -> None:
    free = SimpleNamespace(free=1 << 35)
    monkeypatch.setattr("shutil.disk_usage", lambda _path: free)
    archive = Archive()
    make(archive)
    file = archive.write(tmp_path / "hostile.tar")
    with pytest.raises(NotABackup, match=says) as caught:
        restore(file, tmp_path / "deep" / "there")
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "deep").iterdir()) == []
    assert not (tmp_path / "escaped").exists()


def test_restore_failsIfTheManifestIsTooLarge(tmp_path: Path) -> None:
    padded = json.dumps(Archive().manifest).encode() + b" " * backup.MAX_MANIFEST
    file = Archive().write(tmp_path / "b.tar", manifest=padded)
    with pytest.raises(NotABackup, match=r"manifest\.json is too large"):
        restore(file, tmp_path / "there")


def test_restore_readsNothingIfTheManifestHasANegativeSize(tmp_path: Path) -> None:
    file = Archive().write(tmp_path / "b.tar")
    head = tarfile.TarInfo("manifest.json")
    head.size = -1  # a plain number less than zero would read all that is left
    raw = bytearray(file.read_bytes())
    raw[:512] = head.tobuf(tarfile.GNU_FORMAT)
    file.write_bytes(raw)
    with pytest.raises(NotABackup, match=r"manifest\.json is too large"):
        restore(file, tmp_path / "there")


@pytest.mark.parametrize("manifest", [b"", b"[]", b"{", b"\xff", b'{"format": 7}'])
def test_restore_failsIfTheManifestIsNone(tmp_path: Path, manifest: bytes) -> None:
    file = Archive().write(tmp_path / "b.tar", manifest=manifest)
    with pytest.raises(NotABackup):
        restore(file, tmp_path / "there")


def test_restore_failsIfItIsCutAnywhere(file: Path, tmp_path: Path) -> None:
    whole = file.read_bytes().rstrip(b"\0")
    for size in range(0, len(whole) + 1, 997):
        (tmp_path / "cut.tar").write_bytes(whole[:size])
        with pytest.raises(NotABackup):
            restore(tmp_path / "cut.tar", tmp_path / "there")
        assert not (tmp_path / "there").exists()


def test_restore_failsIfAnyByteOfAFileIsFlipped(file: Path, tmp_path: Path) -> None:
    raw = bytearray(file.read_bytes())
    raw[raw.index(STATE)] ^= 1
    file.write_bytes(raw)
    with pytest.raises(NotABackup, match=r"chain/state\.json has another hash"):
        restore(file, tmp_path / "there")


def test_restore_takesNothingPacked(file: Path, tmp_path: Path) -> None:
    """What is packed could become anything."""
    with tarfile.open(tmp_path / "packed.tar.gz", "w:gz") as tar:
        tar.add(file, "manifest.json")
    with pytest.raises(NotABackup):
        restore(tmp_path / "packed.tar.gz", tmp_path / "there")


def test_a_restored_store_is_an_ordinary_file(file: Path, tmp_path: Path) -> None:
    restore(file, tmp_path / "there")
    with sqlite3.connect(tmp_path / "there" / "arena.db") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    connection.close()
