"""The commands `checkproof backup` and `checkproof restore`."""

from collections.abc import Callable
from pathlib import Path

from server.backup import Manifest, back_up, restore
from server.cli_out import print_json


def run_backup(data: Path, file: Path, *, as_json: bool, say: Callable[[str], None]) -> None:
    """Write a backup and say what is in it.  Raises BackupError."""
    _tell("backed up", back_up(data, file, say), file, as_json=as_json)


def run_restore(file: Path, data: Path, *, as_json: bool) -> None:
    """Make a data folder from a backup.  Raises BackupError, DataFolderBusy."""
    _tell("restored", restore(file, data), data, as_json=as_json)


def _tell(done: str, manifest: Manifest, where: Path, *, as_json: bool) -> None:
    size = sum(note.size for note in manifest.files.values())
    if as_json:
        print_json(
            {"path": str(where), "made": manifest.made, "size": size, "files": len(manifest.files)}
        )
    else:
        print(f"{done}: {where}, {len(manifest.files)} files, {size / 2**20:.1f} MiB")
