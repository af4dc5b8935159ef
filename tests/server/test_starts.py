"""Games from other positions than the usual one, and games taken back."""

from dataclasses import replace
from typing import Any

import aiohttp
import chess
import pytest

from engine.encoding import Position
from engine.errors import IllegalStart
from engine.game import Reason, Result
from engine.policy_map import move_index
from engine.start import Start
from proofs.signing import Abort, Resign
from server import messages as m
from server.arena import Arena
from server.client import Client
from server.effects import AbortGame, BotMove, OpenGame, PlayerMove
from server.errors import CommandRefused
from server.gas_seen import GasSeen
from server.hosted import Hosted
from tests.server.conftest import Served
from tests.server.fakes import BOT, DOMAIN, Player, first_legal
from tests.server.play import Table
from tests.server.test_restart import House, begun, house, idle, stages
from tests.server.test_session import E4, NF3, refused

__all__ = ["house"]

BLACK_FIRST = "4k3/pppppppp/8/8/8/8/PPPPPPPP/4K3 b - - 3 17"
BEGINS = Start.from_fen(BLACK_FIRST)
ENDGAME = "8/8/8/8/8/5k2/R7/7K w - - 98 80"
OVER = "7k/6Q1/6K1/8/8/8/8/8 b - - 0 1"
E5 = move_index(chess.Board(BLACK_FIRST), chess.Move.from_uci("e7e5"))


@pytest.fixture
def table() -> Table:
    """The player has Black and moves first."""
    player = Player()
    return Table(white=BOT, black=player.side, start=BEGINS)


# --- plies from 1 --------------------------------------------------------------------------------


def test_black_may_move_first(table: Table) -> None:
    table.land()
    assert table.session.snapshot().moves == []
    refused(lambda: table.move(E5, ply=0), "stale_ply")
    table.move(E5)
    line = table.session.line
    assert [(p.number, p.by, p.color) for p in line.plies] == [
        (1, "player", "black"),
        (2, "bot", "white"),
    ]
    assert (line.first, line.next, line.landed) == (1, 3, 1)
    table.settle()
    assert line.landed == 3
    assert [i.ply for i in sent(table)] == [-1, 1, 2]
    assert table.told()[-1] == "verified 2"


def test_a_bot_with_black_begins_by_itself() -> None:
    table = Table(start=BEGINS)
    assert [(p.number, p.by, p.color) for p in table.session.line.plies] == [(1, "bot", "black")]
    (wish,) = table.to_prove
    position = Position.of(chess.Board(BLACK_FIRST))
    assert (wish.ply, wish.version) == (1, BOT)
    assert (wish.statement.board, wish.statement.context) == (position.board, position.context)
    table.settle()
    table.move(table_index(table, "e2e4"))
    table.settle()
    assert table.stages() == ["verified"] * 3


def test_the_snapshot_says_where_it_began(table: Table) -> None:
    table.settle()
    told = table.session.snapshot()
    assert told.start_fen == "4k3/pppppppp/8/8/8/8/PPPPPPPP/4K3 b - - 3 1"
    assert Table().session.snapshot().start_fen == chess.STARTING_FEN


def test_a_refused_move_takes_back_what_follows_it(table: Table) -> None:
    table.settle()
    table.move(E5)
    table.refuse("the contract refused: IllegalMove()")
    assert "correction 1 refused" in table.told()
    assert table.session.line.plies == []
    assert table.session.line.fen == table.session.line.start_fen
    table.move(E5)
    table.settle()
    assert table.stages() == ["verified"] * 2


def test_what_the_chain_lost_is_sent_again(table: Table) -> None:
    table.settle()
    table.move(E5)
    table.settle()
    game = table.chain.held[table.session.id]
    del game.moves[1:]
    game.game.board.pop()
    table.do(table.session.reconcile(table.truth(), table.now))
    assert table.stages() == ["verified", "submitted"]
    assert "correction 2 reorg" in table.told()
    table.settle()
    assert len(game.moves) == 2


def test_a_lost_opening_takes_all_moves_back_and_brings_them_again(table: Table) -> None:
    table.settle()
    table.move(E5)
    table.settle()
    table.chain.held.clear()
    table.do(table.session.reconcile(table.truth(), table.now))
    assert "correction 1 reorg" in table.told()
    table.settle()
    assert table.stages() == ["verified"] * 2


def test_a_refused_opening_leaves_nothing() -> None:
    table = Table(start=BEGINS)
    table.refuse("the contract refused: OpenExpired()")
    assert table.session.line.plies == []
    assert table.told()[-2:] == ["correction 1 refused", "full"]


def test_another_move_that_landed_is_adopted(table: Table) -> None:
    table.settle()
    other = table_index(table, "a7a6")
    signature = table.player.move(table.session.id, 1, table.session.id, other)
    table.move(E5)
    table.chain.land(table.terms, PlayerMove(1, other, signature))
    table.land()
    assert table.session.line.plies[0].index == other
    assert "correction 1 other_move" in table.told()


def test_a_draw_by_fifty_moves_counts_from_the_start() -> None:
    table = Table(start=Start.from_fen(ENDGAME), choose=first_legal)
    table.settle()
    table.move(table_index(table, "a2a8"))
    table.settle()
    table.claim_draw()
    table.settle()
    assert table.told()[-1] == "end 1/2-1/2 fifty moves claim"


def table_index(table: Table, uci: str) -> int:
    return move_index(table.session.line.game.board, chess.Move.from_uci(uci))


def sent(table: Table) -> list[OpenGame | PlayerMove | BotMove]:
    kinds = (OpenGame, PlayerMove, BotMove)
    intents = [effect.intent for effect in table.effects if hasattr(effect, "intent")]
    return [intent for intent in intents if isinstance(intent, kinds)]


# --- aborts --------------------------------------------------------------------------------------


def ends_aborted(table: Table) -> None:
    table.settle()
    assert table.told()[-1] == "end * aborted"
    told = table.session.snapshot()
    assert (told.status, told.result) == ("ended", m.Result(result="*", reason="aborted"))
    refused(table.abort, "game_over")
    refused(table.resign, "game_over")


def test_a_game_is_taken_back_before_any_move() -> None:
    table = Table()
    table.land()
    table.abort()
    refused(lambda: table.move(E4), "game_over")
    ends_aborted(table)


def test_a_game_is_taken_back_before_it_is_even_open() -> None:
    table = Table()
    table.abort()
    assert isinstance(table.session.pending()[0], OpenGame)
    ends_aborted(table)


def test_a_game_is_taken_back_after_the_bots_first_move() -> None:
    player = Player()
    table = Table(white=BOT, black=player.side)
    table.land()
    assert len(table.session.line.plies) == 1
    table.abort()
    assert isinstance(table.to_send and table.to_send.intent, AbortGame)
    table.land()
    assert table.told()[-3:] == ["correction 0 ended", "full", "end * aborted"]
    assert not table.to_prove


def test_a_bot_thinks_no_more_once_its_game_is_taken_back() -> None:
    """The player's move is on its way, the bot's answer was taken back by a refusal."""
    table = Table(white=BOT, black=Player().side)
    table.land()
    table.abort()
    wishes = len(table.wishes)
    table.do(table.session._forget_tail(0))
    table.do(table.session._go_on(table.now))
    assert len(table.wishes) == wishes


def test_nothing_is_taken_back_after_the_second_ply() -> None:
    table = Table()
    table.land()
    table.move(E4)  # the bot has answered
    said = refused(table.abort, "too_late")
    assert "2 plies" in said
    table.settle()
    refused(table.abort, "too_late")


def test_nothing_is_taken_back_after_the_second_ply_from_black(table: Table) -> None:
    table.settle()
    table.move(E5)
    refused(table.abort, "too_late")


def test_an_abort_by_a_stranger() -> None:
    table = Table()
    refused(lambda: table.abort(Player("stranger")), "bad_signature")
    signature = Resign(table.session.id).sign(DOMAIN, table.player.key)
    refused(lambda: table.session.abort(signature, 0), "bad_signature")
    table.settle()
    assert table.session.ended is None


def test_a_game_of_two_bots_is_not_taken_back() -> None:
    table = Table(white=BOT, black=BOT)
    refused(table.abort, "too_late")  # they are two plies ahead
    quiet = Table(white=BOT, black=BOT)
    quiet.do(quiet.session._forget_tail(0))
    refused(quiet.abort, "not_player")


def test_an_abort_that_the_contract_refuses_is_told_and_the_game_goes_on() -> None:
    table = Table()
    table.settle()
    table.abort()
    table.refuse("the contract refused: TooLateToAbort(ply=2)")
    assert table.told()[-2:] == ["correction 0 refused", "full"]
    assert table.to_send is None
    table.move(E4)
    table.settle()
    assert table.stages() == ["verified"] * 2


def test_an_abort_refused_by_a_chain_that_lost_the_game_is_not_forgotten() -> None:
    table = Table()
    table.settle()
    table.abort()
    table.chain.held.clear()
    table.land()  # GameUnknown
    ends_aborted(table)


# --- kept ----------------------------------------------------------------------------------------


async def begun_from(house: House, fen: str, *moves: int) -> tuple[Arena, Hosted]:
    """A game of the player with Black, all landed."""
    arena = await house.start()
    offer = arena.offer(BOT)
    opening = house.player.open(
        bytes.fromhex(offer.commitment[2:]),
        white=BOT,
        black=house.player.side,
        expires=int(house.clock()) + 500,
        start=Start.from_fen(fen),
    )
    game = arena.open_game(opening, opening.sign(DOMAIN, house.player.key))
    hosted = arena.game(game)
    await idle(arena)
    for index in moves:
        house.move(arena, hosted, index)
        await idle(arena)
    return arena, hosted


async def test_a_start_survives_a_restart(house: House) -> None:
    arena, hosted = await begun_from(house, BLACK_FIRST, E5)
    shown = hosted.session.snapshot()
    house.chain.hold()
    ply = house.move(arena, hosted, any_legal(hosted))
    assert ply == 3
    await house.kill(arena)
    house.chain.release()
    arena = await house.start()
    await idle(arena)
    again = arena.game(hosted.session.id)
    assert again.session.snapshot().start_fen == shown.start_fen
    assert [p.number for p in again.session.line.plies] == [1, 2, 3, 4]
    assert stages(again) == ["verified"] * 4
    assert again.session.snapshot().moves[:2] == shown.moves
    await arena.close()


async def test_a_start_is_learned_from_the_chain_alone(house: House) -> None:
    arena, hosted = await begun_from(house, BLACK_FIRST, E5)
    await house.kill(arena)
    arena = await house.start(anew=True)
    await idle(arena)
    again = arena.game(hosted.session.id)
    assert again.session.line.start_fen == hosted.session.line.start_fen
    assert stages(again) == ["verified"] * 2
    assert again.session.line.next == 3
    await arena.close()


async def test_plies_that_were_taken_back_are_taken_from_the_store(house: House) -> None:
    arena, hosted = await begun_from(house, BLACK_FIRST, E5)
    assert rows(arena, hosted) == [1, 2]
    house.chain.hold()
    house.move(arena, hosted, any_legal(hosted))
    assert rows(arena, hosted) == [1, 2, 3, 4]
    arena.apply(hosted, hosted.session._forget_tail(3))
    assert rows(arena, hosted) == [1, 2]
    house.chain.release()
    await arena.close()


async def test_an_abort_that_was_not_sent_is_sent_after_a_restart(house: House) -> None:
    arena, hosted = await begun(house)
    house.chain.hold()
    signature = Abort(hosted.session.id).sign(DOMAIN, house.player.key)
    data = m.AbortData(signature="0x" + signature.hex())
    arena.command(hosted, m.Abort(t="abort", d=data))
    await house.kill(arena)
    house.chain.release()
    arena = await house.start()
    await idle(arena)
    ended = arena.game(hosted.session.id).session.ended
    assert ended is not None
    assert (ended.outcome.result, ended.outcome.reason) == (Result.ABORTED, Reason.ABORTED)
    await house.kill(arena)
    arena = await house.start()  # and it stays so
    again = arena.game(hosted.session.id).session.snapshot()
    assert again.result == m.Result(result="*", reason="aborted")
    await arena.close()


def any_legal(hosted: Hosted) -> int:
    line = hosted.session.line
    return next(i for i in range(1858) if line.is_legal(i))


def rows(arena: Arena, hosted: Hosted) -> list[int]:
    """The numbers of the plies that the store holds."""
    assert arena.store is not None
    return [row.number for row in arena.store.plies(hosted.session.id)]


# --- on the wire ---------------------------------------------------------------------------------


async def new_game(served: Served, fen: str | None = None, *, is_white: bool = True) -> str:
    async with await Client.connect(served.url) as lobby:
        return await lobby.new_game(
            BOT, served.player.key, DOMAIN, is_white=is_white, base_seconds=300, fen=fen
        )


async def test_a_client_plays_from_where_black_moves_first(served: Served) -> None:
    game = await new_game(served, BLACK_FIRST, is_white=False)
    async with await served.client(game) as client:
        assert client.view.fen == "4k3/pppppppp/8/8/8/8/PPPPPPPP/4K3 b - - 3 1"
        assert (client.view.first, client.view.next, client.view.at(0)) == (1, 1, None)
        await served.move(client, E5)
        answer = await client.wait_stage(2, "verified")
        assert (answer.by, answer.color, answer.ply) == ("bot", "white", 2)
        assert await client.wait_verified(1)
        assert [move.ply for move in client.moves] == [1, 2]
        assert client.view.next == 3
        assert client.view.has(1, E5)
        assert not client.view.has(0, E5)
        assert client.moves[0].at.keys() >= {"proposed", "submitted", "verified"}


async def test_a_client_has_its_game_taken_back(served: Served) -> None:
    game = await new_game(served)
    async with await served.client(game) as client:
        await client.abort(Abort(bytes.fromhex(game[2:])).sign(DOMAIN, served.player.key))
        end = await client.wait_end()
        assert (end.result, end.reason) == ("*", "aborted")
        with pytest.raises(CommandRefused) as caught:
            await served.move(client, E4)
        assert caught.value.code == "game_over"


async def test_no_client_takes_a_game_back_too_late(served: Served) -> None:
    game = await new_game(served)
    async with await served.client(game) as client:
        await served.move(client, NF3)
        await client.wait_stage(1, "verified")
        with pytest.raises(CommandRefused) as caught:
            await client.abort(Abort(bytes.fromhex(game[2:])).sign(DOMAIN, served.player.key))
        assert caught.value.code == "too_late"


async def test_a_client_that_cannot_begin_there_says_so_itself(served: Served) -> None:
    with pytest.raises(IllegalStart, match="over before it begins"):
        await new_game(served, OVER)


@pytest.mark.parametrize(
    "spoilt",
    [
        {"start_context": BEGINS.context ^ 1 << 8},
        {"start_context": BEGINS.context | 1 << 23},
        {"start": bytes(31) + b"\x01"},
    ],
)
async def test_the_arena_refuses_a_start_that_the_contract_would_refuse(
    served: Served, spoilt: dict[str, Any]
) -> None:
    async with await Client.connect(served.url) as lobby:
        offer = await lobby.offer(BOT)
        opening = served.player.open(
            bytes.fromhex(offer.commitment[2:]), expires=offer.expires, start=BEGINS
        )
        opening = replace(opening, **spoilt)
        with pytest.raises(CommandRefused, match="no game can begin there") as caught:
            await lobby.open(opening, opening.sign(DOMAIN, served.player.key))
        assert caught.value.code == "bad_start"
    assert served.chain.sent == []


async def test_the_list_of_games_counts_moves_and_shows_the_board(served: Served) -> None:
    game = await new_game(served, BLACK_FIRST, is_white=False)
    async with await served.client(game) as client, aiohttp.ClientSession() as http:
        await client.wait_until(lambda: client.view.is_open)
        async with http.get(f"{served.url}api/games") as response:
            (told,) = await response.json()
        assert (told["plies"], told["verified"]) == (0, 0)
        assert told["fen"] == client.view.fen
        await served.move(client, E5)
        await client.wait_stage(2, "verified")
        async with http.get(f"{served.url}api/games") as response:
            (told,) = await response.json()
        assert (told["plies"], told["verified"]) == (2, 2)


async def test_the_gas_of_a_bot_that_has_white_after_black_began_is_its_own(
    served: Served,
) -> None:
    seen = GasSeen()
    served.arena.observe = seen.saw
    game = await new_game(served, BLACK_FIRST, is_white=False)
    async with await served.client(game) as client:
        await served.move(client, E5)
        await client.wait_stage(2, "verified")
    (move,) = [move for move in client.moves if move.by == "bot"]
    assert seen.median(BOT) == move.gas
    assert seen.median(served.player.side) is None
