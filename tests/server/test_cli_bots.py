"""`bots add` and `bots remove`: a net becomes a bot of an arena, or one clear line says why not."""

import asyncio
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from engine.export import to_onnx
from proofs.chain import Chain
from proofs.deploy import ensure_contracts
from proofs.errors import EzklMissing
from proofs.ezkl_bots import listed_bots, store_of
from proofs.ezkl_build import Manifest, srs_path
from proofs.ezkl_chain import ensure_ezkl_bot
from proofs.node import Anvil
from proofs.sender import LOCAL_KEY
from server.house import metadata
from tests.command import run
from tests.proofs.ezkl_fixture import folder_of, tiny_net


def data_folder(at: Path) -> Path:
    """A data folder that need not make a development setup first."""
    srs = store_of(at) / "srs"
    srs.mkdir(parents=True)
    shutil.copyfile(srs_path(folder_of(1)), srs / srs_path(folder_of(1)).name)
    return at


@pytest.fixture
def net(tmp_path: Path) -> Path:
    path = tmp_path / "My Net.onnx"
    path.write_bytes(to_onnx(tiny_net(1)))
    return path


async def test_botsAdd_triesAndRegistersANet(net: Path, tmp_path: Path) -> None:
    data = data_folder(tmp_path / "data")
    async with Anvil(data / "chain") as node:
        bare = await Chain.connect(node.url, LOCAL_KEY)
        chain = bare.at(await ensure_contracts(bare, data))
        trial = ("--moves", "1", "--games", "1")
        ran = await asyncio.to_thread(run, "bots", "add", net, "--data", data, *trial, "--json")
        assert ran.code == 0, ran.err
        (bot,) = await chain.bots()
        folder = Path(ran.json["folder"])
        again = await ensure_ezkl_bot(chain, folder, metadata("my-net"))
        await bare.close()
    assert (ran.json["name"], ran.json["version"]) == ("my-net", "0x" + bot.id.hex())
    assert again == bot  # so a server that starts here does not register it again
    assert ran.json["key"] == Manifest.read(folder_of(1)).key_hash == bot.key_hash.hex()
    assert 500_000 < ran.json["gas"]["median"] < 1_250_000
    assert ran.json["against_greedy"]["games"] == 1
    for line in ("checking the net", "making the keys", "proof 1 of 1", "DEV SETUP: whoever"):
        assert line in ran.err
    (listed,) = listed_bots(data)
    assert (listed.name, listed.folder) == ("my-net", folder)
    assert json.loads((store_of(data) / "bots.json").read_text())[0]["folder"] == folder.name


def test_botsAdd_listsANetWithoutAnArena_andRemoveForgetsIt(net: Path, tmp_path: Path) -> None:
    data = data_folder(tmp_path / "data")
    ran = run("bots", "add", net, "--data", data, "--no-dry-run", "--name", "first")
    assert ran.code == 0, ran.err
    assert "registered when the arena is served next" in ran.out
    assert "13,561 of 2^14" in ran.out
    assert "gas" not in ran.out
    twice = run("bots", "add", net, "--data", data, "--no-dry-run", "--name", "first")
    assert (twice.code, twice.out) == (1, "")
    assert twice.err.strip() == (
        "checkproof: no bot can be added as 'first': "
        "a bot is called so already; remove it, or choose by --name"
    )
    (bot,) = listed_bots(data)
    gone = run("bots", "remove", "first", "--data", data)
    assert (gone.code, gone.out) == (0, "removed first\n")
    assert listed_bots(data) == []
    assert (bot.folder / "manifest.json").exists()
    assert run("bots", "remove", "first", "--data", data).code == 1


def hostile() -> Iterator[tuple[str, bytes, str]]:
    whole = to_onnx(tiny_net(1))
    yield "truncated", whole[:3000], "no ONNX file, or a truncated one"
    yield "empty", b"", "no graph in it"
    yield "huge", bytes(4_000_001), "at most 4,000,000 are taken"
    yield "operator", whole.replace(b"Relu", b"Sqrt"), "operator 'Sqrt' is not supported"
    model = onnx.load_model_from_string(whole)
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 1858
    yield "shape", model.SerializeToString(), "has shape [1, 1858]; make it [1, 131]"
    model = onnx.load_model_from_string(whole)
    tensor = next(t for t in model.graph.initializer if t.name == "hidden")
    values = numpy_helper.to_array(tensor).copy()
    values[0, 0] = np.nan
    tensor.CopyFrom(numpy_helper.from_array(values, "hidden"))
    yield "NaN", model.SerializeToString(), "weights 'hidden' hold NaN or infinity"
    model = onnx.load_model_from_string(whole)
    tensor = next(t for t in model.graph.initializer if t.name == "hidden")
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    yield "outside", model.SerializeToString(), "lie outside the file"


HOSTILE = {name: (data, why) for name, data, why in hostile()}


@pytest.mark.parametrize("kind", HOSTILE)
def test_botsAdd_failsForABadNet_andNothingIsWritten(kind: str, tmp_path: Path) -> None:
    data, why = HOSTILE[kind]
    (tmp_path / "bad.onnx").write_bytes(data)
    ran = run("bots", "add", tmp_path / "bad.onnx", "--data", tmp_path / "data")
    assert (ran.code, ran.out) == (1, "")
    last = ran.err.strip().splitlines()[-1]
    assert last.startswith("checkproof: not a net for the arena: ")
    assert why in last
    assert "Traceback" not in ran.err
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (("/nowhere.onnx",), 1, "No such file"),
        (("/nowhere.onnx", "--name", "pawn"), 1, "comes with checkproof"),
        (("/nowhere.onnx", "--name", "Ro ok"), 1, "a-z, 0-9 and -"),
        (("/nowhere.onnx", "--rpc", "http://127.0.0.1:1"), 1, "CHECKPROOF_KEY"),
        ((), 2, "NET.onnx"),
    ],
)
def test_botsAdd_failsForABadCommand(
    arguments: tuple[str, ...], code: int, why: str, tmp_path: Path
) -> None:
    ran = run("bots", "add", *arguments, "--data", tmp_path / "data")
    assert (ran.code, ran.out) == (code, "")
    assert why in ran.err
    assert "Traceback" not in ran.err
    assert not list((tmp_path / "data").rglob("*.json"))


def test_botsAdd_saysThatEzklIsMissing(net: Path, tmp_path: Path) -> None:
    """In its own process and in ezkl's; all else is there as ever."""
    for package in ("ezkl", "onnx"):
        (tmp_path / f"{package}.py").write_text("raise ImportError('not installed')\n")
    without = {"PYTHONPATH": str(tmp_path)}
    ran = run("bots", "add", net, "--data", tmp_path / "data", **without)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.strip().splitlines()[-1] == f"checkproof: {EzklMissing()}"
    assert not (tmp_path / "data").exists()
    assert run("bots", "remove", "x", "--data", tmp_path / "data", **without).code == 1
    dev = run("bench", "perft", "--max-nodes", "20", "--json", **without)
    assert dev.code == 0, dev.err
