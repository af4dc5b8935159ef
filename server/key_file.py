"""Files of players' keys: as the bridge writes them, or as the page exports them.

SECRET                                 64 hex digits, with 0x or without
checkproof-key:1:SECRET:CHECK[:GAME]   a line of web/js/keys.js, which draws it
"""

import re
from pathlib import Path
from typing import Final

from coincurve import PrivateKey
from eth_utils.crypto import keccak

from server.errors import BadKeyFile

_PLAIN: Final = re.compile(r"(?:0x)?([0-9a-fA-F]{64})")
_LINE: Final = re.compile(r"(checkproof-key:1):([0-9a-f]{64}):([0-9a-f]{8})(?::([0-9a-f]{64}))?")


def read_keys(file: Path) -> list[PrivateKey]:
    """The keys of a file, one a line.  Raises BadKeyFile, FileNotFoundError."""
    try:
        lines = file.read_text(encoding="ascii").split()
    except FileNotFoundError:
        raise
    except (OSError, UnicodeDecodeError) as error:
        raise BadKeyFile(file, str(error)) from None
    if not lines:
        raise BadKeyFile(file, "it is empty")
    return [_key(file, line) for line in lines]


def _key(file: Path, line: str) -> PrivateKey:
    if plain := _PLAIN.fullmatch(line):
        secret = plain[1]
    elif (said := _LINE.fullmatch(line)) is None:
        raise BadKeyFile(file, "it is to hold 32 bytes in hex, or what the page exports")
    else:
        secret = said[2]
        checked = keccak(f"{said[1]}:{secret}:{said[4] or ''}".encode())[:4]
        if checked.hex() != said[3]:
            raise BadKeyFile(file, "a line was mistyped or cut off")
    try:
        return PrivateKey(bytes.fromhex(secret))
    except ValueError:
        raise BadKeyFile(file, "the number in it is no private key") from None
