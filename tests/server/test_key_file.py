"""Files of players' keys, as the bridge writes them and as the page exports them."""

from pathlib import Path

import pytest
from eth_utils.crypto import keccak

from server.errors import BadKeyFile
from server.key_file import read_keys

SECRET = "11" * 32
GAME = "ab" * 32


def line(secret: str = SECRET, game: str = "") -> str:
    check = keccak(f"checkproof-key:1:{secret}:{game}".encode())[:4].hex()
    return ":".join(["checkproof-key:1", secret, check, *([game] if game else [])])


def read(folder: Path, text: str) -> list[str]:
    (folder / "key").write_text(text)
    return [key.secret.hex() for key in read_keys(folder / "key")]


@pytest.mark.parametrize("text", [SECRET, f"0x{SECRET}\n", line(), line(game=GAME)])
def test_each_form_is_read(text: str, tmp_path: Path) -> None:
    assert read(tmp_path, text) == [SECRET]


def test_an_export_holds_several(tmp_path: Path) -> None:
    assert read(tmp_path, f"{line()}\n\n{line('22' * 32, GAME)}\n") == [SECRET, "22" * 32]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        (SECRET[:-1], "hex"),
        (line().replace("11", "12", 1), "mistyped"),
        (line(game=GAME)[:-65], "mistyped"),
        ("00" * 32, "no private key"),
        ("ff" * 32, "no private key"),
        ("é", "ascii"),
    ],
)
def test_what_is_no_key_is_refused_and_never_shown(text: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(BadKeyFile, match=why) as refused:
        read(tmp_path, text)
    assert SECRET not in str(refused.value)
