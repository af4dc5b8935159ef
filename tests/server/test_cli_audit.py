"""`checkproof audit` as a user meets it: whole arenas, ranges, bundles, several nodes, formats."""

import asyncio
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import pytest
import typer
from typer.testing import CliRunner

from engine.net import house_net
from proofs.bundle import read_bundle, write_bundle
from proofs.chain import Chain
from proofs.game_file import GameRecord
from proofs.node import Anvil
from proofs.prove import Prover
from server.cli import app
from server.cli_audit_options import blocks_of
from tests.command import Ran, run
from tests.proofs.keys_fixture import dev_store
from tests.proofs.lying_node import lying_node
from tests.proofs.real_game import resigned_game


class Audited(NamedTuple):
    """A game whose server is off, audited from its node alone; and the bundle of that."""

    record: GameRecord
    rpc: Ran
    all: Ran
    liar: Ran
    bundle: Path
    page: Path


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Audited:
    folder = tmp_path_factory.mktemp("audited")
    prover = Prover(house_net("pawn"), dev_store("pawn")[1])
    record = resigned_game(folder, prover, "e4 d4")
    bundle, page = folder / "game.bundle", folder / "game.html"

    async def ask() -> tuple[Ran, Ran, Ran]:
        async with Anvil(folder / "chain") as node:
            where = ("--arena", record.arena, "--data", "/nowhere")
            written = ("--bundle", bundle, "--html", page)
            both = ("--rpc", node.url, "--rpc", node.url)
            one = await asyncio.to_thread(run, "audit", record.game, *both, *where, *written)
            many = await asyncio.to_thread(
                run, "audit", "--range", "1..", "--rpc", node.url, *where, "--ndjson"
            )

            def lie(method: str, _params: object, result: object) -> object:
                return "0x00" if method == "eth_getCode" else result

            async with lying_node(node.url, lie) as url:
                nodes = ("--rpc", node.url, "--rpc", url)
                liar = await asyncio.to_thread(run, "audit", "--all", *nodes, *where, "--json")
            return one, many, liar

    return Audited(record, *asyncio.run(ask()), bundle, page)


def test_audit_needsTheRpcAlone(audited: Audited) -> None:
    assert audited.rpc.code == 0, audited.rpc.out + audited.rpc.err
    assert "second proof" in audited.rpc.out
    assert "✓ nodes" in audited.rpc.out
    assert "comparing with the node at" in audited.rpc.err


def test_audit_readsTheBundleWithTheChainOff(audited: Audited, tmp_path: Path) -> None:
    ran = run("audit", "--from-bundle", audited.bundle, "--data", tmp_path, "--json")
    assert (ran.code, ran.json["verdict"], ran.json["source"]) == (0, "verified", "bundle")
    assert ran.json["schema"] == "checkproof-audits/1"
    (game,) = ran.json["games"]
    assert (game["schema"], game["game"]) == ("checkproof-audit/1", audited.record.game)
    assert ran.json["head"]["number"] == read_bundle(audited.bundle).head
    programs = [(verifier["check"], verifier["program"]) for verifier in ran.json["verifiers"]]
    assert programs[0] == ("proof", "groth16py")
    assert programs[1][0] == "second proof"
    assert programs[1][1].startswith("snarkjs ")


def test_audit_ofAnAlteredBundle_exits3(audited: Audited, tmp_path: Path) -> None:
    bundle = read_bundle(audited.bundle)
    altered = replace(bundle, states={game: bytes(len(s)) for game, s in bundle.states.items()})
    write_bundle(altered, tmp_path / "altered.bundle")
    ran = run("audit", audited.record.game[:10], "--from-bundle", tmp_path / "altered.bundle")
    assert ran.code == 3, ran.out
    assert "FAILED     ply 4: contract: " in ran.out
    (tmp_path / "cut").write_bytes(audited.bundle.read_bytes()[:1000])
    ran = run("audit", "--from-bundle", tmp_path / "cut")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert ran.err.startswith("checkproof: not a bundle: ")


def test_bundleOfNoGameOrAnotherArena_isRefused(audited: Audited, tmp_path: Path) -> None:
    bundle = read_bundle(audited.bundle)
    write_bundle(replace(bundle, receipts=(), states={}), tmp_path / "empty.bundle")
    empty = run("audit", "--from-bundle", tmp_path / "empty.bundle")
    assert (empty.code, "holds no game" in empty.err) == (2, True)
    other = run("audit", "--from-bundle", audited.bundle, "--arena", bundle.registry)
    assert other.code != 0
    assert f"of the arena {bundle.arena}, not of {bundle.registry}" in other.err
    write_bundle(replace(bundle, receipts=()), tmp_path / "hollow.bundle")
    hollow = run("audit", "--from-bundle", tmp_path / "hollow.bundle", "--save", tmp_path / "game")
    assert (hollow.code, hollow.err.count("Traceback")) == (2, 0)
    assert run("audit", "--from-bundle", tmp_path / "hollow.bundle").code == 3


def test_audit_ofARange_writesLines(audited: Audited) -> None:
    assert audited.all.code == 0, audited.all.err
    lines = [json.loads(line) for line in audited.all.out.splitlines()]
    kinds = [line["type"] for line in lines]
    assert (kinds.count("move"), kinds.count("game")) == (4, 1)
    last = lines[-1]
    assert (last["type"], last["verdict"], last["verified"]) == ("audit", "verified", 1)
    assert {line["game"] for line in lines[:-1]} == {audited.record.game}


def test_audit_withALyingNode_exits3(audited: Audited) -> None:
    assert audited.liar.code == 3, audited.liar.err
    (game,) = audited.liar.json["games"]
    assert {failure["check"] for failure in game["failures"]} == {"nodes"}


def test_page_holdsItselfTogether(audited: Audited) -> None:
    page = audited.page.read_text()
    assert page.count('<svg class="board"') == 4
    assert "VERIFIED" in page
    assert "DEV SETUP: whoever ran it can forge" in page
    assert "<script" not in page
    assert not re.search(r"""(href|src)=["']?http|url\(|@import""", page)
    body = page[page.index("<h1>") : page.index("</body>")]
    ElementTree.fromstring(f"<body>{body}</body>")


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("ab12", "--all"),
        ("--range", "5"),
        ("--range", "9..5"),
        ("--file", "x.json", "--all"),
        ("--from-bundle", "x", "--range", "1.."),
        ("ab12", "--json", "--ndjson"),
    ],
)
def test_wrongUsage_exits2(words: tuple[str, ...]) -> None:
    assert CliRunner().invoke(app, ["audit", *words]).exit_code == 2


def test_error_obeysNoStranger(tmp_path: Path) -> None:
    ran = run("audit", "--file", tmp_path / "a\x1b[2Jb.json")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "a?[2Jb.json cannot be read" in ran.err


def test_range_mayLackAnEnd() -> None:
    assert blocks_of("5..9") == (5, 9)
    assert blocks_of("5..") == (5, None)
    assert blocks_of("..9") == (0, 9)
    with pytest.raises(typer.BadParameter):
        blocks_of("..")


async def test_node_isComparedByItsBlocks(audited: Audited, tmp_path: Path) -> None:
    async with Anvil(tmp_path / "chain") as node:
        chain = await Chain.connect(node.url)
        await chain.close()
        ran = await asyncio.to_thread(
            run, "audit", "--from-bundle", audited.bundle, "--rpc", node.url
        )
    assert ran.code == 3
    assert "nodes: node http://" in ran.out
