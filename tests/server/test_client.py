"""The client against a served arena: it comes back, and nothing that it said is lost or doubled."""

import asyncio
from collections.abc import Callable

import pytest

from proofs.signing import Resign
from server import messages as m
from server import sockets
from server.client import Client
from server.effects import PlayerMove, ResignGame
from server.errors import CommandRefused, NoSuchGame, NotAnArena, Unreachable
from server.guests import Allowance, Guests
from server.web_app import close_sockets
from tests.server.conftest import Served
from tests.server.fakes import BOT, DOMAIN
from tests.server.test_session import E4, NF3


def cut_after_answering(monkeypatch: pytest.MonkeyPatch, times: int = 1) -> list[m.Reply]:
    """Carry out the next commands, but cut the line before the answer gets out."""
    lost: list[m.Reply] = []
    answer: Callable[[sockets.Client, str | bytes], m.Reply] = sockets.Client._answer

    def cutting(self: sockets.Client, raw: str | bytes) -> m.Reply:
        reply = answer(self, raw)
        if len(lost) < times:
            lost.append(reply)
            assert self._request.transport is not None
            self._request.transport.abort()
        return reply

    monkeypatch.setattr(sockets.Client, "_answer", cutting)
    return lost


async def test_a_move_whose_answer_was_lost_is_played_once(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    game = await served.open()
    async with await Client.connect(served.url, game=game, stay=True) as client:
        await client.ready()
        lost = cut_after_answering(monkeypatch)
        await served.move(client, E4)
        assert [type(reply) for reply in lost] == [m.Ack]
        assert client.reconnects == 1
        await client.wait_stage(1, "verified")
        assert [i.ply for i in served.chain.sent if isinstance(i, PlayerMove)] == [0]


async def test_without_staying_a_lost_answer_is_an_error(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    game = await served.open()
    async with await Client.connect(served.url, game=game) as client:
        await client.ready()
        cut_after_answering(monkeypatch)
        with pytest.raises(ConnectionError):
            await served.move(client, E4)


async def test_another_move_than_the_one_played_is_still_refused(served: Served) -> None:
    game = await served.open()
    async with await Client.connect(served.url, game=game, stay=True) as client:
        await client.ready()
        await served.move(client, E4)
        await client.wait_ply(1)
        signature = served.player.move(bytes.fromhex(game[2:]), 0, bytes.fromhex(game[2:]), NF3)
        with pytest.raises(CommandRefused) as caught:
            await client.move(0, NF3, signature)
        assert caught.value.code == "stale_ply"
        again = served.player.move(bytes.fromhex(game[2:]), 0, bytes.fromhex(game[2:]), E4)
        await client.move(0, E4, again)  # this one is there: no news


async def test_an_opening_and_a_resignation_whose_answers_were_lost(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with await Client.connect(served.url, stay=True) as lobby:
        offer = await lobby.offer(BOT)
        commitment = bytes.fromhex(offer.commitment[2:])
        opening = served.player.open(commitment, expires=offer.expires)
        cut_after_answering(monkeypatch)
        game = await lobby.open(opening, opening.sign(DOMAIN, served.player.key))
    assert game == "0x" + opening.game_id(DOMAIN).hex()
    async with await Client.connect(served.url, game=game, stay=True) as client:
        await client.ready()
        cut_after_answering(monkeypatch)
        await client.resign(Resign(bytes.fromhex(game[2:])).sign(DOMAIN, served.player.key))
        assert (await client.wait_end()).reason == "resignation"
    assert sum(isinstance(i, ResignGame) for i in served.chain.sent) == 1


async def test_who_stays_asks_again_when_the_arena_that_closes_is_back(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    game = await served.open()
    async with (
        await Client.connect(served.url, game=game, stay=True) as client,
        await Client.connect(served.url, game=game) as other,
    ):
        await client.ready()
        await other.ready()
        refused = asyncio.Event()

        def refuse(*_: object) -> None:
            refused.set()
            raise CommandRefused("closing", "come back in a moment")

        with monkeypatch.context() as patch:
            patch.setattr(served.arena, "command", refuse)
            with pytest.raises(CommandRefused):
                await served.move(other, E4)
            refused.clear()
            moving = asyncio.create_task(served.move(client, E4))
            await refused.wait()
        await close_sockets(served.site)
        await moving
        assert client.reconnects == 1
        assert client.view.has(0, E4)


async def test_who_stays_misses_nothing_while_the_arena_is_away(served: Served) -> None:
    game, lost = await served.open(), list[str]()
    async with (
        await Client.connect(served.url, game=game, stay=True, lost=lost.append) as watcher,
        await Client.connect(served.url, game=game, stay=True) as player,
    ):
        await watcher.ready()
        await player.ready()
        arena, served.site.arena = served.site.arena, None
        await close_sockets(served.site)
        await watcher.wait_until(lambda: not watcher.is_connected)
        moving = asyncio.create_task(served.move(player, E4))
        served.site.arena = arena
        await moving
        await watcher.wait_stage(1, "verified")
        assert lost == ["the arena is closing"]
        assert watcher.reconnects >= 1
        versions = [event.v for event in watcher.events]
        assert versions == list(range(versions[0], versions[0] + len(versions)))
        assert sum(isinstance(event, m.FullEvent) for event in watcher.events) == 1


async def test_a_left_out_version_makes_it_begin_anew(served: Served) -> None:
    game = await served.open()
    async with await Client.connect(served.url, game=game, stay=True) as client:
        await client.ready()
        room = served.arena.game(bytes.fromhex(game[2:])).room
        room.number(m.EndEvent(d=m.EndData(result="*", reason="none", tx=None)))  # never sent
        room._history._version += 1
        await served.move(client, E4)
        await client.wait_stage(1, "verified")
        assert client.reconnects == 1
        assert isinstance(client.events[-1], m.FullEvent | m.ChainEvent | m.ClockEvent)


async def test_an_unknown_game_is_no_reason_to_stay(served: Served) -> None:
    game = "0x" + "77" * 32
    async with await Client.connect(served.url, game=game, stay=True) as client:
        with pytest.raises(NoSuchGame, match=game):
            await client.ready()


async def test_nobody_there_is_one_clear_error(served: Served) -> None:
    with pytest.raises(Unreachable, match=r"http://127\.0\.0\.1:1 cannot be reached"):
        await Client.connect("http://127.0.0.1:1")
    with pytest.raises(NotAnArena, match="status 404"):
        await Client.connect(served.url + "web")


async def test_who_stays_comes_back_when_too_many_are_there(served: Served) -> None:
    game = await served.open()
    async with await served.client(game) as client:
        served.site.guests = Guests(Allowance(sockets=0))
        await close_sockets(served.site)
        await client.wait_until(lambda: not client.is_connected)
        with pytest.raises(Unreachable, match="too many sockets"):
            await Client.connect(served.url)
        served.site.guests = Guests()
        await client.ping()
        assert client.reconnects == 1


async def test_patience_ends(served: Served) -> None:
    game = await served.open()
    async with await Client.connect(served.url, game=game, stay=True, patience=0) as client:
        await client.ready()
        served.site.arena = None
        await close_sockets(served.site)
        with pytest.raises(Unreachable, match="warming up"):
            await client.wait_end()
        with pytest.raises(Unreachable):
            await client.ping()


async def test_each_event_is_heard_when_the_view_has_it(served: Served) -> None:
    game, heard = await served.open(), list[tuple[str, int | None]]()
    client: Client

    def hear(event: m.GameEvent) -> None:
        heard.append((event.t, client.version))

    client = await Client.connect(served.url, game=game, stay=True, heard=hear)
    async with client:
        await client.ready()
        await served.move(client, E4)
        await client.wait_stage(1, "verified")
    assert [version for _, version in heard] == [event.v for event in client.events]


async def test_a_player_who_says_so_is_no_spectator(served: Served) -> None:
    game, address = await served.open(), served.player.address
    room = served.arena.game(bytes.fromhex(game[2:])).room
    async with await Client.connect(served.url, game=game, player=address) as client:
        await client.ready()
        assert room.spectators == 0
    async with await Client.connect(served.url, game=game, player="0x" + "12" * 20) as client:
        await client.ready()
        assert room.spectators == 1
