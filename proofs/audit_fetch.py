"""What a bot was made of, fetched from a server that is not to be believed.

    SERVER/keys/KEY              names an ONNX bot's files by their SHA-256
    SERVER/files/SHA256          each of them
    SERVER/keys/KEY/verifying    a house bot's verifying key, whose SHA-256 is KEY
    SERVER/keys/KEY/proving      and the key that proves under it, or else proves nothing

Whatever comes is kept only under the hash that it has.  So a server can withhold a file, but not
pass another off: the net's hash is registered, and of the setup only the registered key comes.
"""

import hashlib
import json
import os
import re
import time
import urllib.request
from http.client import HTTPException
from io import BytesIO
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryFile
from typing import Any, Final

from proofs.errors import FileNotFetched, shown_url

SECONDS: Final = 30.0
"""How long a server may say nothing."""
LONGEST_SECONDS: Final = 1800.0
"""How long it may take for one file."""
LARGEST_BYTES: Final = 128 << 20
"""A setup for 2^17 rows, the largest circuits, has 17 MB."""
_LARGEST_JSON: Final = 1 << 20
_CHUNK: Final = 1 << 16
_HASH: Final = re.compile(r"[0-9a-f]{64}")


class FileServer:
    """The files of one server, kept below `folder`."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url = url.rstrip("/")
        self._folder = folder

    def files_of(self, key_hash: str) -> tuple[Path, Path]:
        """The net and the setup behind a verifying key.  Raises FileNotFetched."""
        answer = self._json(f"/keys/{key_hash}")
        try:
            names = [str(answer["files"][name]["sha256"]) for name in ("net.onnx", "srs")]
        except (KeyError, TypeError) as error:
            raise FileNotFetched(shown_url(self._url), "it names no files of this key") from error
        net, setup = map(self.fetch, names)
        return net, setup

    def keys_of(self, key_hash: str, proving: Path) -> bytes:
        """A house bot's verifying key; its proving key is written to `proving`.

        Raises FileNotFetched.
        """
        with TemporaryFile() as file:
            if self._copy(f"/keys/{key_hash}/verifying", file) != key_hash:
                raise FileNotFetched(shown_url(self._url), f"it sent another key than {key_hash}")
            file.seek(0)
            verifying = file.read()
        with proving.open("wb") as file:
            self._copy(f"/keys/{key_hash}/proving", file)
        return verifying

    def fetch(self, sha256: str) -> Path:
        """A file by its hash.  Raises FileNotFetched."""
        if not _HASH.fullmatch(sha256):
            raise FileNotFetched(shown_url(self._url), "what it names is no hash")
        kept = self._folder / sha256
        if kept.is_file():
            return kept
        self._folder.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=self._folder, prefix=".", delete=False) as partial:
            try:
                found = self._copy(f"/files/{sha256}", partial)
                if found != sha256:
                    why = f"what it sent for {sha256} has another hash"
                    raise FileNotFetched(shown_url(self._url), why)
                os.replace(partial.name, kept)
            finally:
                Path(partial.name).unlink(missing_ok=True)
        return kept

    def _copy(self, path: str, file: Any, largest: int | None = None) -> str:
        """Write what is at a path; its hash."""
        digest, size, end = hashlib.sha256(), 0, time.monotonic() + LONGEST_SECONDS
        largest = LARGEST_BYTES if largest is None else largest
        try:
            with urllib.request.urlopen(self._url + path, timeout=SECONDS) as answer:
                while chunk := answer.read1(_CHUNK):
                    size += len(chunk)
                    if time.monotonic() > end:
                        raise FileNotFetched(shown_url(self._url), f"{path} takes too long")
                    if size > largest:
                        raise FileNotFetched(shown_url(self._url), f"{path} is too large")
                    digest.update(chunk)
                    file.write(chunk)
            file.flush()
        except (OSError, ValueError, HTTPException) as error:
            raise FileNotFetched(shown_url(self._url), f"{path}: {_line(error)}") from error
        return digest.hexdigest()

    def _json(self, path: str) -> Any:
        text = BytesIO()
        self._copy(path, text, _LARGEST_JSON)
        try:
            return json.loads(text.getvalue())
        except (ValueError, RecursionError) as error:
            raise FileNotFetched(shown_url(self._url), f"{path}: {_line(error)}") from error


def _line(error: Exception) -> str:
    """What went wrong, fit for a terminal: part of it may be the server's own words."""
    return ascii(str(error)[:200])[1:-1]
