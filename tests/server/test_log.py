"""What is written in both forms, and what never is."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from server import log

GAME = "0x" + "3f" * 32
SIGNATURE = "0x" + "ab" * 65
KEY = "0x" + "5e" * 32


@pytest.fixture(autouse=True)
def _loggers_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in ("server", "proofs", "engine")}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


def lines(kind: log.Kind, level: str = "info", **hidden: str) -> io.StringIO:
    stream = io.StringIO()
    log.set_up(kind, level, hidden={v: k for k, v in hidden.items()}, stream=stream)
    return stream


def test_people_get_a_sentence() -> None:
    out = lines("text")
    log.logger("server.x").info("warming up at http://127.0.0.1:8000")
    log.logger("server.x").info("game begun", game=GAME, ply=0, tx=None)
    log.logger("server.x").warning("the chain does not answer")
    logging.getLogger("server.y").info("game %s: the arena is at %s", GAME, "0x" + "a1" * 20)
    assert out.getvalue().splitlines() == [
        "warming up at http://127.0.0.1:8000",
        "game begun (game 0x3f3f3f…, ply 0)",
        "warning: the chain does not answer",
        f"game 0x3f3f3f…: the arena is at 0x{'a1' * 20}",
    ]


def test_machines_get_an_object_a_line() -> None:
    out = lines("json")
    log.logger("server.x").info("game begun", game=GAME, ply=0)
    logging.getLogger("server.y").warning("two\nlines of %s", "old", extra={"ply": 3})
    first, second = map(json.loads, out.getvalue().splitlines())
    assert {k: first[k] for k in ("event", "level", "game", "ply")} == {
        "event": "game begun",
        "level": "info",
        "game": GAME,
        "ply": 0,
    }
    assert first["time"].endswith("Z")
    assert list(first)[:3] == ["time", "level", "event"]
    assert (second["event"], second["level"], second["ply"]) == ("two\nlines of old", "warning", 3)


@pytest.mark.parametrize("kind", ["text", "json"])
def test_no_key_no_address_with_a_password_no_signature_is_written(kind: log.Kind) -> None:
    rpc = "https://node.example/v3/hunter2"
    out = lines(kind, instead=rpc, the_key=KEY)
    log.logger("server.x").info("begun", signature=SIGNATURE, why=f"no answer from {rpc}", key=KEY)
    logging.getLogger("server.y").error("game %s: %r failed", GAME, {"proof": b"\x01'\x02" * 90})
    try:
        raise ValueError(f"{SIGNATURE} and {KEY} at {rpc}")
    except ValueError:
        logging.getLogger("proofs.z").exception("it failed")
    written = out.getvalue()
    assert "hunter2" not in written
    assert KEY not in written
    assert SIGNATURE not in written
    assert r"\x01" not in written
    assert "ValueError" in written
    assert "instead" in written


def test_the_level_holds_for_us_and_warnings_for_others() -> None:
    out = lines("text", "debug")
    log.logger("server.x").debug("ours")
    logging.getLogger("aiohttp.access").info("theirs")
    out_quiet = lines("text", "error")
    log.logger("server.x").warning("ours")
    logging.getLogger("proofs.x").warning("ours too")
    assert out.getvalue() == "ours\n"
    assert out_quiet.getvalue() == ""
