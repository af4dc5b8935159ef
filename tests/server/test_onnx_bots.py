"""ONNX bots beside the house's: those made already, those still to be made, and broken ones."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from engine.export import to_onnx
from proofs.errors import EzklFailed, OnnxRefused
from proofs.ezkl_bots import add_bot, remove_bot, store_of
from proofs.ezkl_build import Manifest
from proofs.ezkl_chooser import Choosers
from proofs.ezkl_folder import check_folder, made_folders
from server import onnx_bots
from server.bench.host import children_of, wait_gone
from server.effects import BotPlayer
from server.house import House
from server.info import BotInfo
from server.onnx_bots import OnnxBots, trust_of
from server.onnx_import import import_apart
from tests.proofs.chain_scene import Scene, scene
from tests.proofs.ezkl_fixture import folder_of, position, tiny_net
from tests.proofs.test_ezkl_chooser import expected

LIMIT = 240


@pytest_asyncio.fixture
async def ground(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path / "chain") as found:
        yield found


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder whose ezkl store holds one bot's files."""
    monkeypatch.setattr(onnx_bots, "LOOK_EVERY", 0.05)
    put(tmp_path / "data", 1)
    return tmp_path / "data"


def put(data: Path, seed: int) -> Path:
    """Lay a tiny net's files into a data folder."""
    return lay(folder_of(seed), store_of(data))


def lay(made: Path, store: Path) -> Path:
    """Lay a bot's files, with their setup, into another store."""
    if not (store / "srs").exists():
        shutil.copytree(made.parent / "srs", store / "srs", copy_function=os.link)
    shutil.copytree(made, store / made.name, copy_function=os.link)
    return store / made.name


class Lobby:
    """A house of none but ONNX bots, and how often it changed."""

    def __init__(self, ground: Scene, data: Path, choosers: Choosers, *shipped: str) -> None:
        self.house = House({}, {})
        self.bots = OnnxBots(ground.chain, data, shipped, self.house, choosers)
        self.bots.on_change = self._changed
        self.changes = 0
        self._event = asyncio.Event()

    def _changed(self) -> None:
        self.changes += 1
        self._event.set()

    async def until(self, is_so: Callable[[list[BotInfo]], bool]) -> list[BotInfo]:
        async with asyncio.timeout(LIMIT):
            while not is_so(self.bots.infos()):
                self._event.clear()
                await self._event.wait()
        return self.bots.infos()


@asynccontextmanager
async def lobby(ground: Scene, data: Path, *shipped: str) -> AsyncIterator[Lobby]:
    """One that has looked at what there is, and goes on looking."""
    choosers = Choosers()
    found = Lobby(ground, data, choosers, *shipped)
    await found.bots.open_known()
    task = asyncio.create_task(found.bots.run())
    try:
        yield found
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.to_thread(choosers.close)


def all_ready(infos: list[BotInfo]) -> bool:
    return bool(infos) and all(info.ready for info in infos)


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The warnings about ONNX bots."""
    ours = [record for record in caplog.records if record.name == onnx_bots.__name__]
    said = [record.msg for record in ours if record.levelname == "WARNING"]
    return [str(line["event"] if isinstance(line, dict) else line) for line in said]


async def plays(player: BotPlayer) -> int:
    here, mask = position()
    assert player.ponder is not None
    return await player.ponder(here, mask, 0)


async def test_a_listed_bot_is_registered_and_plays_also_after_a_restart(
    ground: Scene, data: Path
) -> None:
    folder = store_of(data) / folder_of(1).name
    add_bot(data, "tiny", folder)
    async with lobby(ground, data) as first:
        (info,) = first.bots.infos()
        assert (info.name, info.ready, info.version, info.proof_system) == (
            "tiny",
            False,
            "",
            "ezkl",
        )
        (info,) = await first.until(all_ready)
        made = Manifest.read(folder)
        assert info.key_hash == "0x" + made.key_hash
        assert info.custom
        assert "Development setup" in info.trust
        version = bytes.fromhex(info.version[2:])
        player, key = first.house.players[version], first.house.keys[version]
        assert (key.net, key.key_hash, key.folder) == ("tiny", made.key_hash, folder)
        assert player.is_played
        assert await plays(player) == expected(1)
    blocks = await ground.chain.block_number()
    choosers = Choosers()
    again = Lobby(ground, data, choosers)
    await again.bots.open_known()
    assert [(i.version, i.ready) for i in again.bots.infos()] == [(info.version, True)]
    assert again.house.players[version].is_played
    assert await ground.chain.block_number() == blocks
    choosers.close()


async def test_a_shipped_net_is_imported_and_an_earlier_version_of_it_still_plays(
    ground: Scene, data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    net = tmp_path / "net.onnx"
    monkeypatch.setattr(onnx_bots, "shipped_net", lambda _name: net)
    net.write_bytes(to_onnx(tiny_net(1)))
    async with lobby(ground, data, "rook") as first:
        (info,) = await first.until(all_ready)
    put(data, 2)
    net.write_bytes(to_onnx(tiny_net(2)))
    async with lobby(ground, data, "rook") as second:
        assert not second.bots.infos()[0].ready
        (other,) = await second.until(all_ready)
        assert (other.name, other.version != info.version) == ("rook", True)
        assert len(second.house.players) == 2
        for version, seed in ((info.version, 1), (other.version, 2)):
            player = second.house.players[bytes.fromhex(version[2:])]
            assert (player.name, await plays(player)) == ("rook", expected(seed))


async def test_a_broken_bot_is_not_offered_and_the_others_play(
    ground: Scene, data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = put(data, 2)
    circuit = (broken / "circuit.ezkl").read_bytes()
    (broken / "circuit.ezkl").unlink()  # it is linked to the shared one
    (broken / "circuit.ezkl").write_bytes(circuit[:-1] + bytes([circuit[-1] ^ 1]))
    add_bot(data, "broken", broken)
    add_bot(data, "gone", store_of(data) / "0123456789abcdef")
    add_bot(data, "tiny", store_of(data) / folder_of(1).name)
    with caplog.at_level("WARNING"):
        async with lobby(ground, data) as found:
            infos = await found.until(lambda infos: len(infos) == 1 and all_ready(infos))
    assert [info.name for info in infos] == ["tiny"]
    first, second = told(caplog)
    assert first.startswith("broken does not play")
    assert "was changed" in first
    assert second.startswith("gone does not play")


async def test_without_ezkl_none_is_offered_and_each_is_told_of_once(
    ground: Scene, data: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    add_bot(data, "tiny", store_of(data) / folder_of(1).name)
    monkeypatch.setattr(onnx_bots, "ezkl_version", lambda: None)
    with caplog.at_level("WARNING"):
        async with lobby(ground, data, "rook") as found:
            assert found.bots.infos() == []
            await asyncio.sleep(0.2)  # several looks at the list
    lines = told(caplog)
    assert [line.split()[0] for line in lines] == ["rook", "tiny"]
    assert all("pip install 'checkproof[ezkl]'" in line for line in lines)


async def test_the_list_is_followed(ground: Scene, data: Path) -> None:
    async with lobby(ground, data) as found:
        assert found.bots.infos() == []
        add_bot(data, "late", store_of(data) / folder_of(1).name)
        (info,) = await found.until(all_ready)
        remove_bot(data, "late")
        await found.until(lambda infos: not infos)
        version = bytes.fromhex(info.version[2:])
        assert found.house.players[version].is_played  # its games go on


async def test_a_list_that_cannot_be_read_is_told_of_once(
    ground: Scene, data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (store_of(data) / "bots.json").write_text("[")
    with caplog.at_level("WARNING"):
        async with lobby(ground, data) as found:
            await asyncio.sleep(0.2)  # several looks at the list
            assert found.bots.infos() == []
    (line,) = told(caplog)
    assert "bots.json is no list of bots" in line


@pytest.mark.parametrize("spoilt", [b"\xff", b"[]", b"{}", b"7", b'{"files": 7}', b'{"ezkl": []}'])
def test_a_damaged_manifest_is_one_clear_line(data: Path, spoilt: bytes) -> None:
    folder = store_of(data) / folder_of(1).name
    told = json.loads((folder / "manifest.json").read_bytes())
    if spoilt.startswith(b"{") and len(spoilt) > 2:
        spoilt = json.dumps(told | json.loads(spoilt)).encode()
    (folder / "manifest.json").unlink()  # it is linked to the shared one
    (folder / "manifest.json").write_bytes(spoilt)
    with pytest.raises(EzklFailed) as caught:
        check_folder(folder)
    assert "\n" not in str(caught.value)
    assert made_folders(store_of(data)) == []


async def test_a_fault_that_nobody_foresaw_keeps_one_bot_away_and_not_the_others(
    ground: Scene, data: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    put(data, 2)

    def fail(folder: Path) -> Manifest:
        if folder.name == folder_of(2).name:
            raise KeyError("weights")
        return check_folder(folder)

    monkeypatch.setattr(onnx_bots, "check_folder", fail)
    add_bot(data, "odd", store_of(data) / folder_of(2).name)
    add_bot(data, "tiny", store_of(data) / folder_of(1).name)
    with caplog.at_level("WARNING"):
        async with lobby(ground, data) as found:
            infos = await found.until(lambda infos: len(infos) == 1 and all_ready(infos))
    assert [info.name for info in infos] == ["tiny"]
    (line,) = told(caplog)
    assert line.startswith("odd does not play")


def test_another_setup_is_not_used(data: Path) -> None:
    folder = store_of(data) / folder_of(1).name
    (folder / "srs").unlink()
    (folder / "srs").write_text("../srs/dev-15.srs\n")
    (store_of(data) / "srs" / "dev-15.srs").unlink(missing_ok=True)
    (store_of(data) / "srs" / "dev-15.srs").write_bytes(b"another")
    with pytest.raises(EzklFailed, match="not the setup"):
        check_folder(folder)


def test_files_of_another_ezkl_are_not_used(data: Path) -> None:
    folder = store_of(data) / folder_of(1).name
    raw = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").unlink()
    (folder / "manifest.json").write_text(json.dumps({**raw, "ezkl": "1.2.3"}))
    with pytest.raises(EzklFailed, match=r"of ezkl 1\.2\.3"):
        check_folder(folder)


def test_trust_says_whose_setup_it_is() -> None:
    made = Manifest.read(folder_of(1))
    assert "whoever made it could forge" in trust_of(made)
    assert "can be recomputed" in trust_of(made)
    many = replace(made, development=False, ceremony="many people")
    assert trust_of(many).startswith("Setup of many people: forging takes all who contributed.")


# --- imports ------------------------------------------------------------------------------------


async def test_an_import_says_what_is_wrong_with_a_net(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(b"no net")
    with pytest.raises(OnnxRefused):
        await import_apart(tmp_path / "net.onnx", tmp_path / "store")
    with pytest.raises(EzklFailed):
        await import_apart(tmp_path / "none.onnx", tmp_path / "store")


async def test_an_import_ends_with_the_task_that_waits_for_it(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(to_onnx(tiny_net(9)))
    has_begun, others = asyncio.Event(), children_of(os.getpid())
    task = asyncio.create_task(
        import_apart(tmp_path / "net.onnx", tmp_path / "store", lambda _line: has_begun.set())
    )
    async with asyncio.timeout(LIMIT):
        await has_begun.wait()
    children = children_of(os.getpid()) - others
    assert children
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await wait_gone(children) == set()
