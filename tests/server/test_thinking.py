"""Bots that take their time to choose a move: meanwhile nobody else waits."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer

from engine.encoding import Position
from proofs.errors import NotTheNetsMove, ProverDied
from server.arena import Arena
from server.client import Client
from server.effects import BotPlayer, DropThought, Prove, Think, WakeAt
from server.rebuild import take_up
from server.setback import FIRST_PAUSE
from server.site import Site
from server.web_app import make_app
from tests.server.conftest import LIMITS, Clock, Served
from tests.server.fake_arena import PAGE, fake_info
from tests.server.fakes import BOT, BOTS, OTHER_BOT, FakeChain, FakeProver, first_legal
from tests.server.play import Table
from tests.server.test_restart import House, frames, idle, stages
from tests.server.test_session import E4, NF3


class Ponderer:
    """Chooses the first legal move once it is told to, or fails with `fault`."""

    def __init__(self) -> None:
        self.asked = 0
        self.dropped = 0
        self.fault: Exception | None = None
        self.may_answer = asyncio.Event()

    async def __call__(self, position: Position, mask: int, dice: int) -> int:
        self.asked += 1
        try:
            await self.may_answer.wait()
        except asyncio.CancelledError:
            self.dropped += 1
            raise
        if self.fault is not None:
            raise self.fault
        return first_legal(position, mask, dice)


@pytest.fixture
def ponderer(monkeypatch: pytest.MonkeyPatch) -> Ponderer:
    """Plays BOT wherever tests make a game."""
    ponderer = Ponderer()
    bots = {**BOTS, BOT: BotPlayer(BOT, "slow", None, ponderer)}
    monkeypatch.setattr("tests.server.play.BOTS", bots)
    monkeypatch.setattr("tests.server.test_restart.BOTS", bots)
    return ponderer


@pytest.fixture
def table(ponderer: Ponderer) -> Table:
    return Table()


# --- the session --------------------------------------------------------------------------------


def choice(wish: Think) -> int:
    return first_legal(wish.position, wish.mask, wish.dice)


def test_the_bot_is_asked_once_and_its_move_goes_on_like_any_other(table: Table) -> None:
    (wish,) = table.of(Think, table.move(E4))
    assert wish.ply == 1
    assert table.stages() == ["proposed"]
    assert not table.of(Think, table.land())  # the opening, and then the move
    assert not table.of(Think, table.land())
    (proof,) = table.of(Prove, table.do(table.session.thought(wish.job, choice(wish), table.now)))
    assert (proof.ply, proof.statement.index) == (1, choice(wish))
    assert proof.statement.dice == wish.dice
    assert table.told()[-2:] == ["move 1", "queued 1"]
    table.settle()
    assert table.stages() == ["verified"] * 2


def test_an_answer_counts_once(table: Table) -> None:
    (wish,) = table.of(Think, table.move(E4))
    table.do(table.session.thought(wish.job, choice(wish), table.now))
    assert table.session.thought(wish.job, choice(wish), table.now) == []
    assert table.session.unthinkable(wish.job, "too late", table.now) == []


def test_a_resignation_drops_the_thought(table: Table) -> None:
    (wish,) = table.of(Think, table.move(E4))
    assert table.of(DropThought, table.resign()) == [DropThought(wish.job)]
    assert table.session.thought(wish.job, choice(wish), table.now) == []


def test_a_move_that_is_taken_back_drops_the_thought_about_it(table: Table) -> None:
    table.land()
    (wish,) = table.of(Think, table.move(E4))
    effects = table.refuse()
    assert table.of(DropThought, effects) == [DropThought(wish.job)]
    assert table.session.thought(wish.job, choice(wish), table.now) == []
    (other,) = table.of(Think, table.move(NF3))
    assert other.job != wish.job


def test_a_bot_that_cannot_choose_is_asked_again_after_a_pause(table: Table) -> None:
    (wish,) = table.of(Think, table.move(E4))
    effects = table.do(table.session.unthinkable(wish.job, "it died", table.now))
    assert effects == [WakeAt(table.now + FIRST_PAUSE)]
    assert table.session.holds_up == "the bot's move is tried again soon: it died"
    table.now += FIRST_PAUSE
    (again,) = table.of(Think, table.do(table.session.woke(table.now)))
    table.do(table.session.thought(again.job, choice(again), table.now))
    table.settle()
    assert table.stages() == ["verified"] * 2


def test_no_illegal_move_is_played_for_a_bot(table: Table) -> None:
    (wish,) = table.of(Think, table.move(E4))
    illegal = next(index for index in range(1858) if not wish.mask >> index & 1)
    effects = table.do(table.session.thought(wish.job, illegal, table.now))
    assert effects == [WakeAt(table.now + FIRST_PAUSE)]
    assert table.stages() == ["proposed"]


def test_an_answer_that_comes_while_the_bot_is_held_up_is_asked_for_again(table: Table) -> None:
    (first,) = table.of(Think, table.move(E4))
    (proof,) = table.of(Prove, table.do(table.session.thought(first.job, choice(first), table.now)))
    (second,) = table.of(Think, table.move(NF3))
    table.do(table.session.unprovable(proof.job, "it died", table.now))
    assert table.session.thought(second.job, choice(second), table.now) == []
    table.now += FIRST_PAUSE
    (again,) = table.of(Think, table.do(table.session.woke(table.now)))
    assert again.ply == second.ply
    table.do(table.session.thought(again.job, choice(again), table.now))
    table.settle()
    assert table.stages() == ["verified"] * 4


def test_two_bots_meet_though_one_of_them_ponders(ponderer: Ponderer) -> None:
    table = Table(white=BOT, black=OTHER_BOT)
    (wish,) = table.of(Think)
    table.do(table.session.thought(wish.job, choice(wish), table.now))
    assert table.stages() == ["queued", "queued"]
    for _ in range(2):
        table.settle()
        wish = table.of(Think)[-1]
        table.do(table.session.thought(wish.job, choice(wish), table.now))
    assert table.session.line.landed >= 4


# --- the arena ----------------------------------------------------------------------------------


@pytest.fixture
async def served(ponderer: Ponderer) -> AsyncIterator[Served]:
    clock = Clock()
    chain, prover = FakeChain(now=clock), FakeProver()
    bots = {**BOTS, BOT: BotPlayer(BOT, "slow", None, ponderer)}
    arena = Arena(chain, prover, bots, limits=LIMITS, now=clock)
    site = Site(page=PAGE, arena=arena, info=fake_info())
    server = TestServer(make_app(site))
    await server.start_server()
    yield Served(str(server.make_url("/")), site, arena, chain, prover, clock)
    await arena.close()
    await server.close()


async def begun(served: Served, nonce: int) -> Client:
    client = await Client.connect(served.url, game=await served.open(nonce=nonce))
    await client.wait_until(lambda: client.snapshot is not None)
    await served.move(client, E4)
    return client


async def test_nobody_waits_for_a_bot_that_ponders(served: Served, ponderer: Ponderer) -> None:
    async with await begun(served, 0) as one, await begun(served, 1) as other:
        for client in (one, other):
            await client.wait_stage(0, "verified")
        assert ponderer.asked == 2
        ponderer.may_answer.set()
        for client in (one, other):
            assert (await client.wait_stage(1, "verified")).by == "bot"


async def test_a_thought_that_fails_is_told_to_the_players(
    served: Served, ponderer: Ponderer
) -> None:
    ponderer.fault = ProverDied("of this")
    ponderer.may_answer.set()
    async with await begun(served, 0) as client:
        (hosted,) = served.arena.games()
        await client.wait_until(lambda: "of this" in str(hosted.waiting))
        assert not hosted.thoughts


async def test_a_thought_in_vain_is_ended(served: Served, ponderer: Ponderer) -> None:
    async with await begun(served, 0) as client:
        (hosted,) = served.arena.games()
        await client.wait_until(lambda: ponderer.asked == 1)
        (task,) = hosted.thoughts.values()
        served.arena._thinking.drop(hosted, next(iter(hosted.thoughts)))
        await asyncio.wait([task])
        assert ponderer.dropped == 1
        assert not hosted.thoughts


async def test_only_a_bot_that_can_choose_is_offered(served: Served) -> None:
    assert [v for v, bot in served.arena.bots.items() if bot.is_played] == [BOT, OTHER_BOT]


# --- restarts -----------------------------------------------------------------------------------


async def proposed(
    house: House, until: Callable[[Arena], bool], *, is_proven: bool = True
) -> Arena:
    """A game in which White has moved; nothing lands."""
    arena = await house.start()
    house.prover.is_held = not is_proven
    hosted = arena.game(house.open(arena, bytes.fromhex(arena.offer(BOT).commitment[2:])))
    await idle(arena)
    house.chain.hold()
    house.move(arena, hosted, E4)
    async with asyncio.timeout(60):
        while not until(arena):  # noqa: ASYNC110 many small things lead to it
            await asyncio.sleep(0.005)
    return arena


async def test_the_bot_is_asked_again_after_a_restart(tmp_path: Path, ponderer: Ponderer) -> None:
    house = House(tmp_path)
    arena = await proposed(house, lambda _: ponderer.asked == 1)
    await house.kill(arena)
    house.chain.release()
    ponderer.may_answer.set()
    arena = await house.start()
    await idle(arena)
    (hosted,) = arena.games()
    assert ponderer.asked == 2
    assert stages(hosted) == ["verified"] * 2
    await arena.close()


async def test_its_move_stands_after_a_restart_with_its_proof(
    tmp_path: Path, ponderer: Ponderer
) -> None:
    house = House(tmp_path)
    ponderer.may_answer.set()
    arena = await proposed(
        house, lambda a: next(a.games()).session.line.plies[-1].proof is not None
    )
    await house.kill(arena)
    house.chain.release()
    arena = await house.start()
    await idle(arena)
    (hosted,) = arena.games()
    assert ponderer.asked == 1
    assert house.prover.jobs == []
    assert stages(hosted) == ["verified"] * 2
    await arena.close()


async def test_a_stored_move_that_it_does_not_play_is_taken_back_by_the_prover(
    tmp_path: Path, ponderer: Ponderer
) -> None:
    house = House(tmp_path)
    ponderer.may_answer.set()
    arena = await proposed(house, lambda a: next(a.games()).session.line.next == 2, is_proven=False)
    (hosted,) = arena.games()
    version = hosted.room.version
    await house.kill(arena)
    house.chain.release()
    arena = await house.start()
    house.prover.faults = [NotTheNetsMove(0, 1)] * LIMITS.proof_tries
    (hosted,) = arena.games()
    async with asyncio.timeout(60):
        while hosted.session.holds_up is None:  # noqa: ASYNC110 many small things lead to it
            await asyncio.sleep(0.005)
    told = [frame.d for frame in frames(hosted, version) if frame.t == "correction"]
    assert [(d.ply, d.cause) for d in told] == [(1, "unprovable")]
    await arena.close()


async def test_games_are_taken_up_without_waiting_for_it(
    tmp_path: Path, ponderer: Ponderer
) -> None:
    house = House(tmp_path)
    await (await proposed(house, lambda _: ponderer.asked == 1)).close()
    arena = Arena(house.chain, FakeProver(), BOTS, limits=LIMITS, now=house.clock)
    async with asyncio.timeout(60):
        await take_up(arena, house.chain)
    await arena.close()
