"""Choices for ONNX bots: right, without holding up the event loop, by few children."""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.export import Heads
from proofs.errors import EzklFailed, ProverDied
from proofs.ezkl_chooser import Choosers
from tests.proofs.ezkl_fixture import folder_of, position, tiny_net
from tests.proofs.test_prover_ezkl import is_gone


@pytest.fixture
def choosers() -> Iterator[Choosers]:
    choosers = Choosers(limit=1)
    yield choosers
    choosers.close()


def expected(seed: int) -> int:
    here, mask = position()
    outputs = tiny_net(seed).outputs(here.board)
    return Heads(by_piece=False).choose(outputs, here.board, mask)


async def test_the_choice_is_the_nets_and_nobody_waits(choosers: Choosers) -> None:
    choice = asyncio.ensure_future(choosers.choose(folder_of(1), *position()))
    turns = 0
    while not choice.done():
        await asyncio.sleep(0.005)
        turns += 1
    assert turns > 10
    assert choice.result() == expected(1)
    (first,) = choosers.pids()
    assert await choosers.choose(folder_of(1), *position()) == expected(1)
    assert choosers.pids() == [first]


async def test_the_bot_asked_least_lately_makes_room(choosers: Choosers) -> None:
    assert await choosers.choose(folder_of(1), *position()) == expected(1)
    (first,) = choosers.pids()
    assert await choosers.choose(folder_of(2), *position()) == expected(2)
    assert len(choosers.pids()) == 1
    assert is_gone(first)


async def test_a_child_that_died_is_replaced_at_once(choosers: Choosers) -> None:
    await choosers.choose(folder_of(1), *position())
    os.kill(choosers.pids()[0], signal.SIGKILL)
    assert await choosers.choose(folder_of(1), *position()) == expected(1)


async def test_a_folder_that_holds_no_bot_fails_and_others_go_on(
    choosers: Choosers, tmp_path: Path
) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(EzklFailed, match="manifest"):
        await choosers.choose(tmp_path, *position())
    with pytest.raises(OSError, match=r"manifest\.json"):
        await choosers.choose(tmp_path / "none", *position())
    assert await choosers.choose(folder_of(1), *position()) == expected(1)


async def test_closing_ends_even_a_child_that_stands_still(tmp_path: Path) -> None:
    choosers = Choosers()
    await choosers.choose(folder_of(1), *position())
    (child,) = choosers.pids()
    os.kill(child, signal.SIGSTOP)
    choice = asyncio.ensure_future(choosers.choose(folder_of(1), *position()))
    await asyncio.sleep(0)
    await asyncio.to_thread(choosers.close)
    with pytest.raises((ProverDied, asyncio.CancelledError)):
        await choice
    assert is_gone(child)
