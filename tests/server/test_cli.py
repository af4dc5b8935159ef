"""The command line as a user meets it, on data folders with real games."""

import asyncio
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from engine.net import house_net
from proofs.bench_gas import measure
from proofs.chain import Chain
from proofs.game_file import GameRecord
from proofs.node import Anvil, running_node
from proofs.prove import Prover
from server.cli_prove import verify_file
from tests.command import Ran, run
from tests.proofs.chain_scene import scene
from tests.proofs.keys_fixture import dev_store
from tests.proofs.real_game import resigned_game

FEN = "rnbqkbnr/pppppppp/8/8/4P3/8/PPPP1PPP/RNBQKBNR b KQkq - 0 1"
DEV_SETUP = "DEV SETUP: whoever ran it can forge"


class Folder(NamedTuple):
    """A data folder with the key of pawn and one resigned game."""

    path: Path
    record: GameRecord


@pytest.fixture(scope="module")
def prover() -> Prover:
    return Prover(house_net("pawn"), dev_store("pawn")[1])


@pytest.fixture(scope="module")
def folder(prover: Prover, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    path = tmp_path_factory.mktemp("data")
    (path / "keys").symlink_to(dev_store("pawn")[0].root)
    return Folder(path, resigned_game(path, prover, "e4 d4"))


@pytest.fixture(scope="module")
def saved(folder: Folder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The game as `audit --save` writes it."""
    path = tmp_path_factory.mktemp("saved") / "game.json"
    ran = run("audit", folder.record.game, "--data", folder.path, "--save", path)
    assert ran.code == 0, ran.err
    return path


def test_audit_readsTheFoldersOwnChain(folder: Folder) -> None:
    state = folder.path / "chain" / "state.json"
    before = hashlib.sha256(state.read_bytes()).digest()
    ran = run("audit", folder.record.game, "--data", folder.path)
    assert ran.code == 0, ran.err
    assert "VERIFIED 0-1 (resignation); 4 moves, 2 proofs hold" in ran.out
    assert DEV_SETUP in ran.out
    assert "e4" in ran.out
    assert "\x1b" not in ran.out
    assert "reading the chain saved in" in ran.err
    assert hashlib.sha256(state.read_bytes()).digest() == before


def test_audit_takesTheFirstDigitsAndPrintsJson(folder: Folder) -> None:
    ran = run("audit", folder.record.game[:12], "--data", folder.path, "--json")
    assert (ran.code, ran.json["verdict"], ran.json["source"]) == (0, "verified", "chain")
    assert [move["by"] for move in ran.json["moves"]] == ["player", "bot"] * 2
    assert ran.json["black"]["setup"] == DEV_SETUP


async def test_audit_asksTheRunningNode(folder: Folder) -> None:
    async with Anvil(folder.path / "chain") as node:
        assert running_node(folder.path / "chain") == node.url
        ran = await asyncio.to_thread(run, "audit", folder.record.game, "--data", folder.path)
        assert (ran.code, "saved in" in ran.err) == (0, False)
        arena = folder.record.arena
        told = await asyncio.to_thread(
            run, "audit", folder.record.game, "--rpc", node.url, "--arena", arena
        )
        assert told.code == 0
        elsewhere = "0x" + "11" * 20
        wrong = await asyncio.to_thread(
            run, "audit", folder.record.game, "--rpc", node.url, "--arena", elsewhere
        )
        assert wrong.code == 1
        assert one_line(wrong).startswith("checkproof: there is no Arena")


def test_audit_readsASavedGame(folder: Folder, saved: Path) -> None:
    ran = run("audit", "--file", saved, "--data", "/nowhere")
    assert ran.code == 0
    assert "read from a file" in ran.out
    assert run("audit", "0x" + "11" * 32, "--file", saved).code == 3


def test_audit_namesPlyAndCheckOfAnAlteredFile(saved: Path, tmp_path: Path) -> None:
    raw = json.loads(saved.read_text())
    args = next(e["args"] for e in raw["events"] if e["event"] == "BotMoved")
    args["proof"] = args["proof"][:-1] + f"{int(args['proof'][-1], 16) ^ 1:x}"
    path = tmp_path / "altered.json"
    path.write_text(json.dumps(raw))
    ran = run("audit", "--file", path)
    assert ran.code == 3
    assert "FAILED     ply 1: proof: " in ran.out
    asked = run("audit", "--file", path, "--json").json
    assert (asked["failures"][0]["ply"], asked["failures"][0]["check"]) == (1, "proof")


def test_audit_exits4WhileAProofIsOwed(saved: Path, tmp_path: Path) -> None:
    raw = json.loads(saved.read_text())
    raw["events"] = raw["events"][:-2]
    path = tmp_path / "owed.json"
    path.write_text(json.dumps(raw))
    ran = run("audit", "--file", path)
    assert (ran.code, "undecided  ply 3: proof" in ran.out) == (4, True)
    assert "INCOMPLETE" in ran.out


async def test_audit_exits4ForContractsOfAnotherVersion(folder: Folder) -> None:
    async with Anvil(folder.path / "chain") as node:
        chain = await Chain.connect(node.url)
        code = await chain.code(folder.record.registry)
        longer = "0x" + code.hex() + "00"
        await chain.rpc.ask("anvil_setCode", folder.record.registry, longer)
        await chain.rpc.ask("anvil_mine", "0x1")  # a block that commits to the other code
        ran = await asyncio.to_thread(
            run, "audit", folder.record.game, "--data", folder.path, "--json"
        )
        await chain.rpc.ask("anvil_setCode", folder.record.registry, "0x" + code.hex())
        await chain.close()
    assert (ran.code, ran.json["failures"]) == (4, [])
    assert [finding["check"] for finding in ran.json["undecided"]] == ["code"]


async def test_audit_exits4ForACustomVerifier(tmp_path: Path) -> None:
    async with scene(tmp_path) as built:
        live = await built.open()
        await live.play("f3 e5 g4 Qh4#")
        ran = await asyncio.to_thread(run, "audit", "0x" + live.id.hex(), "--data", tmp_path)
        bots = await asyncio.to_thread(run, "bots", "list", "--data", tmp_path)
    assert ran.code == 4
    assert "custom verifier" in ran.out
    assert "custom, unverified" in bots.out


def test_audit_namesANetFileThatIsMissing(saved: Path) -> None:
    ran = run("audit", "--file", saved, "--net", "/nowhere.json")
    assert (ran.code, ran.out) == (1, "")
    assert "/nowhere.json" in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("audit",), 2, "which game?"),
        (("audit", "xyz", "--file", "/etc/hostname"), 2, "not a saved game"),
        (("audit", "--file", "/nowhere/at/all"), 2, "cannot be read"),
        (("audit", "0x1234", "--data", "/nowhere"), 1, "holds no chain"),
        (("audit", "0x1234", "--rpc", "http://127.0.0.1:1", "--arena", "0x00"), 1, "no usable"),
        (("audit", "--file", "x", "--arena", "0x00"), 2, "without --rpc"),
        (("prove", "no position"), 1, "not a position"),
        (("prove", FEN, "--bot", "bishop"), 1, "bishop"),
        (("verify", "/etc/hostname"), 2, "not a proof"),
        (("bots", "list", "--data", "/nowhere"), 1, "holds no chain"),
        (("serve", "--port", "x"), 2, "port"),
        (("serve", "--origin", "chess.example"), 2, "no origin"),
        (("serve", "--log", "xml"), 2, "log: "),
        (("serve", "--config", "/nowhere.toml"), 2, "there is no such file"),
        (("backup", "/tmp/never.tar", "--data", "/nowhere"), 1, "no data folder"),
        (("restore", "/nowhere.tar", "--data", "/tmp/never/there"), 1, "no such file"),
        (("restore", "/etc/hostname", "--data", "/tmp/never/there"), 1, "not a sound backup"),
        (("restore", "/etc/hostname"), 2, "--data"),
        (("serve", "--bot", "bishop", "--data", "/nowhere"), 1, "bishop"),
        (("nonsense",), 2, "nonsense"),
    ],
)
def test_errors_areOneClearLine(arguments: tuple[str, ...], code: int, says: str) -> None:
    ran = run(*arguments)
    assert ran.code == code, ran.err
    assert says in ran.err
    assert "Traceback" not in ran.err
    assert ran.out == ""
    if code == 1:
        assert one_line(ran).startswith("checkproof: ")


def test_audit_failsIfTheGameIsUnknown(folder: Folder) -> None:
    ran = run("audit", "0x" + "11" * 32, "--data", folder.path)
    assert (ran.code, "no game 0x11" in ran.err) == (2, True)


def test_botsList_showsHashesAndSetup(folder: Folder) -> None:
    (bot,) = run("bots", "list", "--data", folder.path, "--json").json
    assert bot["netHash"] == "0x" + house_net("pawn").hash
    assert bot["keyHash"] == "0x" + dev_store("pawn")[1].key_hash
    assert (bot["custom"], bot["setup"]) == (False, "development")
    ran = run("bots", "list", "--data", folder.path)
    assert bot["version"] in ran.out
    assert "development" in ran.out


def test_proveAndVerify_agree(folder: Folder, tmp_path: Path) -> None:
    path = tmp_path / "proof.json"
    ran = run("prove", FEN, "--data", folder.path, "--out", path, "--payee", "0x" + "5a" * 20)
    assert (ran.code, ran.out) == (0, "")
    ran = run("verify", path, "--data", folder.path)
    assert (ran.code, ran.out.startswith("verified: pawn plays ")) == (0, True)
    assert DEV_SETUP in ran.out
    assert run("verify", path, "--data", tmp_path).code == 4
    key = folder.path / "keys" / dev_store("pawn")[1].key_hash / "verifying_key.bin"
    assert run("verify", path, "--data", tmp_path, "--key", key).code == 0
    proof = json.loads(path.read_text())
    for field, value in alterations(proof):
        path.write_text(json.dumps({**proof, field: value}))
        assert verify_file(path, key=key, data=tmp_path, as_json=False) == 3, field
    path.write_text(json.dumps({**proof, "net": "\ud800"}))
    ran = run("verify", path, "--data", folder.path)
    assert (ran.code, "not at hand" in ran.out) == (4, True), ran.err
    path.write_text(json.dumps({**proof, "fen": "\ud800"}))
    assert run("verify", path, "--data", folder.path).code == 3


def alterations(proof: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "payee", "0x" + "5b" * 20
    yield "dice", "0x1"
    yield "proof", proof["proof"][:-1] + f"{int(proof['proof'][-1], 16) ^ 1:x}"
    yield "index", 0
    yield "circuitHash", "0" * 64
    yield "fen", proof["fen"].replace("4P3", "3P4")


def test_setupDev_findsTheKey(folder: Folder) -> None:
    ran = run("setup", "dev", "--data", folder.path)
    assert (ran.code, ran.out.strip()) == (0, dev_store("pawn")[1].key_hash)
    assert DEV_SETUP in ran.err


def test_serve_showsItsSettingsAndNoSecret(tmp_path: Path) -> None:
    (tmp_path / "checkproof.toml").write_text("games = 7\n")
    key, rpc = "0x" + "5e" * 32, "https://node.example/v3/hunter2"
    told = {"CHECKPROOF_KEY": key, "CHECKPROOF_RPC": rpc, "CHECKPROOF_PORT": "9000"}
    ran = run("serve", "--show-config", "--data", tmp_path, "--workers", "2", **told)
    assert (ran.code, ran.err) == (0, "")
    rows = {name: rest for name, *rest in map(str.split, ran.out.splitlines())}
    assert rows["games"] == ["7", str(tmp_path / "checkproof.toml")]
    assert rows["port"] == ["9000", "CHECKPROOF_PORT"]
    assert rows["workers"] == ["2", "flag"]
    assert rows["rpc"] == ["https://node.example/…", "CHECKPROOF_RPC"]
    assert key not in ran.out
    assert "hunter2" not in ran.out


def test_train_saysThatTorchIsMissing() -> None:
    code = "import sys; sys.modules['torch'] = None; sys.argv[1:] = ['train', 'net'];"
    done = subprocess.run(
        [sys.executable, "-c", code + "from server.cli import main; main()"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.strip() == (
        "checkproof: training needs torch: pip install 'checkproof[train]'"
    )


def test_help_isQuickAndComplete() -> None:
    ran = run("--help")
    assert ran.code == 0
    for command in (
        "serve",
        "backup",
        "restore",
        "audit",
        "prove",
        "verify",
        "bots",
        "setup",
        "train",
        "bench",
    ):
        assert command in ran.out
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, server.cli; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert not {"web3", "numpy", "chess", "aiohttp", "torch"} & set(loaded)


def test_benchGas_addsUpAGame(prover: Prover) -> None:
    bill = measure(prover, corpus=[], plies=4)
    assert bill["positions"] == 4
    for name in ("bot_move_gas", "player_move_gas", "legal_mask_gas", "verify_gas"):
        assert 0 < bill[name]["min"] <= bill[name]["median"] <= bill[name]["max"]
    assert bill["bot_move_gas"]["median"] < 700_000
    assert bill["bot_move_gas"]["min"] > bill["verify_gas"]["max"] + bill["legal_mask_gas"]["min"]


def one_line(ran: Ran) -> str:
    """The last line said, which is the error."""
    return ran.err.strip().splitlines()[-1]
