"""Keys that are loaded beside the work: one foreman after the other, two nets, real proofs."""

import os
import queue
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.net import NetSpec
from proofs.errors import ProverDied, ProverFailed
from proofs.foremen import HouseNetKey
from proofs.groth16 import verify
from proofs.keys import KeyRecord
from proofs.pace import Patience
from proofs.prover import ProofJob, ProverPool
from proofs.statement import Statement
from server.bench.host import children_of
from tests.engine.nets import random_net
from tests.proofs.keys_fixture import store_for
from tests.proofs.positions import game_statements
from tests.stand_in import renamed, shipped_nets

LIMIT = 120
QUIET_MB = 40
"""A worker's own memory after a proof; while it works it is a few times as much."""


class TwoNets:
    """A store with the keys of two small nets that count as house nets."""

    def __init__(self, root: Path) -> None:
        self.store = root / "keys"
        self.store.mkdir()
        self.pawn = self._net("pawn", 81)
        self.queen = self._net("queen", 82)

    def _net(self, name: str, seed: int) -> tuple[NetSpec, KeyRecord]:
        net = renamed(random_net(seed, channels=(1,), magnitude=1), name)
        _, record = store_for(net)
        (self.store / record.key_hash).symlink_to(record.proving_key.parent)
        return net, record

    def key(self, name: str) -> HouseNetKey:
        return HouseNetKey(name, self.of(name)[1].key_hash)

    def of(self, name: str) -> tuple[NetSpec, KeyRecord]:
        return {"pawn": self.pawn, "queen": self.queen}[name]

    def jobs(self, name: str, n: int) -> list[ProofJob]:
        net, record = self.of(name)
        return [ProofJob(name, record.key_hash, it) for it in game_statements(net, n)]

    def holds(self, job: ProofJob, proof: bytes) -> bool:
        return verify(self.of(job.net_name)[1].vk, proof, job.statement.limbs)


@pytest.fixture(scope="module")
def nets(tmp_path_factory: pytest.TempPathFactory) -> TwoNets:
    return TwoNets(tmp_path_factory.mktemp("two"))


@pytest.fixture(scope="module")
def shipped(nets: TwoNets, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoNets]:
    with shipped_nets(tmp_path_factory.mktemp("shipped"), nets.pawn[0], nets.queen[0]):
        yield nets


@pytest.fixture(scope="module")
def pool(shipped: TwoNets) -> Iterator[ProverPool]:
    """Two workers that begin with pawn's key; the tests below go on with it in their order."""
    pool = ProverPool(shipped.store, 2, keys=[shipped.key("pawn")])
    pool.start()
    try:
        pool.ready.result(LIMIT)
        while pool.state().workers < 2:
            time.sleep(0.01)
        yield pool
    finally:
        pool.close()


def parent_of(pid: int) -> int:
    stat = Path(f"/proc/{pid}/stat").read_text()
    return int(stat.rsplit(")", 1)[1].split()[1])


def own_mb(pid: int) -> float:
    """What a process does not share with the foreman that it was forked from."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(text.split("Private_Dirty:")[1].split()[0]) / 1024


def test_a_key_that_is_none_is_told_and_hurts_nobody(pool: ProverPool, shipped: TwoNets) -> None:
    pids = pool.pids()
    missing = HouseNetKey("queen", "00" * 32)
    assert isinstance(pool.load(missing).exception(LIMIT), ProverFailed)
    wrong = HouseNetKey("queen", shipped.pawn[1].key_hash)  # of another circuit
    with pytest.raises(ProverFailed, match="circuit"):
        pool.load(wrong).result(LIMIT)
    assert pool.pids() == pids


def test_who_is_killed_while_it_loads_is_no_loss_to_others(
    pool: ProverPool, shipped: TwoNets
) -> None:
    (pawns,) = shipped.jobs("pawn", 1)
    pids = pool.pids()
    foreman = parent_of(pids[0])
    deadline = time.monotonic() + LIMIT
    while children_of(foreman) - set(pids):  # those of the test before this one
        assert time.monotonic() < deadline
        time.sleep(0.01)
    loaded = pool.load(shipped.key("queen"))
    while not (heirs := children_of(foreman) - set(pids)):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(heirs.pop(), signal.SIGKILL)
    with pytest.raises(ProverFailed, match="killed or crashed"):
        loaded.result(LIMIT)
    assert pool.submit(pawns).result(LIMIT).proof
    assert pool.pids() == pids


def test_a_key_is_loaded_once_beside_the_work(pool: ProverPool, shipped: TwoNets) -> None:
    (queens,) = shipped.jobs("queen", 1)
    (pawns,) = shipped.jobs("pawn", 1)
    (foreman,) = {parent_of(pid) for pid in pool.pids()}
    loaded = pool.load(shipped.key("queen"))
    waits = pool.submit(queens, group="q")
    assert shipped.holds(pawns, pool.submit(pawns, group="p").result(LIMIT).proof)
    loaded.result(LIMIT)
    assert shipped.holds(queens, waits.result(LIMIT).proof)
    pids = pool.pids()
    (heir,) = {parent_of(pid) for pid in pids}
    assert parent_of(heir) == foreman
    again = [pool.submit(job) for job in (queens, pawns)]
    assert all(future.result(LIMIT).proof for future in again)
    assert set(pool.pids()) >= set(pids)
    assert pool.state().restarts == 0
    if sys.platform == "linux":
        deadline = time.monotonic() + 60
        while max(map(own_mb, pids)) > QUIET_MB:
            assert time.monotonic() < deadline, "a worker keeps what its proof took"
            time.sleep(0.05)
    assert pool.load(shipped.key("queen")).done()


def test_a_pawns_move_does_not_wait_for_a_queens_where_another_worker_is_free(
    pool: ProverPool, shipped: TwoNets
) -> None:
    (queens,) = shipped.jobs("queen", 1)
    (pawns,) = shipped.jobs("pawn", 1)
    while pool.state().workers < 2:
        time.sleep(0.01)
    stopped: queue.Queue[int] = queue.Queue()

    def stop() -> None:
        """On the pool's own thread, which hears of nothing else meanwhile."""
        (busy,) = [worker.pid for worker in pool._workers if worker.task is not None]
        assert busy is not None
        os.kill(busy, signal.SIGSTOP)
        stopped.put(busy)

    pool.know(queens.key_hash, size=1, at_once=1)  # as where memory is short
    slow = pool.submit(queens, stop, group="q")
    busy = stopped.get(timeout=LIMIT)
    second = pool.submit(queens, group="r")
    assert pool.submit(pawns, group="p").result(LIMIT).proof
    assert not slow.done()
    assert not second.running()
    os.kill(busy, signal.SIGCONT)
    assert slow.result(LIMIT).proof
    assert second.result(LIMIT).proof


def test_keys_are_loaded_again_when_all_processes_ended(pool: ProverPool, shipped: TwoNets) -> None:
    (queens,) = shipped.jobs("queen", 1)
    first = parent_of(parent_of(pool.pids()[0]))
    os.kill(first, signal.SIGKILL)
    assert pool.submit(queens).result(LIMIT).proof
    assert parent_of(parent_of(pool.pids()[0])) != first


def test_an_heir_that_takes_too_long_is_given_up(shipped: TwoNets) -> None:
    pool = ProverPool(shipped.store, keys=[], patience=Patience(load_s=0.0))
    pool.start()
    try:
        with pytest.raises(ProverFailed, match="more than 0 s"):
            pool.load(shipped.key("queen")).result(LIMIT)
        assert isinstance(
            pool.submit(ProofJob("pawn", "22" * 32, statement())).exception(LIMIT), ProverFailed
        )
    finally:
        pool.close()


def statement() -> Statement:
    return Statement(0, 0, 0, 0, 0, 0)


def test_jobs_whose_key_is_loaded_come_last_and_nobody_knows_when(tmp_path: Path) -> None:
    pool = ProverPool(tmp_path)  # is not started
    loaded = pool.load(HouseNetKey("queen", "11" * 32))
    late = pool.submit(ProofJob("queen", "11" * 32, statement()), group="q")
    soon = pool.submit(ProofJob("pawn", "22" * 32, statement()), group="p")
    places = pool.places()
    assert (places[soon].position, places[late].position) == (1, 2)
    pool.close()
    assert isinstance(loaded.exception(0), ProverDied)
    assert isinstance(pool.load(HouseNetKey("queen", "11" * 32)).exception(0), ProverDied)
