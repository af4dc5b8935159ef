"""A bot's folder as others than its maker see it: whole and unchanged, or not to be used."""

from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path

from proofs.errors import EzklFailed, ProofError
from proofs.ezkl_build import FINISHED, Manifest, srs_path
from proofs.srs_store import file_hash


def ezkl_version() -> str | None:
    """The installed version of ezkl, None if there is none."""
    try:
        return version("ezkl")
    except PackageNotFoundError:
        return None


def shipped_net(name: str) -> Path:
    """The file of an ONNX net that comes with the package."""
    return Path(str(files("engine") / "nets" / f"{name}.onnx"))


def check_folder(folder: Path) -> Manifest:
    """The manifest of a bot's folder all of whose files, and whose setup, are as it says.

    Raises EzklFailed, OSError.
    """
    try:
        return _checked(folder)
    except (ValueError, TypeError, AttributeError) as error:  # no text, or of other types
        raise EzklFailed("use a bot's files", f"{folder} is damaged: {error}") from error


def _checked(folder: Path) -> Manifest:
    manifest, here = Manifest.read(folder), ezkl_version()
    if manifest.ezkl != here:
        raise EzklFailed("use a bot's files", f"{folder} is of ezkl {manifest.ezkl}, not {here}")
    for name, expected in manifest.files.items():
        if file_hash(folder / name) != expected:
            raise EzklFailed("use a bot's files", f"{folder / name} was changed")
    if file_hash(srs_path(folder)) != manifest.srs_hash:
        raise EzklFailed("use a bot's files", f"{srs_path(folder)} is not the setup it was made by")
    return manifest


def made_folders(store: Path) -> list[tuple[Path, Manifest]]:
    """All whole folders of a store, the latest last; nothing is said of others."""
    found = []
    manifests = store.glob(f"{FINISHED}/manifest.json")
    for path in sorted(manifests, key=lambda path: path.stat().st_mtime):
        try:
            found.append((path.parent, check_folder(path.parent)))
        except (ProofError, OSError):
            continue  # whoever wants it is told when it is looked after
    return found
