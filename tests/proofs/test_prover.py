import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from proofs.circuit import MoveCircuit
from proofs.errors import ProverDied, ProverFailed
from proofs.groth16 import verify
from proofs.keys import KeyRecord, KeyStore
from proofs.prover import ProofJob, ProofResult, ProverPool
from proofs.statement import Statement
from tests.proofs.positions import game_statements

LIMIT = 120


@pytest.fixture(scope="module")
def statements(pawn: MoveCircuit) -> list[Statement]:
    return game_statements(pawn.net, 8)


@pytest.fixture(scope="module")
def pool(pawn_key: tuple[KeyStore, KeyRecord]) -> Iterator[ProverPool]:
    pool = ProverPool(pawn_key[0].root, workers=1)
    pool.start()
    pool.ready.result(LIMIT)
    yield pool
    pool.close()


@pytest.fixture
def job(
    pawn_key: tuple[KeyStore, KeyRecord], statements: list[Statement]
) -> Callable[[int], ProofJob]:
    return lambda k: ProofJob("pawn", pawn_key[1].key_hash, statements[k])


class Started:
    """An on_start callback that can be waited for."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def __call__(self) -> None:
        self._event.set()

    def wait(self) -> None:
        assert self._event.wait(LIMIT)

    @property
    def yes(self) -> bool:
        return self._event.is_set()


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def wait_until_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + 20
    while any(is_alive(pid) for pid in pids):
        assert time.monotonic() < deadline, "a prover outlived its pool"
        time.sleep(0.01)


def test_proofs_come_in_order_and_verify(
    pool: ProverPool, job: Callable[[int], ProofJob], pawn_key: tuple[KeyStore, KeyRecord]
) -> None:
    begun: list[int] = []
    futures = [pool.submit(job(k), partial(begun.append, k)) for k in range(3)]
    assert pool.position(futures[2]) >= 1
    results = [f.result(LIMIT) for f in futures]
    assert begun == [0, 1, 2]
    for k, result in enumerate(results):
        assert verify(pawn_key[1].vk, result.proof, job(k).statement.limbs)
        assert result.key_hash == pawn_key[1].key_hash
        assert 0 < result.cpu_s < 10
        assert result.wall_s > 0
    assert [pool.position(f) for f in futures] == [0, 0, 0]


def test_positions_count_from_the_next(pool: ProverPool, job: Callable[[int], ProofJob]) -> None:
    started = Started()
    futures = [pool.submit(job(0), started)] + [pool.submit(job(k)) for k in range(1, 4)]
    started.wait()
    assert [pool.position(f) for f in futures] == [0, 1, 2, 3]
    assert futures[1].cancel()
    assert [pool.position(f) for f in futures] == [0, 0, 1, 2]
    assert len([f for f in futures if not f.cancelled() and f.result(LIMIT)]) == 3


def test_submit_never_blocks(pool: ProverPool, job: Callable[[int], ProofJob]) -> None:
    start = time.perf_counter()
    futures = [pool.submit(job(0)) for _ in range(50)]
    elapsed = time.perf_counter() - start
    for future in reversed(futures):
        future.cancel()
    assert elapsed < 0.5
    for future in futures:
        if not future.cancelled():
            future.result(LIMIT)


async def test_the_event_loop_stays_free(pool: ProverPool, job: Callable[[int], ProofJob]) -> None:
    future = asyncio.wrap_future(pool.submit(job(0)))
    turns = 0
    while not future.done():
        await asyncio.sleep(0.005)
        turns += 1
    assert turns > 10
    assert isinstance(future.result(), ProofResult)


def test_a_false_statement_fails_and_the_worker_lives(
    pool: ProverPool, job: Callable[[int], ProofJob]
) -> None:
    true = job(0)
    before = pool.pids()
    false = replace(true, statement=replace(true.statement, index=true.statement.index ^ 1))
    with pytest.raises(ProverFailed, match="does not play"):
        pool.submit(false).result(LIMIT)
    with pytest.raises(ProverFailed, match="no key"):
        pool.submit(replace(true, key_hash="00" * 32)).result(LIMIT)
    with pytest.raises(ProverFailed, match="no house net"):
        pool.submit(replace(true, net_name="nobody")).result(LIMIT)
    assert pool.pids() == before


def test_a_start_callback_that_fails_hurts_nobody(
    pool: ProverPool, job: Callable[[int], ProofJob]
) -> None:
    def fail() -> None:
        raise RuntimeError("callback")

    assert pool.submit(job(1), fail).result(LIMIT).proof


def test_a_killed_worker_fails_its_job_and_is_replaced(
    pool: ProverPool, job: Callable[[int], ProofJob]
) -> None:
    started = Started()
    doomed, waiting = pool.submit(job(0), started), pool.submit(job(1))
    started.wait()
    (pid,) = pool.pids()
    os.kill(pid, signal.SIGKILL)
    assert isinstance(doomed.exception(LIMIT), ProverDied)
    start = time.monotonic()
    assert waiting.result(LIMIT).proof  # by a new worker, which need not load the key again
    assert time.monotonic() - start < 60
    assert pool.pids() != [pid]


def test_a_killed_foreman_is_replaced(pawn_key: tuple[KeyStore, KeyRecord]) -> None:
    pool = ProverPool(pawn_key[0].root / "empty")  # nothing to load
    pool.start()
    try:
        pool.ready.result(LIMIT)
        (pid,) = pool.pids()
        foreman = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
        os.kill(foreman, signal.SIGKILL)
        wait_until_gone([pid, foreman])
        job = ProofJob("pawn", "00" * 32, Statement(0, 0, 0, 0, 0, 0))
        errors = [pool.submit(job).exception(LIMIT) for _ in range(2)]
        assert isinstance(errors[1], ProverFailed)
    finally:
        pool.close()


@pytest.fixture
def late_store(pawn_key: tuple[KeyStore, KeyRecord], tmp_path: Path) -> Callable[[], None]:
    """Puts the key into the store at tmp_path: workers that are there already load it themselves,
    and are busy for a while."""
    record = pawn_key[1]
    return lambda: (tmp_path / record.key_hash).symlink_to(record.proving_key.parent)


def test_a_job_past_its_limit_is_ended(
    late_store: Callable[[], None], job: Callable[[int], ProofJob], tmp_path: Path
) -> None:
    pool = ProverPool(tmp_path, job_limit_s=0.05)
    pool.start()
    try:
        pool.ready.result(LIMIT)
        late_store()
        with pytest.raises(ProverDied, match=r"0\.05 s"):
            pool.submit(job(0)).result(LIMIT)
    finally:
        pool.close()


def test_close_ends_every_process(
    late_store: Callable[[], None], job: Callable[[int], ProofJob], tmp_path: Path
) -> None:
    pool = ProverPool(tmp_path, workers=2)
    pool.start()
    pool.ready.result(LIMIT)
    late_store()
    started = Started()
    running = pool.submit(job(0), started)
    queued = [pool.submit(job(k)) for k in range(1, 5)]
    started.wait()
    pids = pool.pids()
    assert pids
    pool.close()
    pool.close()
    wait_until_gone(pids)
    assert isinstance(running.exception(LIMIT), ProverDied)
    assert all(f.done() for f in queued)
    assert queued[-1].cancelled()
    assert isinstance(pool.submit(job(0)).exception(LIMIT), ProverDied)


def test_closing_while_warming_up(pawn_key: tuple[KeyStore, KeyRecord]) -> None:
    pool = ProverPool(pawn_key[0].root)
    pool.start()
    job = ProofJob("pawn", pawn_key[1].key_hash, Statement(0, 0, 0, 0, 0, 0))
    future: Future[ProofResult] = pool.submit(job)
    pool.close()
    assert future.cancelled()
    assert isinstance(pool.ready.exception(LIMIT), ProverDied)


PARENT = """
import sys
from proofs.prover import ProverPool
pool = ProverPool(sys.argv[1], workers=2)
pool.start()
pool.ready.result(60)
print(*pool.pids(), flush=True)
sys.stdin.read()
"""


def test_workers_end_with_a_killed_server(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        pids = [int(pid) for pid in server.stdout.readline().split()]
        assert pids
        server.kill()
    wait_until_gone(pids)
