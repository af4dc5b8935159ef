"""The house bots: the first at once, the others as they are made; with no real key anywhere."""

import asyncio
import hashlib
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engine.net import house_net
from proofs.errors import ChainDown, ProverFailed
from proofs.foremen import HouseNetKey
from proofs.keys import KeyStore
from proofs.records import BotVersion
from server import house_bots
from server.errors import KeyNotMade, NotEnoughMemory
from server.house import House, info_of_coming, metadata
from server.house_bots import LOADING, MAKING, QUEUED, HouseBots
from server.info import BotInfo
from server.key_making import IN_THE_BACKGROUND, Circuit, MadeKey, make_key
from server.memory import MB, Memory, free_bytes, key_bytes
from tests.engine.nets import random_net
from tests.stand_in import renamed, shipped_nets

LIMIT = 60
NAMES = ("pawn", "knight", "queen")
CONSTRAINTS = {"pawn": 50_000, "knight": 130_000, "queen": 500_000}
KEY_BYTES = 1000


class FakePool:
    """Loads a key when it is told to."""

    def __init__(self) -> None:
        self.loads: dict[str, Future[None]] = {}
        self.known: dict[str, tuple[float, int | None]] = {}

    def load(self, key: HouseNetKey) -> Future[None]:
        return self.loads.setdefault(key.net, Future())

    def know(self, key_hash: str, *, size: float, at_once: int | None = None) -> None:
        self.known[key_hash] = (size, at_once)


class Ground:
    """A store with made-up keys, a chain that registers, and what is made when."""

    def __init__(self, root: Path, patch: pytest.MonkeyPatch) -> None:
        self.store = KeyStore(root / "keys")
        self.store.root.mkdir()
        self.pool = FakePool()
        self.house = House({}, {})
        self.registered: list[BotVersion] = []
        self.made: list[tuple[str, int]] = []
        self.broken: set[str] = set()
        self.is_down = False
        self.changes = asyncio.Event()
        patch.setattr(house_bots, "ensure_bot", self._ensure)
        patch.setattr(house_bots, "LOOK_EVERY", 0.01)

    def key(self, name: str) -> str:
        """The hash of a bot's key, which is put into the store."""
        vk = name.encode() * 10
        folder = self.store.root / hashlib.sha256(vk).hexdigest()
        if not folder.exists():
            folder.mkdir()
            (folder / "verifying_key.bin").write_bytes(vk)
            (folder / "proving_key.bin").write_bytes(bytes(KEY_BYTES))
            record = {"circuit": self.circuit(name), "kind": "development", "net": name}
            (folder / "record.json").write_text(json.dumps(record))
        return folder.name

    @staticmethod
    def circuit(name: str) -> str:
        return hashlib.sha256(name.encode()).hexdigest()

    def register(self, name: str) -> BotVersion:
        version = BotVersion(
            id=hashlib.sha256(f"version {name}".encode()).digest(),
            owner="0x" + "aa" * 20,
            net_hash=bytes.fromhex(house_net(name).hash),
            circuit_hash=bytes.fromhex(self.circuit(name)),
            key_hash=bytes.fromhex(self.key(name)),
            statement=b"",
            verifier="0x" + "bb" * 20,
            custom=False,
            metadata=metadata(name),
            verifying_key=b"",
            block=1,
        )
        if version not in self.registered:
            self.registered.append(version)
        return version

    async def _ensure(self, _chain: Any, net: Any, _key: Any, _metadata: str) -> BotVersion:
        if self.is_down:
            raise ChainDown("http://127.0.0.1", "no answer")
        return self.register(net.name)

    async def _make(
        self,
        _store: Path,
        name: str,
        *,
        niceness: int = 0,
        check: Callable[[Circuit], None] = lambda _: None,
    ) -> MadeKey:
        circuit = Circuit(CONSTRAINTS[name], 100)
        check(circuit)
        self.made.append((name, niceness))
        if name in self.broken:
            raise KeyNotMade(name, -9)
        return MadeKey(self.key(name), circuit)

    async def _bots(self) -> list[BotVersion]:
        return list(self.registered)

    def bots(self, *, memory: Memory | None = None, workers: int = 2) -> HouseBots:
        chain: Any = SimpleNamespace(bots=self._bots)
        found = HouseBots(
            chain,
            self.store,
            NAMES,
            self.house,
            memory=memory or Memory(10**15),
            workers=workers,
            make=self._make,
        )
        found.on_change = self.changes.set
        return found

    async def until(self, bots: HouseBots, is_so: Callable[[dict[str, BotInfo]], bool]) -> None:
        async with asyncio.timeout(LIMIT):
            while not is_so({info.name: info for info in bots.infos()}):
                self.changes.clear()
                await self.changes.wait()


@pytest.fixture
def ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    nets = [renamed(random_net(k, channels=(), magnitude=1), name) for k, name in enumerate(NAMES)]
    with shipped_nets(tmp_path, *nets):
        yield Ground(tmp_path, monkeypatch)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    ours = [r for r in caplog.records if r.name == house_bots.__name__]
    said = [r.msg for r in ours if r.levelno >= logging.WARNING]
    return [str(line["event"] if isinstance(line, dict) else line) for line in said]


def steps(bots: HouseBots) -> dict[str, str]:
    return {info.name: "ready" if info.ready else info.step for info in bots.infos()}


async def test_the_first_plays_at_once_and_the_others_as_they_are_loaded(ground: Ground) -> None:
    bots = ground.bots()
    first = await bots.open_first(lambda _: None)
    assert first == [HouseNetKey("pawn", ground.key("pawn"))]
    assert steps(bots) == {"pawn": "ready", "knight": QUEUED, "queen": QUEUED}
    work = asyncio.create_task(bots.run(ground.pool))
    await ground.until(bots, lambda infos: infos["knight"].step == LOADING)
    assert ground.made == [("pawn", 0), ("knight", IN_THE_BACKGROUND)]
    assert steps(bots)["queen"] == QUEUED
    assert len(ground.house.keys) == 1
    ground.pool.loads["knight"].set_result(None)
    await ground.until(bots, lambda infos: infos["knight"].ready)
    await ground.until(bots, lambda infos: infos["queen"].step == LOADING)
    ground.pool.loads["queen"].set_result(None)
    await work
    assert steps(bots) == dict.fromkeys(NAMES, "ready")
    for info in bots.infos():
        version = bytes.fromhex(info.version[2:])
        assert ground.house.players[version].is_played
        assert ground.house.keys[version].net == info.name
        assert info.constraints == CONSTRAINTS[info.name]
        assert ground.pool.known[info.key_hash[2:]][0] == info.constraints


async def test_one_that_fails_says_a_line_and_leaves_the_others_alone(
    ground: Ground, caplog: pytest.LogCaptureFixture
) -> None:
    ground.broken.add("knight")
    bots = ground.bots()
    await bots.open_first(lambda _: None)
    work = asyncio.create_task(bots.run(ground.pool))
    await ground.until(bots, lambda infos: "knight" not in infos)
    await ground.until(bots, lambda infos: infos["queen"].step == LOADING)
    ground.pool.loads["queen"].set_exception(ProverFailed("it is damaged"))
    await work
    assert steps(bots) == {"pawn": "ready"}
    assert warnings(caplog) == [
        "knight does not play: making the development key of knight failed with status -9",
        "queen does not play: the prover failed: it is damaged",
    ]


async def test_one_without_memory_for_it_is_left_out(
    ground: Ground, caplog: pytest.LogCaptureFixture
) -> None:
    bots = ground.bots(memory=Memory(700 * MB))
    await bots.open_first(lambda _: None)
    work = asyncio.create_task(bots.run(ground.pool))
    await ground.until(bots, lambda infos: infos["knight"].step == LOADING)
    ground.pool.loads["knight"].set_result(None)
    await work
    assert steps(bots) == {"pawn": "ready", "knight": "ready"}
    assert ("queen", IN_THE_BACKGROUND) not in ground.made
    assert "queen" not in ground.pool.loads
    (line,) = warnings(caplog)
    assert line.startswith("queen does not play: the prover of queen needs about 1.2 GB")
    assert "memory_mb" in line


async def test_games_of_known_bots_go_on_while_their_keys_are_loaded(ground: Ground) -> None:
    known = ground.register("queen")
    stranger = ground.register("knight")
    ground.registered[1] = stranger = BotVersion(**{**vars(stranger), "circuit_hash": bytes(32)})
    bots = ground.bots()
    await bots.open_first(lambda _: None)
    assert ground.house.players[known.id].is_played
    assert stranger.id not in ground.house.keys
    assert steps(bots)["queen"] == QUEUED
    work = asyncio.create_task(bots.run(ground.pool))
    await ground.until(bots, lambda infos: infos["knight"].step == LOADING)
    assert list(ground.pool.loads) == ["queen", "knight"]  # at once, in nobody's way
    for name in ("knight", "queen"):
        ground.pool.loads[name].set_result(None)
    await work
    assert steps(bots) == dict.fromkeys(NAMES, "ready")


async def test_a_damaged_key_of_an_earlier_version_is_told(
    ground: Ground, caplog: pytest.LogCaptureFixture
) -> None:
    known = ground.register("queen")
    (ground.store.root / ground.key("queen") / "record.json").write_text("{}")
    bots = ground.bots()
    assert len(await bots.open_first(lambda _: None)) == 1
    assert known.id not in ground.house.keys
    (line,) = warnings(caplog)
    assert line.startswith("games of an earlier bot have to wait: ")


async def test_a_version_whose_key_is_of_no_use_plays_no_more(
    ground: Ground, caplog: pytest.LogCaptureFixture
) -> None:
    known = ground.register("queen")
    bots = ground.bots()
    await bots.open_first(lambda _: None)
    work = asyncio.create_task(bots.run(ground.pool))
    await ground.until(bots, lambda infos: infos["knight"].step == LOADING)
    ground.pool.loads["knight"].set_result(None)
    ground.pool.loads["queen"].set_exception(ProverFailed("another circuit"))
    await work
    assert not ground.house.players[known.id].is_played
    assert known.id not in ground.house.keys
    assert "an earlier queen does not play: the prover failed: another circuit" in warnings(caplog)


async def test_a_chain_that_is_down_is_waited_for(ground: Ground) -> None:
    bots = ground.bots()
    await bots.open_first(lambda _: None)
    ground.is_down = True
    for name in ("knight", "queen"):
        ground.pool.load(HouseNetKey(name, "")).set_result(None)
    work = asyncio.create_task(bots.run(ground.pool))
    await ground.until(bots, lambda _: ground.made.count(("queen", IN_THE_BACKGROUND)) >= 2)
    assert steps(bots)["pawn"] == "ready"
    ground.is_down = False
    async with asyncio.timeout(LIMIT):
        await work
    assert steps(bots) == dict.fromkeys(NAMES, "ready")


def test_what_is_made_is_shown_as_such() -> None:
    info = info_of_coming("queen", MAKING)
    assert (info.ready, info.step, info.version) == (False, MAKING, "")


# --- memory ------------------------------------------------------------------------------------


def test_a_key_is_guessed_from_its_circuit() -> None:
    assert key_bytes(50_103, 28_013_364) == pytest.approx(50_363_208, rel=0.1)
    assert key_bytes(128_437, 142_032_584) == pytest.approx(204_078_208, rel=0.1)


def test_as_many_proofs_are_made_at_once_as_fit() -> None:
    memory = Memory(999)
    assert memory.claim("pawn", 100, 2) == 1  # 240 and 380 bytes
    assert memory.claim("pawn", 10**9, 2) == 1  # it has its share
    with pytest.raises(NotEnoughMemory) as refused:
        memory.claim("queen", 100, 2)
    assert (refused.value.needed, refused.value.free) == (620, 379)
    assert memory.claim("queen", 100, 2, must=True) == 1
    assert Memory(1000).claim("pawn", 100, 1) == 1
    assert Memory(2000).claim("pawn", 100, 8) == 4


def test_without_a_word_about_memory_all_play() -> None:
    assert Memory(free=lambda: None).claim("queen", 10**12, 3) == 3
    assert Memory(free=lambda: 10).claim("pawn", 100, 3, must=True) == 1


def test_free_memory_is_what_the_system_says(tmp_path: Path) -> None:
    file = tmp_path / "meminfo"
    file.write_text("MemTotal: 9 kB\nMemAvailable:    5 kB\n")
    assert free_bytes(file) == 5 * 1024
    for text in ("", "MemTotal: 9 kB\n", "MemAvailable:\n", "MemAvailable: x kB\n"):
        file.write_text(text)
        assert free_bytes(file) is None
    assert free_bytes(tmp_path / "none") is None


# --- the process that makes a key --------------------------------------------------------------


def program(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    file = folder / "program"
    file.write_text("#!/bin/sh\n" + script)
    file.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(file))


CIRCUIT = """echo '{"constraints": 3, "circuitBytes": 4}'\n"""


async def test_a_made_key_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, monkeypatch, CIRCUIT + """echo '{"keyHash": "ab"}'; echo "$@" > told""")
    monkeypatch.chdir(tmp_path)
    made = await make_key(Path("store"), "queen", niceness=7)
    assert made == MadeKey("ab", Circuit(3, 4))


async def test_a_key_that_is_not_made_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, monkeypatch, CIRCUIT + "exit 7\n")
    with pytest.raises(KeyNotMade, match="queen failed with status 7"):
        await make_key(tmp_path, "queen")


async def test_a_circuit_that_is_refused_ends_the_making(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, monkeypatch, f"echo $$ > {tmp_path}/pid\n" + CIRCUIT + "exec sleep 100\n")

    def refuse(circuit: Circuit) -> None:
        raise NotEnoughMemory("queen", circuit.constraints, circuit.circuit_bytes)

    async with asyncio.timeout(LIMIT):
        with pytest.raises(NotEnoughMemory):
            await make_key(tmp_path, "queen", check=refuse)
    pid = int((tmp_path / "pid").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
