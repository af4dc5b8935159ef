"""The dry run plays a real arena with real proofs; what it registers can be told from a fake."""

import tempfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from proofs.chain import Chain
from proofs.deploy import ensure_contracts
from proofs.errors import WrongChain
from proofs.ezkl_build import Manifest
from proofs.ezkl_chain import check_ezkl_bot, ensure_ezkl_bot
from proofs.ezkl_dryrun import dry_run, main
from proofs.node import Anvil
from proofs.sender import LOCAL_KEY
from tests.proofs.ezkl_fixture import CACHE, folder_of


@pytest.fixture
async def chain() -> AsyncIterator[Chain]:
    with tempfile.TemporaryDirectory() as name:
        async with Anvil(Path(name) / "chain") as node:
            bare = await Chain.connect(node.url, LOCAL_KEY)
            try:
                yield bare.at(await ensure_contracts(bare, Path(name)))
            finally:
                await bare.close()


def test_a_net_is_tried_in_a_real_arena() -> None:
    folder = folder_of(1)
    report = dry_run(folder / "net.onnx", CACHE / "first", moves=1, games=0)
    assert report["key"] == Manifest.read(folder).key_hash
    assert report["development_setup"] is True
    assert report["instances"] == 200
    assert report["proof_bytes"] == 131 * 4 + Manifest.read(folder).proof_bytes
    assert 500_000 < report["gas"]["median"] < 1_250_000
    assert report["cpu_s"] > 0
    assert 50 < report["rss_mb"] < 2000


def test_a_net_meets_the_lowest_rungs() -> None:
    report = dry_run(folder_of(1) / "net.onnx", CACHE / "first", moves=0, games=1)
    for rung in ("against_random", "against_greedy"):
        assert report[rung]["wins"] + report[rung]["draws"] + report[rung]["losses"] == 1


def test_a_bad_file_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"no net at all")
    assert main([str(tmp_path / "bad.onnx"), "--store", str(tmp_path / "store")]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines()[-1].startswith("not a net for the arena: ")


async def test_a_bot_is_registered_once_and_known_again(chain: Chain) -> None:
    folder = folder_of(1)
    bot = await ensure_ezkl_bot(chain, folder, "tiny")
    assert bot.custom
    assert await ensure_ezkl_bot(chain, folder, "tiny") == bot
    await check_ezkl_bot(chain, folder, bot)


async def test_another_nets_bot_is_told_apart(chain: Chain) -> None:
    """Under the net's name, hashes and all: only its code gives the wrong verifier away."""
    honest, other = folder_of(1), folder_of(2)
    theirs = await ensure_ezkl_bot(chain, other, "tiny")
    with pytest.raises(WrongChain, match="its net is"):
        await check_ezkl_bot(chain, honest, theirs)
    ours = Manifest.read(honest)
    named = replace(
        theirs,
        net_hash=bytes.fromhex(ours.net_hash),
        circuit_hash=bytes.fromhex(ours.circuit_hash),
        key_hash=bytes.fromhex(ours.key_hash),
    )
    with pytest.raises(WrongChain, match="other code than the net's own"):
        await check_ezkl_bot(chain, honest, named)
    with pytest.raises(WrongChain, match="other code than EzklMoveVerifier"):
        await check_ezkl_bot(chain, honest, replace(named, verifier=chain.addresses.arena))
