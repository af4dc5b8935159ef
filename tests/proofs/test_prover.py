import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from proofs.circuit import MoveCircuit
from proofs.errors import NotTheNetsMove, ProverDied, ProverFailed, ProversBusy
from proofs.groth16 import verify
from proofs.keys import KeyRecord, KeyStore
from proofs.pace import Patience
from proofs.prover import TRIES, PoolState, ProofJob, ProofResult, ProverPool
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
    deadline = time.monotonic() + 60
    while any(is_alive(pid) for pid in pids):
        assert time.monotonic() < deadline, "a prover outlived its pool"
        time.sleep(0.01)


@contextmanager
def held(pool: ProverPool) -> Iterator[None]:
    """The only worker stands still, however long this thread takes for what it does inside."""
    (worker,) = pool.pids()
    os.kill(worker, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(worker, signal.SIGCONT)


def wait_until_busy(pool: ProverPool) -> None:
    deadline = time.monotonic() + LIMIT
    while not pool.state().busy:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_proofs_come_in_order_and_verify(
    pool: ProverPool, job: Callable[[int], ProofJob], pawn_key: tuple[KeyStore, KeyRecord]
) -> None:
    begun: list[int] = []
    with held(pool):
        futures = [pool.submit(job(k), partial(begun.append, k)) for k in range(3)]
        assert pool.places()[futures[2]].position >= 1
    results = [f.result(LIMIT) for f in futures]
    assert begun == [0, 1, 2]
    for k, result in enumerate(results):
        assert verify(pawn_key[1].vk, result.proof, job(k).statement.limbs)
        assert result.key_hash == pawn_key[1].key_hash
        assert result.cpu_s > 0
        assert 0 < result.wall_s < LIMIT  # seconds
    assert pool.places() == {}


def test_positions_count_from_the_next(pool: ProverPool, job: Callable[[int], ProofJob]) -> None:
    assert pool.submit(job(0)).result(LIMIT).proof  # so that something is known of such jobs
    with held(pool):
        futures = [pool.submit(job(k)) for k in range(4)]
        wait_until_busy(pool)
        places = pool.places()
        assert [places[f].position for f in futures] == [0, 1, 2, 3]
        waits = [places[f].wait_seconds or 0 for f in futures]
        assert waits == sorted(waits)
        median = pool.state().median_seconds
        assert median is not None
        assert waits[3] - waits[1] == pytest.approx(2 * median)
        assert futures[1].cancel()
        places = pool.places()
        assert [places[f].position for f in futures if f in places] == [0, 1, 2]
    assert len([f for f in futures if not f.cancelled() and f.result(LIMIT)]) == 3


def test_submit_never_blocks(pool: ProverPool, job: Callable[[int], ProofJob]) -> None:
    with held(pool):  # so that who waited for a proof would wait for ever
        futures = [pool.submit(job(0)) for _ in range(50)]
        for future in reversed(futures):
            future.cancel()
    for future in futures:
        if not future.cancelled():
            future.result(LIMIT)


async def test_the_event_loop_stays_free(pool: ProverPool, job: Callable[[int], ProofJob]) -> None:
    with held(pool):
        future = asyncio.wrap_future(pool.submit(job(0)))
        for _ in range(20):
            await asyncio.sleep(0.005)
        assert not future.done()
    assert isinstance(await future, ProofResult)


def test_a_false_statement_fails_and_the_worker_lives(
    pool: ProverPool, job: Callable[[int], ProofJob]
) -> None:
    true = job(0)
    before = pool.pids()
    false = replace(true, statement=replace(true.statement, index=true.statement.index ^ 1))
    with pytest.raises(NotTheNetsMove, match="does not play"):
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


# --- losses ------------------------------------------------------------------------------------


class Hurt:
    """An on_start callback that sends the first worker a signal, once or each time."""

    def __init__(self, pool: ProverPool, number: signal.Signals, *, times: int = 1) -> None:
        self.pool = pool
        self.number = number
        self.left = times
        self.hurt: list[int] = []

    def __call__(self) -> None:
        if self.left > 0:
            self.left -= 1
            self.hurt.append(self.pool.pids()[0])
            os.kill(self.hurt[-1], self.number)


def foreman_of(pool: ProverPool) -> int:
    stat = Path(f"/proc/{pool.pids()[0]}/stat").read_text()
    return int(stat.rsplit(")", 1)[1].split()[1])


@contextmanager
def running(store: Path, **options: Any) -> Iterator[ProverPool]:
    pool = ProverPool(store, **options)
    pool.start()
    try:
        pool.ready.result(LIMIT)
        yield pool
    finally:
        pool.close()


def test_the_job_of_a_killed_worker_is_done_by_another(
    pool: ProverPool, job: Callable[[int], ProofJob]
) -> None:
    order: list[str] = []
    restarts = pool.state().restarts
    hurt = Hurt(pool, signal.SIGKILL)
    doomed = pool.submit(job(0), hurt, on_again=lambda: order.append("again"))
    other = pool.submit(job(1), lambda: order.append("other"))
    assert doomed.result(LIMIT).proof
    assert other.result(LIMIT).proof
    assert order == ["again", "other"]  # what was lost goes before all others
    assert pool.pids() != hurt.hurt
    assert pool.state().restarts == restarts + 1


def test_a_stopped_worker_is_killed_and_its_job_done_by_another(
    pawn_key: tuple[KeyStore, KeyRecord], job: Callable[[int], ProofJob]
) -> None:
    patience = Patience(unknown_s=5.0, least_s=60.0)
    with running(pawn_key[0].root, patience=patience) as pool:
        hurt = Hurt(pool, signal.SIGSTOP)
        assert pool.submit(job(0), hurt).result(LIMIT).proof
        wait_until_gone(hurt.hurt)


def test_the_job_of_a_killed_foreman_is_done_by_another(
    pawn_key: tuple[KeyStore, KeyRecord], job: Callable[[int], ProofJob]
) -> None:
    with running(pawn_key[0].root) as pool:
        gone = [*pool.pids(), foreman_of(pool)]
        started = Started()
        future = pool.submit(job(0), started)
        started.wait()
        os.kill(gone[1], signal.SIGKILL)
        assert future.result(LIMIT).proof
        wait_until_gone(gone)


def nothing(group: str = "") -> ProofJob:
    """A job that fails at once: nobody has this key."""
    return ProofJob("pawn", group.rjust(64, "0"), Statement(0, 0, 0, 0, 0, 0))


def test_a_foreman_that_is_stopped_is_replaced(tmp_path: Path) -> None:
    with running(tmp_path, patience=Patience(fork_s=0.5)) as pool:
        worker, foreman = *pool.pids(), foreman_of(pool)
        os.kill(foreman, signal.SIGSTOP)
        os.kill(worker, signal.SIGKILL)
        assert isinstance(pool.submit(nothing()).exception(LIMIT), ProverFailed)
        wait_until_gone([worker, foreman])


def test_a_killed_foreman_is_no_fault_of_the_jobs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("proofs.prover.TRIES", 1)
    with running(tmp_path) as pool:
        worker, foreman = *pool.pids(), foreman_of(pool)
        os.kill(worker, signal.SIGSTOP)  # so that it does not answer before
        future = pool.submit(nothing())
        wait_until_busy(pool)
        os.kill(foreman, signal.SIGKILL)
        assert isinstance(future.exception(LIMIT), ProverFailed)  # by another worker


def test_a_job_that_ends_every_worker_fails_in_the_end(
    pool: ProverPool, job: Callable[[int], ProofJob]
) -> None:
    again: list[int] = []
    hurt = Hurt(pool, signal.SIGKILL, times=100)
    future = pool.submit(job(0), hurt, on_again=lambda: again.append(1))
    with pytest.raises(ProverDied, match=f"killed or crashed, and so did {TRIES - 1} before it"):
        future.result(LIMIT)
    assert len(set(hurt.hurt)) == TRIES
    assert len(again) == TRIES - 1
    assert pool.submit(job(1)).result(LIMIT).proof


@pytest.mark.parametrize("program", ["/bin/false", "/there/is/no/such/program"])
def test_provers_that_do_not_start_are_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    pool = ProverPool(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("sys.executable", program)
        pool.start()
        future = pool.submit(nothing())
        deadline = time.monotonic() + LIMIT
        while pool.state().fault is None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert not pool.state().ready
        assert pool.places()[future].wait_seconds is None
    try:
        assert isinstance(future.exception(LIMIT), ProverFailed)
        assert pool.state().fault is None
        assert pool.state().ready
    finally:
        pool.close()


# --- many games --------------------------------------------------------------------------------


def test_ten_games_of_which_one_floods_the_queue_take_turns(tmp_path: Path) -> None:
    begun: list[str] = []
    pool = ProverPool(tmp_path)
    flood = [pool.submit(nothing(), partial(begun.append, "a"), group="a") for _ in range(40)]
    others = [
        pool.submit(nothing(), partial(begun.append, game), group=game)
        for game in "bcdefghij"
        for _ in range(2)
    ]
    places = pool.places()
    assert max(places[f].position for f in others) == 20
    pool.start()
    try:
        for future in (*others, *flood):
            assert isinstance(future.exception(LIMIT), ProverFailed)
    finally:
        pool.close()
    assert begun[:20] == [*"abcdefghij"] * 2
    assert begun[20:] == ["a"] * 38


def test_a_late_game_does_not_wait_for_a_flood(
    pool: ProverPool, job: Callable[[int], ProofJob]
) -> None:
    begun: list[str] = []
    with held(pool):
        flood = [
            pool.submit(job(k), partial(begun.append, f"flood {k}"), group="flood")
            for k in range(4)
        ]
        late = pool.submit(job(4), partial(begun.append, "late"), group="late")
    assert all(f.result(LIMIT) for f in (late, *flood))
    assert begun.index("late") < begun.index("flood 2")


def test_more_than_the_queue_takes_is_refused(tmp_path: Path) -> None:
    pool = ProverPool(tmp_path, queue_limit=2)
    kept, dropped, refused = (pool.submit(nothing()) for _ in range(3))
    error = refused.exception(0)
    assert isinstance(error, ProversBusy)
    assert error.queued == 2
    assert dropped.cancel()
    assert not pool.submit(nothing()).done()
    assert pool.state() == PoolState(False, 0, 0, 2, 0, None, None)
    pool.close()
    assert kept.cancelled()


@pytest.fixture
def late_store(pawn_key: tuple[KeyStore, KeyRecord], tmp_path: Path) -> Callable[[], None]:
    """Puts the key into the store at tmp_path: workers that are there already load it themselves,
    and are busy for a while."""
    record = pawn_key[1]
    return lambda: (tmp_path / record.key_hash).symlink_to(record.proving_key.parent)


def test_a_job_that_is_stuck_each_time_gets_longer_and_fails(
    late_store: Callable[[], None], job: Callable[[int], ProofJob], tmp_path: Path
) -> None:
    with running(tmp_path, patience=Patience(unknown_s=0.02)) as pool:
        late_store()
        stop = Hurt(pool, signal.SIGSTOP, times=100)  # however fast the machine is
        with pytest.raises(ProverDied, match=f"more than {0.02 * 2 ** (TRIES - 1):g} s"):
            pool.submit(job(0), stop).result(LIMIT)


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
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)  # so that nothing is done before the end
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
