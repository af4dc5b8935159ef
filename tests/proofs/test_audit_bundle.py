"""Bundles of a really proven game, as they are and with one lie each."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from engine.game import Game
from engine.net import house_net
from engine.player import legal_indices
from proofs.abi import load_artifact
from proofs.audit_bots import CircuitOf, circuits_of_nets
from proofs.audit_bundle import Audit, Disagreement, records_of
from proofs.audit_codes import with_net_files
from proofs.audit_judges import Groth16Judge, SnarkjsJudge
from proofs.audit_report import Report
from proofs.bundle import Bundle, dump_bundle, parse_bundle, read_bundle, write_bundle
from proofs.chain import Chain
from proofs.deploy import ensure_bot, ensure_contracts
from proofs.errors import NoSuchGame, NotABundle
from proofs.gather import disagreements, gather, opened_between
from proofs.node import Anvil
from proofs.prove import Prover
from proofs.sender import LOCAL_KEY
from proofs.signing import Resign
from tests.proofs.bundle_lies import TIMESTAMP, flipped, headed, later, told
from tests.proofs.chain_scene import PLAYER, SECRET, opening
from tests.proofs.lying_node import Lie, lying_node
from tests.proofs.real_game import RealGame

MOVES = ("e4", "d4", "Nf3")


@dataclass(frozen=True)
class Read:
    """What was read of a chain with one game: in the middle, at its end, and through liars."""

    owed: Bundle
    whole: Bundle
    doctored: dict[str, Bundle]
    others: dict[str, list[Disagreement]]


def proof_altered(method: str, _params: list[Any], result: Any) -> Any:
    if method == "eth_getBlockReceipts":
        for log in (log for receipt in result for log in receipt["logs"]):
            if log["topics"][0] == load_artifact("Arena").topic("BotMoved"):
                log["data"] = flipped(log["data"], len(log["data"]) // 2 - 40)
    return result


def time_altered(method: str, _params: list[Any], result: Any) -> Any:
    if method == "eth_getBlockByNumber":
        result["timestamp"] = hex(int(result["timestamp"], 16) + 1)
    return result


def verifier_swapped(method: str, _params: list[Any], result: Any) -> Any:
    if method == "eth_getCode" and len(result) == 2 + 2 * len(
        load_artifact("Groth16MoveVerifier").deployed
    ):
        return "0x" + load_artifact("YesVerifier").deployed.hex()
    return result


def game_altered(method: str, params: list[Any], result: Any) -> Any:
    selector = "0x" + load_artifact("Arena").functions["game"].selector.hex()
    if method == "eth_call" and params[0]["data"].startswith(selector):
        return flipped(result, 31)
    return result


LIES: dict[str, tuple[Lie, str]] = {
    "proof": (proof_altered, "block"),
    "time": (time_altered, "block"),
    "verifier": (verifier_swapped, "verifier"),
    "game": (game_altered, "contract"),
}


async def read(folder: Path, prover: Prover) -> Read:
    async with Anvil(folder / "chain") as node:
        bare = await Chain.connect(node.url, LOCAL_KEY)
        chain = bare.at(await ensure_contracts(bare, folder))
        bot = await ensure_bot(chain, prover.circuit.net, prover.record, '{"name": "pawn"}')
        message = opening(bot.id)
        await chain.open_game(message, message.sign(chain.domain, PLAYER), SECRET)
        game = RealGame(chain, prover, message)
        for san in MOVES[:-1]:
            await game.player(san)
            await game.pawn()
        await game.player(MOVES[-1])
        owed = await gather(chain, [game.id])
        await game.pawn()
        await chain.resign(game.id, Resign(game.id).sign(chain.domain, PLAYER))
        whole = with_net_files(await gather(chain, [game.id]), [])
        doctored, others = {}, {}
        for name, (lie, _) in LIES.items():
            async with lying_node(node.url, lie) as url:
                through = (await Chain.connect(url)).at(chain.addresses)
                doctored[name] = await gather(through, [game.id])
                others[name] = await disagreements(through, whole)
                await through.close()
        others["honest"] = await disagreements(chain, whole)
        assert await opened_between(chain, 0, None) == [game.id]
        assert await opened_between(chain, 0, 1) == []
        with pytest.raises(NoSuchGame):
            await gather(chain, [bytes(32)])
        await bare.close()
        return Read(owed, whole, doctored, others)


@pytest.fixture(scope="module")
def from_chain(prover: Prover, tmp_path_factory: pytest.TempPathFactory) -> Read:
    return asyncio.run(read(tmp_path_factory.mktemp("bundle"), prover))


@pytest.fixture(scope="module")
def bundle(from_chain: Read) -> Bundle:
    return from_chain.whole


@pytest.fixture(scope="module")
def circuit_of() -> CircuitOf:
    return circuits_of_nets()


Check = Callable[..., Report]


@pytest.fixture(scope="module")
def check(circuit_of: CircuitOf) -> Check:
    def audited(bundle: Bundle, **options: Any) -> Report:
        judges = options.pop("judges", (Groth16Judge(),))
        (report,) = Audit(bundle, circuit_of=circuit_of, judges=judges, **options).reports()
        return report

    return audited


def failed(report: Report) -> list[tuple[int | None, str]]:
    assert report.exit_code == (3 if report.failures else report.exit_code)
    return [(finding.ply, finding.check) for finding in report.failures]


def test_bundle_isVerifiedWithTheChainOff(bundle: Bundle, check: Check) -> None:
    report = check(bundle, judges=(Groth16Judge(), SnarkjsJudge()))
    assert (report.exit_code, report.failures, report.undecided) == (0, (), ())
    for row in report.rows:
        kinds = {"proof", "second proof"} if row.by == "bot" else {"signature"}
        assert {"block", "clock", "legal", *kinds} <= set(row.checks)
        assert set(row.checks.values()) == {"ok"}
    checks = {part.subject.split()[0]: set(part.checks) for part in report.parts}
    assert checks["chain"] == {"chain"}
    assert checks["Arena"] == checks["BotRegistry"] == {"code"}
    assert {"bot record", "circuit", "key", "net", "verifier", "block"} <= checks["bot"]
    assert {"result", "contract", "block"} <= checks["end"]


def test_bundle_readsBackTheSame(bundle: Bundle, tmp_path: Path) -> None:
    size = write_bundle(bundle, tmp_path / "game.bundle")
    assert read_bundle(tmp_path / "game.bundle") == bundle
    assert size == (tmp_path / "game.bundle").stat().st_size < 200_000
    write_bundle(bundle, tmp_path / "again.bundle")
    assert (tmp_path / "again.bundle").read_bytes() == (tmp_path / "game.bundle").read_bytes()


@pytest.mark.parametrize("name", LIES)
def test_doctoredChain_isRefused(name: str, from_chain: Read, check: Check) -> None:
    assert LIES[name][1] in {found for _, found in failed(check(from_chain.doctored[name]))}


def test_alteredProofOnADoctoredChain_namesItsPly(from_chain: Read, check: Check) -> None:
    found = failed(check(from_chain.doctored["proof"]))
    assert {(1, "proof"), (1, "block"), (3, "proof"), (5, "proof")} <= set(found)


def test_nodesThatDisagree_areNamed(from_chain: Read, check: Check) -> None:
    nodes = from_chain.others
    assert [bool(nodes[name]) for name in ("honest", "verifier", "game")] == [False, True, True]
    report = check(from_chain.whole, disagreements={"node b": nodes["verifier"]})
    assert failed(report) == [(None, "nodes")]
    assert check(from_chain.whole, disagreements={"node b": nodes["honest"]}).exit_code == 0
    elsewhere = [(sorted(from_chain.whole.blocks)[-2], "another block")]
    moved = failed(check(from_chain.whole, disagreements={"node b": elsewhere}))
    assert [check_ for _, check_ in moved] == ["nodes"]


@pytest.mark.parametrize(
    ("lie", "found"),
    [
        (("BotRegistered", 0, {"netHash": None}), (None, "bot record")),
        (("BotRegistered", 0, {"verifyingKey": None}), (None, "key")),
        (("BotRegistered", 0, {"keyHash": None}), (None, "key")),
        (("BotRegistered", 0, {"verifier": "0x" + "11" * 20}), (None, "verifier")),
        (("GameOpened", 0, {"secret": None}), (None, "secret")),
        (("GameOpened", 0, {"signature": None}), (None, "opening")),
        (("PlayerMoved", 1, {"index": 1857}), (2, "legal")),
        (("PlayerMoved", 1, {"index": 400}), (2, "signature")),
        (("PlayerMoved", 1, {"signature": None}), (2, "signature")),
        (("PlayerMoved", 1, {"board": 1}), (2, "board")),
        (("BotMoved", 1, {"proof": None}), (3, "proof")),
        (("BotMoved", 1, {"payee": "0x" + "11" * 20}), (3, "proof")),
        (("BotMoved", 1, {"context": 1}), (3, "context")),
        (("BotMoved", 1, {"history": None}), (3, "history")),
        (("GameEnded", 0, {"result": 1}), (6, "result")),
        (("GameEnded", 0, {"evidence": None}), (6, "signature")),
    ],
    ids=lambda value: f"{value[0]}-{next(iter(value[2]))}" if len(value) == 3 else None,
)
def test_lieInALog_isNamed(
    bundle: Bundle,
    check: Check,
    lie: tuple[str, int, dict[str, Any]],
    found: tuple[int | None, str],
) -> None:
    """The blocks around the lie are made anew, so that they commit to it."""

    event, nth, change = lie

    def altered(args: dict[str, Any]) -> dict[str, Any]:
        new = {key: flipped(args[key]) if to is None else to for key, to in change.items()}
        return args | new

    report = check(told(bundle, event, nth, altered))
    assert found in failed(report)
    assert "block" not in {name for _, name in failed(report)}
    assert report.exit_code == 3


def test_anotherBotMove_isRefusedByBothVerifiers(bundle: Bundle, check: Check) -> None:
    """A move that is legal, and so goes on, but not the net's."""
    before = check(bundle).rows[1]

    def altered(args: dict[str, Any]) -> dict[str, Any]:
        return args | {"index": other_index(bundle, args["index"])}

    lie = told(bundle, "BotMoved", 0, altered)
    report = check(lie, judges=(Groth16Judge(), SnarkjsJudge()))
    assert report.rows[1].san != before.san
    assert {(1, "proof"), (1, "second proof"), (1, "board")} <= set(failed(report))


def other_index(bundle: Bundle, index: int) -> int:
    """Another legal answer to the first move."""
    game = Game()
    (record,) = records_of(bundle).values()
    game.play(next(e.args["index"] for e in record.events if e.name == "PlayerMoved"))
    return next(int(i) for i in legal_indices(game.mask) if i != index)


def test_swappedNet_isRefused(bundle: Bundle, check: Check) -> None:
    (name,) = bundle.nets
    other = replace(house_net("pawn"), name="nwap").to_bytes()
    assert failed(check(bundle.with_nets({name: other}))) == [(None, "net")]


def test_swappedKeyUnderTheSameNet_isRefused(bundle: Bundle, check: Check) -> None:
    """The registration keeps its id, the key and its hash are another's."""

    def altered(args: dict[str, Any]) -> dict[str, Any]:
        key = bytes.fromhex(args["verifyingKey"][2:])
        swapped = key[448:512] + key[64:]  # alpha is IC[0]
        hash_ = "0x" + sha256(swapped).hexdigest()
        return args | {"verifyingKey": "0x" + swapped.hex(), "keyHash": hash_}

    found = failed(check(told(bundle, "BotRegistered", 0, altered)))
    assert {(None, "bot record"), (None, "verifier"), (1, "proof")} <= set(found)


def test_swappedVerifier_isRefused(bundle: Bundle, check: Check) -> None:
    house = {bundle.arena, bundle.registry}
    for address, code in bundle.contracts.items():
        if address not in house:
            swapped = replace(code, code=load_artifact("YesVerifier").deployed)
            contracts = {**bundle.contracts, address: swapped}
            assert failed(check(replace(bundle, contracts=contracts))) == [(None, "verifier")]


def test_codeThatTheStateDoesNotHold_isRefused(bundle: Bundle, check: Check) -> None:
    arena = bundle.contracts[bundle.arena]
    contracts = {**bundle.contracts, bundle.arena: replace(arena, code=arena.code + b"\0")}
    report = check(replace(bundle, contracts=contracts))
    assert failed(report) == [(None, "code")]
    assert [finding.check for finding in report.undecided] == ["code"]


def moves_block(bundle: Bundle, ply: int) -> int:
    (record,) = records_of(bundle).values()
    return next(event.block for event in record.events if event.args.get("ply") == ply)


def test_alteredClock_isRefused(bundle: Bundle, check: Check) -> None:
    block = moves_block(bundle, 2)
    assert (2, "block") in failed(check(later(bundle, block, 1, rehash=False)))
    remade = later(bundle, moves_block(bundle, 5), 1, rehash=True)
    assert (6, "contract") in failed(check(remade))


def test_alteredDice_areRefused(bundle: Bundle, check: Check) -> None:
    ((game, state),) = bundle.states.items()
    record = load_artifact("Arena").answer("game", state)
    seed = bytes.fromhex(record["seed"][2:])
    swapped = state.replace(seed, bytes(32))
    assert swapped != state
    assert failed(check(replace(bundle, states={game: swapped}))) == [(6, "contract")]


def test_alteredBlock_isRefused(bundle: Bundle, check: Check) -> None:
    number = moves_block(bundle, 3)
    block = replace(bundle.blocks[number], hash=bytes(32))
    assert failed(check(replace(bundle, blocks={**bundle.blocks, number: block}))) == [(3, "block")]
    assert (3, "block") in failed(check(headed(bundle, number, 5, bytes(32))))
    without = {n: b for n, b in bundle.blocks.items() if n != number}
    assert (3, "block") in failed(check(replace(bundle, blocks=without)))
    head = headed(bundle, bundle.head, 3, bytes(32), rehash=False)
    assert (None, "chain") in failed(check(head))


def test_missingReceipt_isRefused(bundle: Bundle, check: Check) -> None:
    for dropped in range(1, len(bundle.receipts)):
        rest = tuple(r for n, r in enumerate(bundle.receipts) if n != dropped)
        try:
            report = check(replace(bundle, receipts=rest))
        except ValueError:
            continue  # without its opening there is no game
        assert report.exit_code == 3, dropped


def test_receiptBehindAnother_isRefused(bundle: Bundle, check: Check) -> None:
    """A receipt that the block does not hold, under the name of one that it does."""
    true = bundle.receipts[-1]
    altered = bytes.fromhex(flipped("0x" + true.receipt.hex(), len(true.receipt) - 1)[2:])
    forged = replace(true, receipt=altered)
    receipts = (*bundle.receipts[:-1], forged, true)
    assert (6, "block") in failed(check(replace(bundle, receipts=receipts)))


def test_stateWithoutReceipts_isNoGame(bundle: Bundle, check: Check) -> None:
    report = check(replace(bundle, receipts=()))
    assert report.game in bundle.states
    assert failed(report) == [(None, "order")]


def test_headersNumbersOfAnySize_areRefused(bundle: Bundle, check: Check) -> None:
    number = moves_block(bundle, 3)
    report = check(headed(bundle, number, TIMESTAMP, b"\1" * 4000))
    assert (3, "block") in failed(report)


def test_verifierThatANodeDidNotShow_isUndecided(bundle: Bundle, check: Check) -> None:
    house = {bundle.arena, bundle.registry}
    for address, code in bundle.contracts.items():
        if address not in house:
            contracts = {**bundle.contracts, address: replace(code, nodes=())}
            report = check(replace(bundle, contracts=contracts))
            assert (report.exit_code, report.failures) == (4, ())
            assert [finding.check for finding in report.undecided] == ["verifier"]


def test_missingProof_isUndecided(from_chain: Read, check: Check) -> None:
    report = check(from_chain.owed)
    assert (report.exit_code, report.failures) == (4, ())
    assert [(f.ply, f.check) for f in report.undecided] == [(5, "proof")]


def test_whatANodeDidNotShow_isUndecided(bundle: Bundle, check: Check) -> None:
    receipts = tuple(replace(receipt, nodes=()) for receipt in bundle.receipts)
    contracts = {a: replace(code, nodes=()) for a, code in bundle.contracts.items()}
    headless = {n: replace(block, header=b"") for n, block in bundle.blocks.items()}
    for lacking, found in (
        (replace(bundle, receipts=receipts), "block"),
        (replace(bundle, contracts=contracts), "code"),
        (replace(bundle, contracts={**contracts, bundle.arena: contracts[bundle.arena]}), "code"),
        (replace(bundle, states={}), "contract"),
    ):
        report = check(lacking)
        assert (report.exit_code, report.failures) == (4, ())
        assert found in {finding.check for finding in report.undecided}
    assert check(replace(bundle, blocks=headless)).exit_code != 0


def test_withoutTheSecondVerifier_isUndecided(bundle: Bundle, check: Check) -> None:
    second = SnarkjsJudge()
    second.missing = "it is not installed"
    report = check(bundle, judges=(Groth16Judge(), second))
    assert (report.exit_code, report.failures) == (4, ())
    assert [(f.ply, f.check) for f in report.undecided] == [(None, "second proof")]


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '{"format": "checkproof-bundle/2"}'])
def test_otherTexts_areNoBundles(text: str) -> None:
    with pytest.raises(NotABundle):
        parse_bundle(text)


def test_malformedParts_makeNoBundle(bundle: Bundle, tmp_path: Path) -> None:
    raw = json.loads(dump_bundle(bundle))
    for key in raw:
        for value in ("0xZZ", -1, None, [1], {"a": 1}):
            with pytest.raises(NotABundle):
                parse_bundle(json.dumps(raw | {key: value}))
    path = tmp_path / "broken.bundle"
    write_bundle(bundle, path)
    for part in (0, 10, len(path.read_bytes()) // 2):
        (tmp_path / "cut").write_bytes(path.read_bytes()[:part])
        with pytest.raises(NotABundle):
            read_bundle(tmp_path / "cut")
    with pytest.raises(NotABundle, match="cannot be read"):
        read_bundle(tmp_path / "nothing")
