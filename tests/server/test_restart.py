"""The arena killed at any line, and what it makes of store and chain when it starts again."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.errors import IllegalIndex, IllegalStart
from proofs.errors import ProverDied
from proofs.signing import Resign
from proofs.statement import commitment as commitment_of
from server import messages as m
from server.arena import Arena
from server.effects import BotMove, Intent, Landing, OpenGame, PlayerMove, Terms
from server.errors import CommandRefused, StoreFailed
from server.hosted import Hosted
from server.hub import Subscriber
from server.rebuild import open_store, take_up
from server.records import Batch
from server.store import Store, store_file
from tests.server.conftest import LIMITS, Clock
from tests.server.fakes import BOT, BOTS, DOMAIN, PAYEE, FakeChain, FakeProver, Player, last_legal
from tests.server.test_session import E4, NF3, indices

D4 = indices("d2d4")[0]


class Killed(BaseException):
    """The process ends here."""


class House:
    """A chain and a data folder that outlive the arenas on them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self.chain = FakeChain(now=self.clock)
        self.player = Player()
        self.prover = FakeProver()
        self.shown: dict[int, str] = {}
        self.kill_at = -1
        self.points = 0
        self.is_dead = False

    async def start(self, *, anew: bool = False) -> Arena:
        """A new process."""
        self.is_dead, self.prover = False, FakeProver()
        store = open_store(self.folder, anew=anew)
        store.write = self.deadly(store.write)  # type: ignore[method-assign, assignment]
        arena = Arena(self.chain, self.prover, BOTS, limits=LIMITS, now=self.clock, store=store)
        await take_up(arena, self.chain)
        return arena

    async def kill(self, arena: Arena) -> None:
        """Nothing of the process is left, and nothing was cleaned up."""
        self.is_dead = True
        await arena._tasks.cancel()
        arena._writing.close()
        assert arena.store is not None
        arena.store.close()

    def point(self) -> None:
        """A line at which the process may end; after its end every line is one."""
        self.points += 1
        if self.is_dead or self.points - 1 == self.kill_at:
            self.is_dead = True
            raise Killed

    def deadly(self, write: Callable[[Batch], None]) -> Callable[[Batch], None]:
        def written(batch: Batch) -> None:
            self.point()
            write(batch)
            self.point()

        return written

    # --- what a player does ---------------------------------------------------------------------

    def open(self, arena: Arena, commitment: bytes) -> bytes:
        opening = self.player.open(commitment, expires=int(self.clock()) + 500)
        return arena.open_game(opening, opening.sign(DOMAIN, self.player.key))

    def move(self, arena: Arena, hosted: Hosted, index: int) -> int:
        line = hosted.session.line
        ply = line.next
        signature = self.player.move(hosted.session.id, ply, line.history, index)
        data = m.MoveData(ply=ply, index=index, signature="0x" + signature.hex())
        arena.command(hosted, m.Move(t="move", d=data))
        return ply

    def resign(self, arena: Arena, hosted: Hosted) -> None:
        signature = Resign(hosted.session.id).sign(DOMAIN, self.player.key)
        data = m.ResignData(signature="0x" + signature.hex())
        arena.command(hosted, m.Resign(t="resign", d=data))


@pytest.fixture
async def house(tmp_path: Path) -> House:
    return House(tmp_path)


async def idle(arena: Arena) -> None:
    """Until all that can be done is done."""
    async with asyncio.timeout(60):
        await arena._tasks.join()


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not is_so():  # noqa: ASYNC110 many small things lead to it
            await asyncio.sleep(0.005)


async def begun(house: House, *moves: int) -> tuple[Arena, Hosted]:
    """A game with some moves and their answers, all landed."""
    arena = await house.start()
    hosted = arena.game(house.open(arena, bytes.fromhex(arena.offer(BOT).commitment[2:])))
    await idle(arena)
    for index in moves:
        house.move(arena, hosted, index)
        await idle(arena)
    return arena, hosted


def stages(hosted: Hosted) -> list[str | None]:
    return [ply.stage for ply in hosted.session.line.plies]


def frames(hosted: Hosted, since: int | None = None) -> list[Any]:
    """What someone gets who looks on now."""
    reader = Subscriber()
    hosted.room.subscribe(reader, since=since)
    hosted.room.unsubscribe(reader)
    return [m.parse_server_frame(wire) for wire in reader._queue]


# --- killed at any line --------------------------------------------------------------------------


class MortalChain(FakeChain):
    """Dies with the process, before or after it took a transaction."""

    def __init__(self, house: House) -> None:
        super().__init__(now=house.clock)
        self.house = house

    async def send(self, terms: Terms, intent: Intent, on_sent: Callable[[str], None]) -> Landing:
        self.house.point()

        def sent(tx: str) -> None:
            on_sent(tx)
            self.house.point()

        landing = await super().send(terms, intent, sent)
        self.house.point()
        return landing


SCRIPT = (E4, NF3, D4)


async def play_through(house: House, acked: list[tuple[int, int]], arena: Arena) -> Arena:
    """Play the script as a client does: what got no answer is sent again.  May die."""
    games = list(arena.games())
    if not games:
        commitment = bytes.fromhex(arena.offer(BOT).commitment[2:])
        games = [arena.game(house.open(arena, commitment))]
    (hosted,) = games
    for number, index in enumerate(SCRIPT):
        if hosted.session.line.next > 2 * number:
            assert hosted.session.line.plies[2 * number].index == index
            continue
        acked.append((house.move(arena, hosted, index), index))
        await asyncio.sleep(0.001)  # or the next comes upon a move that is only proposed
        if number == 1:
            await idle(arena)
    await idle(arena)
    return arena


@contextmanager
def deaths_caught(house: House) -> Iterator[None]:
    try:
        yield
    except Killed:
        assert house.is_dead


async def life(house: House, acked: list[tuple[int, int]]) -> Arena | None:
    """One process, to its end or to the end of the script."""
    with deaths_caught(house):
        arena = await house.start()
        try:
            await play_through(house, acked, arena)
        except Killed:
            await house.kill(arena)
            raise
        if not house.is_dead:
            return arena
        await house.kill(arena)
    return None


async def count_points(folder: Path) -> int:
    house = House(folder)
    house.chain = MortalChain(house)
    arena = await life(house, [])
    assert arena is not None
    await house.kill(arena)
    return house.points


async def test_killed_at_any_line_no_acked_move_is_lost_and_none_sent_twice(
    tmp_path: Path,
) -> None:
    points = await count_points(tmp_path / "count")
    assert points > 60
    for kill_at in range(points):
        house = House(tmp_path / str(kill_at))
        house.chain, house.kill_at = MortalChain(house), kill_at
        acked: list[tuple[int, int]] = []
        assert await life(house, acked) is None or house.points <= kill_at
        house.kill_at = -1
        arena = await house.start()
        for hosted in arena.games():  # before the client says anything again
            line = [ply.index for ply in hosted.session.line.plies]
            assert [line[ply] for ply, _ in acked] == [index for _, index in acked], kill_at
        await play_through(house, acked, arena)
        (hosted,) = arena.games()
        assert stages(hosted) == ["verified"] * 6, kill_at
        (game,) = house.chain.held.values()
        assert [move.index for move in game.moves[::2]] == list(SCRIPT), kill_at
        for ply, index in acked:
            assert game.moves[ply].index == index, kill_at
        check_versions(hosted)
        await house.kill(arena)


def check_versions(hosted: Hosted) -> None:
    """All that was kept of the game follows without a gap, and ends as the game is now."""
    found = frames(hosted, since=hosted.room._history.version - len(hosted.room._history._events))
    versions = [frame.v for frame in found]
    assert versions == list(range(versions[0], versions[0] + len(versions)))


# --- one by one ---------------------------------------------------------------------------------


async def test_an_acked_move_that_was_not_sent_lands_after_a_restart(house: House) -> None:
    arena, hosted = await begun(house, E4)
    house.chain.hold()
    house.move(arena, hosted, NF3)
    await house.kill(arena)  # between writing and sending
    house.chain.release()
    assert len(house.chain.held[hosted.session.id].moves) == 2
    arena = await house.start()
    again = arena.game(hosted.session.id)
    assert again.session.line.plies[2].index == NF3
    await idle(arena)
    assert stages(again) == ["verified"] * 4
    await arena.close()


async def test_answers_to_moves_that_were_only_proposed_come_back_with_their_proofs(
    house: House,
) -> None:
    arena, hosted = await begun(house)
    house.chain.hold()
    for index in (E4, NF3):
        house.move(arena, hosted, index)
    await until(lambda: [p.stage for p in hosted.session.line.plies[1::2]] == ["proved"] * 2)
    before = hosted.session.line.plies
    await house.kill(arena)
    house.chain.release()
    arena = await house.start()
    again = arena.game(hosted.session.id)
    await idle(arena)
    assert stages(again) == ["verified"] * 4
    assert house.prover.jobs == []  # both proofs were kept
    assert [p.prove_seconds for p in again.session.line.plies] == [None, 1.5, None, 1.5]
    assert [p.history for p in again.session.line.plies] == [p.history for p in before]
    await arena.close()


async def test_a_proof_for_another_payee_is_made_anew(house: House) -> None:
    arena, hosted = await begun(house)
    house.chain.hold()
    house.move(arena, hosted, E4)
    await until(lambda: hosted.session.line.plies[-1].stage == "proved")
    await house.kill(arena)
    house.chain.release()
    house.chain.payee = PAYEE + 1
    arena = await house.start()
    await idle(arena)
    assert [job.statement.payee for job in house.prover.jobs] == [PAYEE + 1]
    assert house.chain.held[hosted.session.id].moves[1].payee == PAYEE + 1
    await arena.close()


async def test_a_stored_move_that_the_bot_does_not_play_is_taken_back(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    arena, hosted = await begun(house)
    house.chain.hold()
    house.move(arena, hosted, E4)
    await until(lambda: hosted.session.line.plies[-1].stage == "proved")
    await house.kill(arena)
    house.chain.release()
    other = {**BOTS, BOT: replace(BOTS[BOT], choose=last_legal)}
    monkeypatch.setattr("tests.server.test_restart.BOTS", other)
    arena = await house.start()
    again = arena.game(hosted.session.id)
    await idle(arena)
    assert stages(again) == ["verified"] * 2
    assert again.session.line.plies[1].index != hosted.session.line.plies[1].index
    told = [f.d for f in frames(again, hosted.room.version) if f.t == "correction"]
    assert [(d.ply, d.cause) for d in told] == [(1, "other_move")]
    await arena.close()


async def test_a_stored_move_that_nobody_signed_is_not_played(house: House) -> None:
    arena, hosted = await begun(house, E4)
    house.chain.hold()
    house.move(arena, hosted, NF3)
    assert arena.store is not None
    row = arena.store.plies(hosted.session.id)[2]
    await house.kill(arena)
    house.chain.release()
    store = Store.open(store_file(house.folder))
    with store.batch() as connection:
        connection.exec_driver_sql("UPDATE plies SET signature = ? WHERE ply = 2", (bytes(65),))
    store.close()
    arena = await house.start()
    again = arena.game(hosted.session.id)
    await idle(arena)
    assert stages(again) == ["verified"] * 2
    assert row.signature != bytes(65)
    told = [f.d for f in frames(again, hosted.room.version) if f.t == "correction"]
    assert [(d.ply, d.cause) for d in told] == [(2, "other_move")]
    await arena.close()


async def test_a_row_that_cannot_be_is_learned_from_the_chain(house: House) -> None:
    arena, hosted = await begun(house, E4, NF3)
    await house.kill(arena)
    store = Store.open(store_file(house.folder))
    with store.batch() as connection:
        connection.exec_driver_sql("UPDATE plies SET move = 1857 WHERE ply = 2")
    store.close()
    arena = await house.start()
    again = arena.game(hosted.session.id)
    assert stages(again) == ["verified"] * 4
    assert again.session.line.plies[2].index == NF3
    await arena.close()


async def test_a_resignation_that_was_not_sent_is_sent_after_a_restart(house: House) -> None:
    arena, hosted = await begun(house, E4)
    house.chain.hold()
    house.resign(arena, hosted)
    await house.kill(arena)
    house.chain.release()
    arena = await house.start()
    await idle(arena)
    ended = arena.game(hosted.session.id).session.ended
    assert ended is not None
    assert str(ended.outcome.reason) == "resignation"
    await arena.close()


async def test_an_acked_opening_that_was_not_sent_is_sent_after_a_restart(house: House) -> None:
    arena = await house.start()
    house.chain.hold()
    game = house.open(arena, bytes.fromhex(arena.offer(BOT).commitment[2:]))
    await house.kill(arena)
    house.chain.release()
    assert house.chain.held == {}
    arena = await house.start()
    await idle(arena)
    assert game in house.chain.held
    assert arena.game(game).session.status == "playing"
    await arena.close()


async def test_an_offer_is_good_after_a_restart_and_serves_one_game(house: House) -> None:
    arena = await house.start()
    commitment = bytes.fromhex(arena.offer(BOT).commitment[2:])
    for _ in range(2):
        await house.kill(arena)
        arena = await house.start()
    game = house.open(arena, commitment)
    await idle(arena)
    await house.kill(arena)
    arena = await house.start()
    assert arena.game(game).session.status == "playing"
    other = house.player.open(commitment, expires=int(house.clock()) + 500, nonce=1)
    with pytest.raises(CommandRefused) as caught:
        arena.open_game(other, other.sign(DOMAIN, house.player.key))
    assert caught.value.code == "offer_unknown"
    await arena.close()


async def test_who_comes_back_after_a_restart_gets_what_was_missed(house: House) -> None:
    arena, hosted = await begun(house, E4)
    seen = hosted.room.version
    house.move(arena, hosted, NF3)
    await idle(arena)
    missed = [frame.v for frame in frames(hosted, seen)]
    house.clock.time += 10
    await house.kill(arena)
    arena = await house.start()
    got = frames(arena.game(hosted.session.id), seen)
    assert [frame.v for frame in got][: len(missed)] == missed
    assert [frame.t for frame in got][len(missed) :] == ["full"]  # which tells of the absence
    assert got[-1].v == missed[-1] + 1
    await arena.close()


async def test_after_a_reboot_versions_begin_anew(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut may have taken events that somebody has seen."""
    arena, hosted = await begun(house, E4)
    seen = hosted.room.version
    await house.kill(arena)
    monkeypatch.setattr("server.rebuild._BOOT", house.folder / "no such file")
    house.clock.time += 10
    arena = await house.start()
    (full,) = frames(arena.game(hosted.session.id), seen)
    assert full.t == "full"
    assert full.v > seen + 1
    await arena.close()


async def test_gas_and_times_of_earlier_moves_survive(house: House) -> None:
    arena, hosted = await begun(house, E4)
    before = hosted.session.snapshot().moves
    await arena.close()
    arena.store.close()  # type: ignore[union-attr]
    house.clock.time += 100
    arena = await house.start()
    assert arena.game(hosted.session.id).session.snapshot().moves == before
    await arena.close()


async def test_absences_are_told_to_the_games_that_suffered_them(house: House) -> None:
    arena, hosted = await begun(house, E4)
    begun_at = house.clock.time
    assert arena.store is not None
    house.clock.time += 7
    arena.store.see_run(house.clock())
    house.clock.time += 3
    await house.kill(arena)
    house.clock.time += 50
    arena = await house.start()
    away = arena.game(hosted.session.id).room.full().d.away
    assert away == [m.Away(since=begun_at + 7, until=begun_at + 60)]
    late = arena.game(house.open(arena, bytes.fromhex(arena.offer(BOT).commitment[2:])))
    assert late.room.full().d.away == []
    again = arena.game(hosted.session.id)
    house.resign(arena, again)
    await idle(arena)
    await house.kill(arena)
    house.clock.time += 50
    arena = await house.start()
    assert arena.game(hosted.session.id).room.full().d.away == away
    await arena.close()


# --- store and chain apart ------------------------------------------------------------------------


async def test_a_store_older_than_the_chain_learns_the_rest_from_it(house: House) -> None:
    """A backup was put back; the games that it does not know were opened by our own key."""
    arena, hosted = await begun(house, E4)
    await arena.close()
    arena.store.close()  # type: ignore[union-attr]
    old = store_file(house.folder).read_bytes()
    arena = await house.start()
    house.move(arena, arena.game(hosted.session.id), NF3)
    later = house.player.open(
        bytes.fromhex(arena.offer(BOT).commitment[2:]), expires=int(house.clock()) + 500, nonce=5
    )
    other = arena.open_game(later, later.sign(DOMAIN, house.player.key))
    await idle(arena)
    await house.kill(arena)
    for path in house.folder.glob("arena.db*"):
        path.unlink()
    store_file(house.folder).write_bytes(old)
    arena = await house.start()
    again = arena.game(hosted.session.id)
    assert stages(again) == ["verified"] * 4
    house.move(arena, arena.game(other), E4)
    await idle(arena)
    assert stages(arena.game(other)) == ["verified"] * 2
    await arena.close()


async def test_a_chain_older_than_the_store_gets_the_moves_again(house: House) -> None:
    arena, hosted = await begun(house, E4, NF3)
    await house.kill(arena)
    game = house.chain.held[hosted.session.id]
    del game.moves[1:]
    for _ in range(3):
        game.game.board.pop()
    arena = await house.start()
    again = arena.game(hosted.session.id)
    told = [f.d for f in frames(again, hosted.room.version) if f.t == "correction"]
    assert [(d.ply, d.cause) for d in told] == [(1, "reorg")]
    await idle(arena)
    assert stages(again) == ["verified"] * 4
    assert house.prover.jobs == []
    await arena.close()


async def test_an_empty_chain_gets_even_the_openings_again(house: House) -> None:
    arena, hosted = await begun(house, E4)
    await house.kill(arena)
    house.chain.held.clear()
    arena = await house.start()
    await idle(arena)
    assert stages(arena.game(hosted.session.id)) == ["verified"] * 2
    assert len(house.chain.held[hosted.session.id].moves) == 2
    await arena.close()


async def test_another_move_on_the_chain_than_in_the_store_is_told(house: House) -> None:
    arena, hosted = await begun(house)
    house.chain.hold()
    house.move(arena, hosted, E4)
    await house.kill(arena)
    house.chain.release()
    signature = house.player.move(hosted.session.id, 0, hosted.session.id, D4)
    house.chain.land(hosted.session.terms, PlayerMove(0, D4, signature), "0x77", 9)
    arena = await house.start()
    again = arena.game(hosted.session.id)
    await idle(arena)
    assert again.session.line.plies[0].index == D4
    assert stages(again) == ["verified"] * 2
    told = [f.d for f in frames(again, hosted.room.version) if f.t == "correction"]
    assert [(d.ply, d.cause) for d in told] == [(0, "other_move")]
    await arena.close()


async def test_a_store_made_anew_plays_on_in_all_games(house: House) -> None:
    arena, hosted = await begun(house, E4)
    await house.kill(arena)
    house.chain.brought.clear()  # whoever brought them
    arena = await house.start(anew=True)
    assert (house.folder / "arena.db.old").exists()
    again = arena.game(hosted.session.id)
    house.move(arena, again, NF3)
    await idle(arena)
    assert stages(again) == ["verified"] * 4
    await house.kill(arena)
    arena = await house.start()
    assert stages(arena.game(hosted.session.id)) == ["verified"] * 4
    await arena.close()


async def test_of_finished_games_only_the_latest_are_taken_up(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    arena = await house.start()
    ids = []
    for nonce in range(3):
        opening = house.player.open(
            bytes.fromhex(arena.offer(BOT).commitment[2:]), expires=1_000_500, nonce=nonce
        )
        ids.append(arena.open_game(opening, opening.sign(DOMAIN, house.player.key)))
        await idle(arena)
        if nonce < 2:
            house.resign(arena, arena.game(ids[-1]))
            await idle(arena)
    await house.kill(arena)
    monkeypatch.setattr("tests.server.test_restart.LIMITS", replace(LIMITS, finished_kept=1))
    arena = await house.start()
    assert [hosted.session.id for hosted in arena.games()] == [ids[2], ids[1]]
    await arena.close()


# --- games of others -----------------------------------------------------------------------------


async def foreign_game(house: House, *, nonce: int = 99, block: int = 5) -> Terms:
    """Somebody opens a game with our bot past us, and moves."""
    secret = b"\x0f" * 32
    opening = house.player.open(commitment_of(secret), nonce=nonce)
    terms = Terms(DOMAIN, opening, opening.sign(DOMAIN, house.player.key), secret, BOTS)
    game = opening.game_id(DOMAIN)
    house.chain.land(terms, OpenGame(), "0xf0", block)
    signature = house.player.move(game, 0, game, E4)
    house.chain.land(terms, PlayerMove(0, E4, signature), "0xf1", block + 1)
    house.chain.head = block + 1
    return terms


@pytest.mark.parametrize("is_seen_live", [False, True])
async def test_a_game_opened_by_others_is_shown_and_not_played(
    house: House, is_seen_live: bool
) -> None:
    arena, _ = await begun(house)
    if is_seen_live:
        arena.watch()
        terms = await foreign_game(house)
    else:
        await house.kill(arena)
        terms = await foreign_game(house)
        arena = await house.start()
    game = terms.open.game_id(DOMAIN)
    await until(lambda: game in arena._games)
    hosted = arena.game(game)
    assert stages(hosted) == ["verified"]
    assert house.prover.jobs == []
    assert {side.name for side in (hosted.room.full().d.black,)} == {"first"}  # type: ignore[union-attr]
    with pytest.raises(CommandRefused) as caught:
        house.resign(arena, hosted)
    assert caught.value.code == "not_player"
    # somebody else brings the bot's proven move, and it is seen
    first = hosted.session.line.game.mask
    index = (first & -first).bit_length() - 1
    house.chain.land(terms, BotMove(1, index, 5, b"proof by another"), "0xf2", 8)
    house.chain.head = 8
    if is_seen_live:
        await until(lambda: stages(hosted) == ["verified"] * 2)
    await house.kill(arena)
    arena = await house.start()
    assert not arena.game(game).journal.ours
    assert stages(arena.game(game)) == ["verified"] * 2
    await arena.close()


async def test_a_game_that_makes_no_sense_does_not_end_the_watch(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    arena, ours = await begun(house)
    poison = await foreign_game(house)
    restore, reconcile = arena.restore, ours.session.reconcile
    seen = []

    def fail(terms: Terms, *args: Any, **more: Any) -> Hosted:
        seen.append(terms.open.nonce)
        if terms.open.nonce == poison.open.nonce:
            raise IllegalStart("the contract sees it otherwise")
        return restore(terms, *args, **more)

    def fail_once(*args: Any, **more: Any) -> Any:
        monkeypatch.setattr(ours.session, "reconcile", reconcile)
        raise IllegalIndex(0, "a position")

    monkeypatch.setattr(arena, "restore", fail)
    monkeypatch.setattr(ours.session, "reconcile", fail_once)
    arena.watch()
    await until(lambda: seen == [poison.open.nonce])
    game = (await foreign_game(house, nonce=100, block=8)).open.game_id(DOMAIN)
    await until(lambda: game in arena._games)
    await arena.close()


async def test_each_game_of_others_is_looked_at_though_many_move_together(house: House) -> None:
    arena = await house.start()
    arena.watch()
    opened: set[bytes] = set()
    for block in range(1, 200, 20):
        for n in range(5):
            terms = await foreign_game(house, nonce=block + n, block=block + 2 * n)
            opened.add(terms.open.game_id(DOMAIN))
        await until(lambda: opened <= arena._games.keys())
    await arena.close()


# --- a store that fails ---------------------------------------------------------------------------


async def test_nothing_is_acked_sent_or_shown_that_could_not_be_written(house: House) -> None:
    arena, hosted = await begun(house, E4)
    assert arena.store is not None
    reader, write, sent = Subscriber(), arena.store.write, list(house.chain.sent)
    hosted.room.subscribe(reader)
    reader._queue.clear()

    def full(batch: Batch) -> None:
        raise StoreFailed(arena.store.path, "database or disk is full")  # type: ignore[union-attr]

    arena.store.write = full  # type: ignore[method-assign]
    with pytest.raises(CommandRefused) as caught:
        house.move(arena, hosted, NF3)
    assert caught.value.code == "internal"
    assert "disk is full" in (arena.store_fault or "")
    await asyncio.sleep(0.01)
    assert house.chain.sent == sent
    assert not reader._queue
    with pytest.raises(CommandRefused):
        arena.offer(BOT)
    arena.store.write = write  # type: ignore[method-assign]
    arena._writing._flush()  # as its timer does
    await idle(arena)
    assert arena.store_fault is None
    assert stages(hosted) == ["verified"] * 4
    versions = [m.parse_server_frame(wire).v for wire in reader._queue]  # type: ignore[union-attr]
    assert versions == list(range(versions[0], versions[0] + len(versions)))
    await arena.close()


async def test_a_stuck_move_is_tried_again_after_a_restart_at_once(house: House) -> None:
    arena, hosted = await begun(house)
    house.prover.faults = [ProverDied("killed")] * LIMITS.proof_tries
    house.move(arena, hosted, E4)
    await until(lambda: hosted.waiting is not None)
    await house.kill(arena)
    arena = await house.start()
    await idle(arena)
    assert stages(arena.game(hosted.session.id)) == ["verified"] * 2
    assert arena.game(hosted.session.id).waiting is None
    await arena.close()
