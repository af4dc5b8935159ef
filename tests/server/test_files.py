"""Files by their hash: whole, in ranges, and nothing else."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from proofs.ezkl_bots import add_bot, store_of
from proofs.ezkl_build import Manifest, srs_path
from proofs.srs_store import file_hash
from server.site import KeyFiles
from tests.proofs.chain_scene import Scene
from tests.proofs.ezkl_fixture import folder_of
from tests.server.conftest import Served
from tests.server.test_onnx_bots import all_ready, data, ground, lobby

__all__ = ["data", "ground"]

HASH = "ab" * 32


@pytest.fixture
async def http(served: Served) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(served.url) as session:
        yield session


async def test_a_file_is_served_by_its_hash(
    served: Served, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    (tmp_path / "net.onnx").write_bytes(b"0123456789" * 10)
    served.site.find_file = {HASH: tmp_path / "net.onnx"}.get
    for name in (HASH, "0x" + HASH.upper()):
        async with http.get(f"/files/{name}") as response:
            assert await response.read() == b"0123456789" * 10
            assert "immutable" in response.headers["Cache-Control"]
            assert "attachment" in response.headers["Content-Disposition"]
    async with http.get(f"/files/{HASH}", headers={"Range": "bytes=95-"}) as response:
        assert (response.status, await response.read()) == (206, b"56789")


@pytest.mark.parametrize("name", ["00" * 32, "zz" * 32, "ab", "..%2f..%2fetc%2fpasswd", HASH])
async def test_nothing_else_is_served(
    served: Served, http: aiohttp.ClientSession, tmp_path: Path, name: str
) -> None:
    served.site.find_file = {HASH: tmp_path / "lost.onnx"}.get
    async with http.get(f"/files/{name}") as response:
        assert response.status == 404


async def test_an_onnx_bots_key_names_its_files(
    served: Served, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    (tmp_path / "pk").write_bytes(b"pk")
    files = {"net.onnx": "11" * 32, "srs": "22" * 32}
    key = KeyFiles(HASH, "cd" * 32, "development", b"vk", tmp_path / "pk", "ezkl", files)
    served.site.find_key = {HASH: key}.get
    async with http.get(f"/keys/{HASH}") as response:
        shown = await response.json()
    assert shown["proofSystem"] == "ezkl"
    assert shown["files"]["srs"] == {"sha256": "22" * 32, "url": "/files/" + "22" * 32}


async def test_every_file_of_a_bot_that_plays_is_found(
    ground: Scene,
    data: Path,
) -> None:
    folder = store_of(data) / folder_of(1).name
    made = Manifest.read(folder)
    add_bot(data, "tiny", folder)
    async with lobby(ground, data) as found:
        await found.until(all_ready)
        key = found.bots.find_key(made.key_hash)
    assert key is not None
    assert (key.kind, key.proof_system) == ("development", "ezkl")
    assert key.files["srs"] == file_hash(srs_path(folder))
    for sha256 in key.files.values():
        path = found.bots.find_file(sha256)
        assert path is not None
        assert file_hash(path) == sha256
    assert found.bots.find_key("00" * 32) is None
    assert found.bots.find_file("00" * 32) is None
