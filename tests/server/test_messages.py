"""One parse, closed unions: what is no frame is a typed error."""

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server import messages as m
from server.errors import FrameError

HASH = "0x" + "ab" * 32
ADDRESS = "0x" + "cd" * 20
SIGNATURE = "0x" + "ef" * 65
OPEN = {
    "opener": ADDRESS,
    "white": HASH,
    "black": HASH,
    "start": "0x" + "00" * 32,
    "startContext": 0,
    "baseSeconds": 300,
    "incrementSeconds": 2,
    "delaySeconds": 0,
    "commitment": HASH,
    "seed": HASH,
    "expires": 1_900_000_000,
    "nonce": "115792089237316195423570985008687907853269984665640564039457584007913129639935",
}
FRAMES: dict[str, dict[str, Any]] = {
    "offer": {"bot": HASH},
    "open": {"open": OPEN, "signature": SIGNATURE},
    "move": {"ply": 0, "index": 1857, "signature": SIGNATURE},
    "resign": {"signature": SIGNATURE},
    "abort": {"signature": SIGNATURE},
    "draw": {"ply": 7, "signature": SIGNATURE},
    "timeout": {},
    "ping": {},
}


def parse(value: Any) -> m.ClientFrame:
    return m.parse_client_frame(json.dumps(value))


@pytest.mark.parametrize("kind", FRAMES)
def test_every_command_is_read(kind: str) -> None:
    frame = parse({"t": kind, "id": 7, "d": FRAMES[kind]})
    assert frame.t == kind
    assert frame.id == 7
    assert frame.d.model_dump(by_alias=True) == FRAMES[kind]
    assert m.parse_client_frame(json.dumps({"t": kind, "d": FRAMES[kind]}).encode()).id is None


def test_the_union_is_complete() -> None:
    assert {get_args(f.model_fields["t"].annotation)[0] for f in get_args(m.ClientFrame)} == set(
        FRAMES
    )


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "null",
        "[]",
        "7",
        '"move"',
        "{",
        '{"t": "ping"} {}',
        b"\xff\xfe",
        '{"d": {}}',
        '{"t": 7, "d": {}}',
        '{"t": "ping", "d": {}, "extra": 1}',
        '{"t": "ping", "d": {"extra": 1}}',
        '{"t": "ping", "d": []}',
        '{"t": "ping", "id": -1, "d": {}}',
        '{"t": "ping", "id": 1.5, "d": {}}',
        '{"t": "ping", "id": NaN, "d": {}}',
        '{"t": "move", "d": {}}',
        "[" * 5000,
        '{"t":' * 2000,
    ],
)
def test_what_is_no_frame_is_a_bad_frame(raw: str | bytes) -> None:
    with pytest.raises(FrameError) as caught:
        m.parse_client_frame(raw)
    assert caught.value.code == "bad_frame"


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("move", "ply", -1),
        ("move", "ply", 65536),
        ("move", "ply", "0"),
        ("move", "ply", True),
        ("move", "ply", 0.0),
        ("move", "index", None),
        ("move", "signature", SIGNATURE[:-2]),
        ("move", "signature", SIGNATURE + "00"),
        ("move", "signature", "0x" + "zz" * 65),
        ("move", "signature", SIGNATURE + "\n"),
        ("offer", "bot", HASH[2:]),
        ("resign", "signature", 5),
    ],
)
def test_a_field_out_of_bounds_is_named(kind: str, field: str, value: Any) -> None:
    with pytest.raises(FrameError, match=field) as caught:
        parse({"t": kind, "id": "mine", "d": {**FRAMES[kind], field: value}})
    assert caught.value.code == "bad_frame"
    assert caught.value.echo == "mine"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("nonce", 5),
        ("nonce", "05"),
        ("nonce", "-1"),
        ("nonce", "9" * 79),
        ("nonce", str(1 << 256)),
        ("expires", 1 << 53),
        ("baseSeconds", 1 << 32),
        ("opener", HASH),
        ("base_seconds", 300),
    ],
)
def test_an_opening_that_cannot_be_signed_is_a_bad_frame(field: str, value: Any) -> None:
    with pytest.raises(FrameError) as caught:
        parse({"t": "open", "d": {"open": {**OPEN, field: value}, "signature": SIGNATURE}})
    assert caught.value.code == "bad_frame"


def test_an_unknown_type_is_an_error_of_its_own() -> None:
    with pytest.raises(FrameError) as caught:
        parse({"t": "castle", "id": 3, "d": {}})
    assert (caught.value.code, caught.value.echo) == ("unknown_type", 3)


def test_a_frame_may_have_16_KiB_and_no_byte_more() -> None:
    start, end = '{"t": "ping", "d": {}', "}"
    room = m.MAX_FRAME_BYTES - len(start) - len(end)
    assert m.parse_client_frame(start + " " * room + end).t == "ping"
    for raw in (start + " " * (room + 1) + end, (start + " " * (room + 1) + end).encode()):
        with pytest.raises(FrameError):
            m.parse_client_frame(raw)
    with pytest.raises(FrameError):
        m.parse_client_frame('"' + "é" * (m.MAX_FRAME_BYTES // 2) + '"')


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200)))
def test_any_bytes_are_a_frame_or_a_typed_error(raw: bytes | str) -> None:
    with pytest.raises(FrameError):
        m.parse_client_frame(raw)


def test_server_frames_go_through_the_wire_unchanged() -> None:
    clocks = m.Clocks(white=3.5, black=4, running="white", at=17.25)
    event = m.ClockEvent(d=clocks, v=9)
    assert m.parse_server_frame(m.to_wire(event)) == event
    assert json.loads(m.to_wire(event)) == {
        "t": "clock",
        "d": {"white": 3.5, "black": 4.0, "running": "white", "at": 17.25},
        "v": 9,
    }
    error = m.error_reply(None, "bad_frame", "no")
    assert m.parse_server_frame(m.to_wire(error)) == error


def test_names_are_camel_case_on_the_wire() -> None:
    proof = m.ProofEvent(d=m.ProofData(ply=1, stage="queued", at=0, queue_position=2))
    assert json.loads(m.to_wire(proof))["d"] == {
        "ply": 1,
        "stage": "queued",
        "at": 0.0,
        "queuePosition": 2,
        "waitSeconds": None,
        "proveSeconds": None,
        "cpuSeconds": None,
        "proof": None,
    }


def test_the_schema_names_every_type() -> None:
    schema = m.schema()
    assert set(schema["client"]["discriminator"]["mapping"]) == set(FRAMES)
    assert set(schema["server"]["discriminator"]["mapping"]) == {
        "full", "move", "proof", "chain", "clock", "end", "correction", "waiting", "spectators",
        "offer", "opened", "ack", "pong", "error",
    }  # fmt: skip
