"""ONNX bots' moves in the pool: the same queue and workers, each with a child that runs ezkl."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from proofs.errors import NotTheNetsMove, ProverFailed
from proofs.ezkl_build import Manifest
from proofs.prover import ProofJob, ProverPool
from server.bench.host import children_of
from tests.proofs.ezkl_fixture import Proven, proven

LIMIT = 240


def job_of(seed: int) -> ProofJob:
    made: Proven = proven(seed)
    key = Manifest.read(made.folder).key_hash
    return ProofJob("tiny", key, made.statement, made.folder)


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProverPool]:
    """One worker, and no house net's keys to load."""
    pool = ProverPool(tmp_path_factory.mktemp("keys"), workers=1)
    pool.start()
    pool.ready.result(LIMIT)
    yield pool
    pool.close()


def child_of(pool: ProverPool) -> int:
    """The process in which the pool's only worker runs ezkl."""
    (child,) = children_of(pool.pids()[0])
    assert b"proofs.ezkl_process" in Path(f"/proc/{child}/cmdline").read_bytes()
    return child


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_gone(pid: int) -> bool:
    try:
        return " Z " in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True


def test_a_proof_is_made_checked_and_of_its_key(pool: ProverPool) -> None:
    job = job_of(1)
    result = pool.submit(job).result(LIMIT)
    assert len(result.proof) == len(proven(1).proof)
    assert result.proof[: 4 * 131] == proven(1).proof[: 4 * 131]
    assert result.key_hash == job.key_hash
    assert result.cpu_s > 0


def test_a_false_statement_is_refused_and_the_child_lives(pool: ProverPool) -> None:
    job = job_of(1)
    pool.submit(job).result(LIMIT)
    child = child_of(pool)
    mask = job.statement.mask & ~(1 << job.statement.index)
    other = (mask & -mask).bit_length() - 1
    with pytest.raises(NotTheNetsMove):
        pool.submit(replace(job, statement=replace(job.statement, index=other))).result(LIMIT)
    assert child_of(pool) == child


def test_a_worker_has_one_child_whatever_it_proves(pool: ProverPool) -> None:
    pool.submit(job_of(1)).result(LIMIT)
    first = child_of(pool)
    pool.submit(job_of(2)).result(LIMIT)
    assert child_of(pool) != first
    assert is_gone(first)


def test_folders_that_are_not_what_they_should_be_fail_and_the_worker_lives(
    pool: ProverPool, tmp_path: Path
) -> None:
    before, job = pool.pids(), job_of(1)
    with pytest.raises(ProverFailed, match="manifest"):
        pool.submit(replace(job, folder=tmp_path)).result(LIMIT)
    with pytest.raises(ProverFailed, match="no key"):
        pool.submit(replace(job, key_hash="00" * 32)).result(LIMIT)
    assert pool.pids() == before


def test_a_child_that_dies_is_replaced_for_the_next_job(pool: ProverPool) -> None:
    pool.submit(job_of(1)).result(LIMIT)
    os.kill(child_of(pool), signal.SIGKILL)
    with pytest.raises(ProverFailed, match="ezkl's process ended"):
        pool.submit(job_of(1)).result(LIMIT)
    assert pool.submit(job_of(1)).result(LIMIT).proof


def test_a_killed_worker_takes_its_child_along_and_another_does_its_job(pool: ProverPool) -> None:
    pool.submit(job_of(1)).result(LIMIT)
    worker, child = pool.pids()[0], child_of(pool)
    started = threading.Event()
    future = pool.submit(job_of(1), started.set)
    assert started.wait(LIMIT)
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: is_gone(child))
    assert future.result(LIMIT).proof
    assert pool.pids() != [worker]


def test_nothing_is_left_of_a_closed_pool(tmp_path: Path) -> None:
    pool = ProverPool(tmp_path)
    pool.start()
    pool.submit(job_of(1)).result(LIMIT)
    left = [*pool.pids(), child_of(pool)]
    pool.close()
    for pid in left:
        wait_until(lambda pid=pid: is_gone(pid))  # type: ignore[misc]
