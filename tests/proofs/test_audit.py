"""Audits of games with real proofs, untouched and with one thing altered."""

import copy
import json
import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from eth_abi.abi import encode

from engine.net import house_net
from proofs.abi import load_artifact
from proofs.audit import audit
from proofs.audit_bots import CircuitOf, circuits_of_nets
from proofs.audit_report import Report
from proofs.errors import NoSuchGame, NotAGameFile
from proofs.game_file import GameRecord, collect, collect_with_state, dump, find_game, load, parse
from proofs.prove import Prover
from proofs.records import OnChainGame
from proofs.statement import STATEMENT_ID
from tests.proofs.chain_scene import Scene, opening, scene
from tests.proofs.real_game import resigned_game

GROUP_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
UNBOUND = {"block", "tx", "logIndex", "time", "gas"}
"""What only the chain itself can vouch for."""


@pytest.fixture(scope="module")
def real(prover: Prover, tmp_path_factory: pytest.TempPathFactory) -> GameRecord:
    return resigned_game(tmp_path_factory.mktemp("real"), prover, "e4 d4 Nf3")


@pytest.fixture(scope="module")
def circuit_of() -> CircuitOf:
    return circuits_of_nets()


@pytest_asyncio.fixture
async def arena(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path) as built:
        yield built


def test_realGame_isVerified(real: GameRecord, circuit_of: CircuitOf) -> None:
    report = audit(real, circuit_of=circuit_of)
    assert (report.exit_code, report.verdict) == (0, "verified")
    assert (report.status, report.result) == ("resignation", "0-1")
    assert [row.by for row in report.rows] == ["player", "bot"] * 3
    for row in report.rows:
        proof = "proof" if row.by == "bot" else "signature"
        assert {"turn", "legal", proof, "board", "context", "history"} <= set(row.checks)
        assert set(row.checks.values()) == {"ok"}
        assert row.gas is not None
    assert report.rows[0].san == "e4"
    assert report.black.setup == "DEV SETUP: whoever ran it can forge"
    assert report.black.circuit == "ok"
    json.dumps(report.as_json())


def test_savedFile_readsBackTheSame(real: GameRecord, tmp_path: Path) -> None:
    path = tmp_path / "game.json"
    path.write_text(dump(real))
    assert load(path) == real


def test_everyAlteredField_isNamed(real: GameRecord, circuit_of: CircuitOf) -> None:
    """Each field of the file, altered by one digit, one unit or one letter, fails the audit."""
    text, missed, seen = dump(real), [], 0
    for path, altered in alterations(json.loads(text)):
        seen += 1
        report = audit(parse(json.dumps(altered)), circuit_of=circuit_of)
        if report.exit_code != 3 or not report.failures:
            missed.append(path)
    assert missed == []
    assert seen > 150


def test_everyProofByte_matters(real: GameRecord, circuit_of: CircuitOf) -> None:
    place = next(n for n, event in enumerate(real.events) if event.name == "BotMoved")
    proof = bytes.fromhex(real.events[place].args["proof"][2:])
    for k in range(0, 256, 3):
        flipped = proof[:k] + bytes([proof[k] ^ 1 << k % 8]) + proof[k + 1 :]
        report = audit(altered_args(real, place, proof="0x" + flipped.hex()), circuit_of=circuit_of)
        assert report.exit_code == 3
        assert (report.failures[0].ply, report.failures[0].check) == (1, "proof")


def test_anyAlteredByte_isNoticed(real: GameRecord, circuit_of: CircuitOf) -> None:
    """Bytes anywhere in the file, replaced by others: never a pass, and never a crash."""
    rng, text = random.Random(7), dump(real)
    for _ in range(400):
        place = rng.randrange(len(text))
        altered = text[:place] + rng.choice('0123456789abcdef"{}[]:,-. zA\\') + text[place + 1 :]
        try:
            record = parse(altered)
        except NotAGameFile:
            continue
        if bound(record) != bound(real):
            assert audit(record, circuit_of=circuit_of).exit_code == 3, text[place - 40 : place + 9]


def bound(record: GameRecord) -> tuple[Any, ...]:
    """What the record holds, without what only the chain itself can vouch for."""
    events = [(event.name, event.args) for event in record.events]
    return record.chain_id, record.arena, record.game, events


@pytest.mark.parametrize(
    ("field", "found"),
    [
        (("BotRegistered", "netHash"), (None, "bot record")),
        (("BotRegistered", "metadata"), (None, "bot record")),
        (("BotRegistered", "verifyingKey"), (None, "key")),
        (("GameOpened", "signature"), (None, "opening")),
        (("GameOpened", "secret"), (None, "secret")),
        (("PlayerMoved", "index"), (0, "legal")),
        (("PlayerMoved", "signature"), (0, "signature")),
        (("PlayerMoved", "board"), (0, "board")),
        (("PlayerMoved", "context"), (0, "context")),
        (("PlayerMoved", "history"), (0, "history")),
        (("PlayerMoved", "ply"), (0, "turn")),
        (("BotMoved", "proof"), (1, "proof")),
        (("BotMoved", "payee"), (1, "proof")),
        (("GameEnded", "result"), (6, "result")),
        (("GameEnded", "evidence"), (6, "signature")),
    ],
)
def test_alteredField_namesPlyAndCheck(
    real: GameRecord,
    circuit_of: CircuitOf,
    field: tuple[str, str],
    found: tuple[int | None, str],
) -> None:
    event, name = field
    place = next(n for n, log in enumerate(real.events) if log.name == event)
    value = next(iter(variants(real.events[place].args[name])))
    report = audit(altered_args(real, place, **{name: value}), circuit_of=circuit_of)
    assert found in [(failure.ply, failure.check) for failure in report.failures]
    assert report.exit_code == 3


def test_highS_isRefused(real: GameRecord, circuit_of: CircuitOf) -> None:
    place = next(n for n, log in enumerate(real.events) if log.name == "PlayerMoved")
    raw = bytes.fromhex(real.events[place].args["signature"][2:])
    s = GROUP_ORDER - int.from_bytes(raw[32:64], "big")
    twin = raw[:32] + s.to_bytes(32, "big") + bytes([raw[64] ^ 7])
    report = audit(altered_args(real, place, signature="0x" + twin.hex()), circuit_of=circuit_of)
    assert [(f.ply, f.check) for f in report.failures] == [(0, "signature")]
    assert "upper half" in report.failures[0].what


def test_proofOfAnotherPly_isRefused(real: GameRecord, circuit_of: CircuitOf) -> None:
    first, second = [n for n, log in enumerate(real.events) if log.name == "BotMoved"][:2]
    swapped = altered_args(real, second, proof=real.events[first].args["proof"])
    report = audit(swapped, circuit_of=circuit_of)
    assert [(f.ply, f.check) for f in report.failures] == [(3, "proof")]


@pytest.mark.parametrize("dropped", [1, 2, 3, 4, 5])
def test_missingEvent_isNoticed(real: GameRecord, circuit_of: CircuitOf, dropped: int) -> None:
    rest = tuple(e for n, e in enumerate(real.events) if n != dropped)
    assert audit(replace(real, events=rest), circuit_of=circuit_of).exit_code == 3


def test_swappedAndDoubledEvents_areNoticed(real: GameRecord, circuit_of: CircuitOf) -> None:
    events = list(real.events)
    events[2], events[3] = events[3], events[2]
    assert audit(replace(real, events=tuple(events)), circuit_of=circuit_of).exit_code == 3
    doubled = (*real.events, real.events[-1])
    report = audit(replace(real, events=doubled), circuit_of=circuit_of)
    assert "order" in [failure.check for failure in report.failures]


def test_missingRegistration_isUndecided(real: GameRecord, circuit_of: CircuitOf) -> None:
    report = audit(replace(real, events=real.events[1:]), circuit_of=circuit_of)
    assert report.exit_code == 4
    assert (1, "proof") in [(f.ply, f.check) for f in report.undecided]
    assert report.rows[1].checks["proof"] == "unchecked"


def test_unknownNet_isUndecided(real: GameRecord) -> None:
    report = audit(real, circuit_of=lambda _net: None)
    assert (report.exit_code, report.failures) == (4, ())
    assert [f.check for f in report.undecided] == ["circuit"]


def test_anotherCircuit_isRefused(real: GameRecord) -> None:
    report = audit(real, circuit_of=lambda _net: "00" * 32)
    assert [(f.ply, f.check) for f in report.failures] == [(None, "circuit")]


def test_netFile_isCompiledToo(real: GameRecord, tmp_path: Path) -> None:
    path = tmp_path / "my.json"
    path.write_bytes(house_net("pawn").to_bytes())
    assert audit(real, circuit_of=circuits_of_nets([path])).exit_code == 0


def test_unfinishedGame_isVerifiedAsFarAsItGoes(real: GameRecord, circuit_of: CircuitOf) -> None:
    report = audit(replace(real, events=real.events[:-1]), circuit_of=circuit_of)
    assert (report.exit_code, report.status, report.result) == (0, "in progress", "*")
    owed = audit(replace(real, events=real.events[:-2]), circuit_of=circuit_of)
    assert (owed.exit_code, owed.undecided[0].ply, owed.undecided[0].check) == (4, 5, "proof")


def test_askedForAnotherGame_isRefused(real: GameRecord, circuit_of: CircuitOf) -> None:
    report = audit(real, circuit_of=circuit_of, expected_game="0x" + "11" * 32)
    assert [f.check for f in report.failures] == ["game id"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"format": "checkproof-game/1"}',
        '{"format": "checkproof-game/2"}',
        "[" * 100_000,
        "9" * 10_000,
        '{"format": "checkproof-game/2", "chainId": true, "arena": "0x", "registry": "0x",'
        ' "game": "0x", "events": []}',
    ],
)
def test_otherFiles_areNoGames(text: str) -> None:
    with pytest.raises(NotAGameFile):
        parse(text)


def test_chainOfMoreThan256Bits_isNoGame(real: GameRecord, circuit_of: CircuitOf) -> None:
    assert audit(replace(real, chain_id=(1 << 256) - 1), circuit_of=circuit_of).exit_code == 3
    with pytest.raises(NotAGameFile, match="chainId"):
        parse(dump(replace(real, chain_id=1 << 256)))


@pytest.mark.parametrize("name", ["block", "logIndex", "time", "gas"])
def test_countOfMoreThan64Bits_isNoGame(real: GameRecord, name: str) -> None:
    raw = json.loads(dump(real))
    for count in ((1 << 64), 10**4299):
        raw["events"][-1][name] = count
        with pytest.raises(NotAGameFile, match="malformed"):
            parse(json.dumps(raw))


def test_truncatedFile_isNoGame(real: GameRecord, tmp_path: Path) -> None:
    text = dump(real)
    for part in (0.1, 0.5, 0.9):
        with pytest.raises(NotAGameFile):
            parse(text[: int(len(text) * part)])
    with pytest.raises(NotAGameFile, match="cannot be read"):
        load(tmp_path / "nothing.json")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("proof", "0xzz"),
        ("proof", "0xAB"),
        ("proof", 7),
        ("ply", -1),
        ("ply", 1 << 16),
        ("ply", True),
        ("ply", 1.0),
        ("board", 1 << 256),
        ("payee", "0x00"),
        ("history", "0x00"),
        ("index", "5"),
    ],
)
def test_fieldThatNoContractEmits_isRefused(
    real: GameRecord, circuit_of: CircuitOf, field: str, value: Any
) -> None:
    place = next(n for n, log in enumerate(real.events) if log.name == "BotMoved")
    raw = json.loads(dump(real))
    raw["events"][place]["args"][field] = value
    try:
        report = audit(parse(json.dumps(raw)), circuit_of=circuit_of)
    except NotAGameFile:
        pytest.fail("it still is a saved game")
    assert (report.failures[0].ply, report.failures[0].check) == (1, "encoding")
    assert report.exit_code == 3


async def audited(arena: Scene, game: bytes) -> Report:
    state = await arena.chain.game(game)
    record = await collect(arena.chain, game)
    return audit(record, circuit_of=lambda _net: None, state=state)


async def test_customVerifier_isUndecided(arena: Scene) -> None:
    live = await arena.open()
    await live.play("f3 e5 g4 Qh4#")
    report = await audited(arena, live.id)
    assert (report.status, report.result) == ("checkmate", "0-1")
    assert (report.exit_code, report.failures) == (4, ())
    assert {f.check for f in report.undecided} == {"circuit", "proof"}
    assert report.black.setup is None


async def test_endings_areFollowed(arena: Scene) -> None:
    drawn = await arena.open()
    await drawn.play("Nf3 Nf6 Ng1 Ng8 Nf3 Nf6 Ng1 Ng8")
    await arena.chain.claim_draw(drawn.id, 8, drawn.draw_claim())
    report = await audited(arena, drawn.id)
    assert (report.failures, report.status) == ((), "threefold claim")

    late = await arena.open(opening(arena.yes, player_is_white=False))
    await late.bot("e4")
    await arena.sleep(400)
    await arena.chain.claim_timeout(late.id)
    await late.player("e5")
    await arena.sleep(400)
    await arena.chain.claim_timeout(late.id)
    await arena.sleep(61)
    await arena.chain.claim_timeout(late.id)
    report = await audited(arena, late.id)
    assert (report.failures, report.status, report.result) == ((), "timeout", "0-1")


async def test_alteredClockEvents_areNoticed(arena: Scene) -> None:
    late = await arena.open()
    await arena.sleep(400)
    await arena.chain.claim_timeout(late.id)
    await arena.sleep(61)
    await arena.chain.claim_timeout(late.id)
    record = await collect(arena.chain, late.id)

    def checks(place: int, **args: Any) -> list[str]:
        report = audit(altered_args(record, place, **args), circuit_of=lambda _net: None)
        return [f.check for f in report.failures]

    claim = next(n for n, log in enumerate(record.events) if log.name == "TimeoutClaimed")
    deadline = record.events[claim].args["deadline"]
    assert checks(claim, deadline=deadline) == []
    assert checks(claim, deadline=deadline + 1) == ["clock"]
    assert checks(claim, ply=1) == ["order"]
    assert checks(claim + 1, result=1) == ["result"]
    assert checks(claim + 1, reason=8) != []
    assert checks(claim + 1, evidence="0x00") == ["result"]
    unclaimed = replace(
        record, events=tuple(e for e in record.events if e.name != "TimeoutClaimed")
    )
    report = audit(unclaimed, circuit_of=lambda _net: None)
    assert [f.check for f in report.failures] == ["clock"]


async def test_contractThatStoresSomethingElse_isNoticed(arena: Scene) -> None:
    live = await arena.open()
    await live.play("e4 e5")
    state = replace(await arena.chain.game(live.id), ply=4)
    record = await collect(arena.chain, live.id)
    report = audit(record, circuit_of=lambda _net: None, state=state)
    assert [(f.ply, f.check) for f in report.failures] == [(2, "contract")]


async def test_moveWhileReading_isNoFailure(arena: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    live = await arena.open()
    await live.play("e4")
    stored = arena.chain.game

    async def after_a_move(game: bytes) -> OnChainGame:
        if live.game.ply == 1:
            await live.play("e5")
        return await stored(game)

    monkeypatch.setattr(arena.chain, "game", after_a_move)
    record, state = await collect_with_state(arena.chain, live.id)
    assert state.ply == 2
    assert audit(record, circuit_of=lambda _net: None, state=state).failures == ()


async def test_findGame_takesTheFirstDigits(arena: Scene) -> None:
    live = await arena.open()
    assert await find_game(arena.chain, live.id.hex()[:10]) == live.id
    assert await find_game(arena.chain, "0x" + live.id.hex()) == live.id
    with pytest.raises(NoSuchGame):
        await find_game(arena.chain, "0x0000000000")
    with pytest.raises(NoSuchGame):
        await collect(arena.chain, bytes(32))


async def test_hostileMetadata_harmsNobody(arena: Scene) -> None:
    """A stranger's metadata need not be text."""
    known = (await arena.chain.bots())[0]
    hostile = b"\xff\x1b[31m[red]"
    hashes = (b"\1" * 32, b"\2" * 32, b"\3" * 32, STATEMENT_ID)
    types = ["bytes32"] * 4 + ["address", "bytes"]  # a string's layout, with any bytes
    selector = load_artifact("BotRegistry").functions["registerCustom"].selector
    data = selector + encode(types, (*hashes, known.verifier, hostile))
    await arena.chain.send(arena.chain.addresses.registry, data)
    stranger = (await arena.chain.bots())[-1]
    assert stranger.metadata.encode("utf-8", "surrogateescape") == hostile
    live = await arena.open(opening(stranger.id))
    await live.play("f3 e5")
    record = await collect(arena.chain, live.id)
    assert parse(dump(record)) == record
    assert (await audited(arena, live.id)).failures == ()


def altered_args(record: GameRecord, place: int, **args: Any) -> GameRecord:
    events = list(record.events)
    events[place] = replace(events[place], args=events[place].args | args)
    return replace(record, events=tuple(events))


def variants(value: Any) -> Iterator[Any]:
    """The value, altered a little in several places."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield value + 1
        if value:
            yield value - 1
    elif value.startswith("0x") and len(value) > 2:
        digits = len(value) - 2
        for place in {0, 1, digits // 3, digits // 2, digits - 1}:
            digit = int(value[2 + place], 16) ^ 1
            yield value[: 2 + place] + f"{digit:x}" + value[3 + place :]
    elif value == "0x":
        yield "0x00"
    else:
        yield value[:-2] + chr(ord(value[-2]) ^ 1) + value[-1:]


def alterations(raw: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The file with one thing altered, and what that was."""
    places: list[tuple[str | int, ...]] = [(key,) for key in ("chainId", "arena", "game")]
    for n, event in enumerate(raw["events"]):
        places.append(("events", n, "event"))
        for key, value in event["args"].items():
            inner = [(name,) for name in value] if isinstance(value, dict) else [()]
            places += [("events", n, "args", key, *rest) for rest in inner]
    for *parents, last in places:
        assert last not in UNBOUND
        for value in variants(inside(raw, parents)[last]):
            altered = copy.deepcopy(raw)
            inside(altered, parents)[last] = value
            yield f"{parents} {last} = {value!r}", altered


def inside(raw: Any, path: list[str | int]) -> Any:
    for step in path:
        raw = raw[step]
    return raw
