"""The arena behind a real socket: whole games, several at once, and what can fail around them."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from proofs.errors import ChainDown, NotTheNetsMove, ProverDied
from proofs.signing import Resign
from server import messages as m
from server.arena import Arena
from server.client import Client
from server.effects import PlayerMove
from server.errors import CommandRefused
from server.limits import TokenBucket
from server.rebuild import rebuild
from server.setback import FIRST_PAUSE
from tests.server.conftest import LIMITS, Served
from tests.server.fakes import (
    BOT,
    BOTS,
    CUSTOM_BOT,
    DOMAIN,
    OTHER_BOT,
    FakeChain,
    FakeProver,
    Player,
)
from tests.server.test_session import E4, NF3, SHUFFLE


async def test_a_game_over_a_socket(served: Served) -> None:
    game = await served.open()
    async with await Client.connect(served.url, game=game) as client:
        await client.wait_until(lambda: client.snapshot is not None)
        await served.move(client, E4)
        reply = await client.wait_stage(1, "verified")
        assert client.moves[0].stage == "verified"
        assert (reply.by, reply.prove_seconds, reply.gas) == ("bot", 1.5, 50_000)
        await served.move(client, NF3)
        await client.wait_stage(3, "verified")
        await client.resign(Resign(bytes.fromhex(game[2:])).sign(DOMAIN, served.player.key))
        assert (await client.wait_end()).result == "0-1"
    versions = [event.v for event in client.events]
    assert versions == list(range(versions[0], versions[0] + len(versions)))


async def test_spectators_see_what_the_player_sees(served: Served) -> None:
    game = await served.open()
    async with (
        await Client.connect(served.url, game=game) as player,
        await Client.connect(served.url, game=game) as guest,
    ):
        await player.wait_until(lambda: player.snapshot is not None)
        await served.move(player, E4)
        await player.wait_stage(1, "verified")
        await guest.wait_stage(1, "verified")
        assert player.moves == guest.moves
        assert served.arena.game(bytes.fromhex(game[2:])).room.spectators == 1
        await guest.wait_until(
            lambda: any(isinstance(e, m.SpectatorsEvent) and e.d.count == 1 for e in guest.events)
        )


async def test_a_player_may_answer_before_anything_landed(served: Served) -> None:
    served.chain.hold()
    served.prover.is_held = True
    game = await served.open()
    async with await Client.connect(served.url, game=game) as client:
        await client.wait_until(lambda: client.snapshot is not None)
        await served.move(client, E4)
        await client.wait_ply(1)
        await served.move(client, NF3)
        await client.wait_stage(3, "queued")  # it is a frame of its own
        assert [move.stage for move in client.moves] == ["proposed", "queued"] * 2
        served.chain.release()
        await client.wait_stage(0, "verified")
        for job in reversed(served.prover.jobs):
            served.prover.start(job)
            served.prover.finish(job)
        await client.wait_stage(3, "verified")
        assert [i.ply for i in served.chain.sent] == [-1, 0, 1, 2, 3]  # type: ignore[union-attr]


async def test_places_in_the_queue_are_told(served: Served) -> None:
    served.prover.is_held = True
    game = await served.open()
    async with await Client.connect(served.url, game=game) as client:
        await client.wait_until(lambda: client.snapshot is not None)
        await served.move(client, E4)
        await client.wait_ply(1)
        await served.move(client, NF3)
        await client.wait_ply(3)
        await client.wait_until(lambda: client.moves[3].queue_position == 2)
        first = served.prover.jobs[0]
        served.prover.start(first)
        served.prover.finish(first)
        await client.wait_until(lambda: client.moves[3].queue_position == 1)


async def test_many_games_at_once(served: Served) -> None:
    games = [await served.open(nonce=n) for n in range(LIMITS.games_per_opener)]
    clients = [await Client.connect(served.url, game=game) for game in games]
    for client in clients:
        await client.wait_until(lambda client=client: client.snapshot is not None)  # type: ignore[misc]
        await served.move(client, E4)
    for client in clients:
        await client.wait_stage(1, "verified")
        await client.close()


@pytest.mark.parametrize("bot_first", [True, False])
async def test_two_bots_play_a_game_to_its_end(served: Served, bot_first: bool) -> None:
    sides = (BOT, OTHER_BOT) if bot_first else (OTHER_BOT, BOT)
    async with await Client.connect(served.url) as lobby:
        offer = await lobby.offer(BOT)
        opening = served.player.open(
            bytes.fromhex(offer.commitment[2:]),
            white=sides[0],
            black=sides[1],
            expires=offer.expires,
        )
        game = await lobby.open(opening, opening.sign(DOMAIN, served.player.key))
    async with await Client.connect(served.url, game=game) as client:
        end = await client.wait_end()
        assert end.result in ("1-0", "0-1", "1/2-1/2")
        assert {move.stage for move in client.moves} == {"verified"}


# --- opening -----------------------------------------------------------------------------------


async def try_open(served: Served, *, signer: Player | None = None, **changes: Any) -> str:
    """The code with which an opening is refused."""
    async with await Client.connect(served.url) as lobby:
        offer = await lobby.offer(BOT)
        commitment = bytes.fromhex(offer.commitment[2:])
        opening = replace(served.player.open(commitment, expires=offer.expires), **changes)
        with pytest.raises(CommandRefused) as caught:
            await lobby.open(opening, opening.sign(DOMAIN, (signer or served.player).key))
        return caught.value.code


async def test_openings_that_are_refused(served: Served) -> None:
    now = int(served.clock())
    assert await try_open(served, commitment=bytes(32)) == "offer_unknown"
    assert await try_open(served, black=served.player.side) == "unknown_bot"
    assert await try_open(served, black=OTHER_BOT) == "unknown_bot"
    assert await try_open(served, white=CUSTOM_BOT, black=BOT) == "unknown_bot"
    assert await try_open(served, base_seconds=9) == "bad_clock"
    assert await try_open(served, base_seconds=3 * 3600 + 1) == "bad_clock"
    assert await try_open(served, expires=now) == "offer_expired"
    assert await try_open(served, expires=now + 2 * 24 * 3600) == "bad_clock"
    assert await try_open(served, signer=Player("stranger")) == "bad_signature"
    assert served.chain.sent == []
    assert list(served.arena.games()) == []


async def test_an_offer_for_an_unknown_bot(served: Served) -> None:
    async with await Client.connect(served.url) as lobby:
        for bot in (bytes(32), CUSTOM_BOT):
            with pytest.raises(CommandRefused) as caught:
                await lobby.offer(bot)
            assert caught.value.code == "unknown_bot"


async def test_an_expired_offer(served: Served) -> None:
    async with await Client.connect(served.url) as lobby:
        offer = await lobby.offer(BOT)
        opening = served.player.open(bytes.fromhex(offer.commitment[2:]))
        served.clock.time = offer.expires
        with pytest.raises(CommandRefused) as caught:
            await lobby.open(opening, opening.sign(DOMAIN, served.player.key))
        assert caught.value.code == "offer_expired"


async def test_the_same_opening_twice_is_one_game(served: Served) -> None:
    async with await Client.connect(served.url) as lobby:
        offer = await lobby.offer(BOT)
        opening = served.player.open(bytes.fromhex(offer.commitment[2:]), expires=offer.expires)
        signature = opening.sign(DOMAIN, served.player.key)
        assert await lobby.open(opening, signature) == await lobby.open(opening, signature)
        other = served.player.open(
            bytes.fromhex(offer.commitment[2:]), expires=offer.expires, nonce=1
        )
        with pytest.raises(CommandRefused) as caught:
            await lobby.open(other, other.sign(DOMAIN, served.player.key))
        assert caught.value.code == "offer_unknown"
    assert len(list(served.arena.games())) == 1


async def test_too_many_games(served: Served) -> None:
    for nonce in range(LIMITS.games_per_opener):
        await served.open(nonce=nonce, base=60)
    assert await try_open(served, nonce=99) == "too_many_games"
    served.player = Player("another")
    for nonce in range(LIMITS.games - LIMITS.games_per_opener):
        await served.open(nonce=nonce, base=60)
    served.player = Player("a third")
    assert await try_open(served) == "too_many_games"
    served.clock.time += 61  # games out of time need no place
    await served.open()


async def test_games_cannot_begin_faster_than_the_relayer_should_pay(served: Served) -> None:
    served.arena._openings = TokenBucket(rate=1, burst=1, now=served.clock())
    await served.open()
    assert await try_open(served, nonce=1) == "too_many_games"
    served.clock.time += 1
    await served.open(nonce=2)


async def test_nobody_can_use_up_anothers_games(served: Served) -> None:
    victim = served.player
    served.player = Player("a pest")
    for nonce in range(LIMITS.games_per_opener):
        async with await Client.connect(served.url) as lobby:
            offer = await lobby.offer(BOT)
            opening = served.player.open(
                bytes.fromhex(offer.commitment[2:]),
                white=victim.side,
                expires=offer.expires,
                nonce=nonce,
            )
            await lobby.open(opening, opening.sign(DOMAIN, served.player.key))
    served.player = victim
    await served.open()


# --- faults ------------------------------------------------------------------------------------


async def test_a_prover_that_dies_is_tried_again(served: Served) -> None:
    served.prover.faults = [ProverDied("killed"), ProverDied("killed")]
    game = await served.open()
    async with await Client.connect(served.url, game=game) as client:
        await client.wait_until(lambda: client.snapshot is not None)
        await served.move(client, E4)
        await client.wait_stage(1, "verified")
        stages = [e.d.stage for e in client.events if isinstance(e, m.ProofEvent)]
    assert stages.count("proving") == 3
    assert len(served.prover.jobs) == 3


async def test_a_prover_that_always_dies_is_waited_for_and_tried_again(served: Served) -> None:
    served.prover.faults = [ProverDied("killed")] * LIMITS.proof_tries
    game = await served.open()
    async with await Client.connect(served.url, game=game) as client:
        await client.wait_until(lambda: client.snapshot is not None)
        await served.move(client, E4)
        await client.wait_until(lambda: any(e.t == "waiting" for e in client.events))
        assert [m.by for m in client.moves] == ["player", "bot"]
        async with await Client.connect(served.url, game=game) as late:
            await late.wait_until(lambda: late.snapshot is not None)
            assert late.snapshot is not None
            assert "killed" in (late.snapshot.waiting or "")
        hosted = served.arena.game(bytes.fromhex(game[2:]))
        served.clock.time += FIRST_PAUSE
        served.arena.apply(hosted, hosted.session.woke(served.clock()))
        await client.wait_stage(1, "verified")
        told = [e.d.reason for e in client.events if isinstance(e, m.WaitingEvent)]
    assert len(told) == 2
    assert "killed" in (told[0] or "")
    assert told[1] is None
    assert not any(isinstance(e, m.CorrectionEvent) for e in client.events)


async def test_a_proof_of_a_move_that_is_not_the_nets_takes_it_back(served: Served) -> None:
    served.prover.faults = [NotTheNetsMove(1, 2)] * LIMITS.proof_tries
    game = await served.open()
    async with await Client.connect(served.url, game=game) as client:
        await client.wait_until(lambda: client.snapshot is not None)
        await served.move(client, E4)
        await client.wait_until(lambda: any(e.t == "correction" for e in client.events))
        await client.wait_until(lambda: len(client.moves) == 1)
    (told,) = (e.d for e in client.events if isinstance(e, m.CorrectionEvent))
    assert (told.ply, told.cause) == (1, "unprovable")


async def test_a_refused_proof_is_made_anew(served: Served) -> None:
    served.prover.bad_proofs = 1
    game = await served.open()
    async with await Client.connect(served.url, game=game) as client:
        await client.wait_until(lambda: client.snapshot is not None)
        await served.move(client, E4)
        await client.wait_stage(1, "verified")
        told = [e for e in client.events if isinstance(e, m.ChainEvent | m.FullEvent)]
    rejected = next(
        i for i, e in enumerate(told) if isinstance(e, m.ChainEvent) and e.d.stage == "rejected"
    )
    assert "ProofRejected" in (told[rejected].d.reason or "")  # type: ignore[union-attr]
    assert told[rejected + 1].t == "full"
    (correction,) = (e.d for e in client.events if isinstance(e, m.CorrectionEvent))
    assert (correction.ply, correction.cause) == (1, "refused")


async def test_a_chain_that_is_down_is_waited_for(served: Served) -> None:
    game = await served.open()
    async with await Client.connect(served.url, game=game) as client:
        await client.wait_until(lambda: client.snapshot is not None)
        served.chain.faults = [ChainDown("http://fake", "refused"), ValueError("what?")]
        await served.move(client, E4)
        await client.wait_stage(1, "verified")
        reasons = [e.d.reason for e in client.events if isinstance(e, m.ChainEvent) and e.d.reason]
    assert [("refused" in r, "makes no sense" in r) for r in reasons] == [
        (True, False),
        (False, True),
    ]


async def test_no_game_begins_while_the_chain_is_down(served: Served) -> None:
    served.chain.faults = [ChainDown("http://fake", "refused")] * 1000
    game = await served.open()
    async with await Client.connect(served.url, game=game) as client:
        await client.wait_until(
            lambda: any(isinstance(e, m.ChainEvent) and e.d.reason for e in client.events)
        )
    assert await try_open(served, nonce=2) == "chain_down"
    served.chain.faults = []


async def test_an_answer_lost_after_landing_sends_nothing_twice(served: Served) -> None:
    game = await served.open()
    async with await Client.connect(served.url, game=game) as client:
        await client.wait_until(lambda: client.snapshot is not None)
        await client.wait_until(lambda: client.events[-1].t == "clock" or bool(served.chain.held))
        served.chain.lose_answers = 2
        await served.move(client, E4)
        await client.wait_stage(1, "verified")
    assert len(served.chain.held[bytes.fromhex(game[2:])].moves) == 2


async def test_a_timeout_is_claimed_when_asked_for(served: Served) -> None:
    game = await served.open(base=10)
    async with await Client.connect(served.url, game=game) as client:
        await client.wait_until(
            lambda: (
                (bool(client.events) and client.events[-1].t == "clock") or bool(served.chain.held)
            )
        )
        served.clock.time += 11
        await client.claim_timeout()
        served.clock.time += 100  # the grace passes in no time here
        hosted = served.arena.game(bytes.fromhex(game[2:]))
        await client.wait_until(lambda: hosted.session._under_way is None)
        served.arena.apply(hosted, hosted.session.woke(served.clock()))
        assert (await client.wait_end()).reason == "timeout"


async def test_a_move_brought_by_somebody_else_is_noticed(served: Served) -> None:
    served.arena.watch()
    game = await served.open()
    async with await Client.connect(served.url, game=game) as client:
        await client.wait_until(lambda: bool(served.chain.held))
        hosted = served.arena.game(bytes.fromhex(game[2:]))
        signature = served.player.move(hosted.session.id, 0, hosted.session.id, E4)
        await client.wait_until(lambda: hosted.session.is_waiting)
        served.chain.head += 1
        landing = served.chain.land(
            hosted.session.terms, PlayerMove(0, E4, signature), "0x77", served.chain.head
        )
        reply = await client.wait_stage(1, "verified")
        assert reply.by == "bot"
        assert client.moves[0].tx == landing.tx


async def test_a_chain_that_lost_its_blocks_gets_them_again(served: Served) -> None:
    served.arena.watch()
    game = await served.open()
    async with await Client.connect(served.url, game=game) as client:
        await client.wait_until(lambda: client.snapshot is not None)
        await served.move(client, E4)
        await client.wait_stage(1, "verified")
        await looked_at(served)
        served.chain.held.clear()
        served.chain.head = 0
        held = served.chain.held
        await client.wait_until(lambda: bool(held) and len(next(iter(held.values())).moves) == 2)
        await client.wait_stage(1, "verified")
    assert len(served.prover.jobs) == 1


async def test_a_reorg_over_a_bots_move_is_told_and_the_move_brought_again(served: Served) -> None:
    served.arena.watch()
    game = await served.open()
    async with await Client.connect(served.url, game=game) as client:
        await client.wait_until(lambda: client.snapshot is not None)
        await served.move(client, E4)
        await client.wait_stage(1, "verified")
        await looked_at(served)
        held = served.chain.held[bytes.fromhex(game[2:])]
        del held.moves[1:]
        held.game.board.pop()
        served.chain.head = 0
        await client.wait_until(lambda: any(e.t == "correction" for e in client.events))
        await client.wait_until(lambda: len(held.moves) == 2)  # until then the old stage is shown
        await client.wait_stage(1, "verified")
        (told,) = (e.d for e in client.events if isinstance(e, m.CorrectionEvent))
        assert (told.ply, told.cause) == (1, "reorg")
    assert len(served.prover.jobs) == 1
    assert served.chain.recoveries == 1


async def test_an_end_that_the_chain_lost_is_taken_back(served: Served) -> None:
    served.arena.watch()
    game = await served.open()
    async with await Client.connect(served.url, game=game) as client:
        await client.wait_until(lambda: client.snapshot is not None)
        await client.resign(Resign(bytes.fromhex(game[2:])).sign(DOMAIN, served.player.key))
        await client.wait_end()
        await looked_at(served)
        served.chain.held[bytes.fromhex(game[2:])].ended = None
        served.chain.head = 0
        await client.wait_until(lambda: any(e.t == "correction" for e in client.events))
        await client.wait_until(lambda: client.snapshot is not None and not client.snapshot.result)
        assert client.snapshot is not None
        assert (client.snapshot.status, client.snapshot.result) == ("playing", None)
        (told,) = (e.d for e in client.events if isinstance(e, m.CorrectionEvent))
        assert (told.ply, told.cause) == (0, "reorg")
        await served.move(client, E4)
        await client.wait_stage(1, "verified")


async def test_a_chain_that_takes_long_is_told_of(served: Served) -> None:
    game = await served.open()
    async with await Client.connect(served.url, game=game) as client:
        session = served.arena.game(bytes.fromhex(game[2:])).session
        await client.wait_until(lambda: session.is_waiting and client.snapshot is not None)
        served.chain.hold()
        served.arena._sending._limits = replace(LIMITS, slow_chain=0.02)
        await served.move(client, E4)
        await client.wait_until(lambda: any(e.t == "waiting" for e in client.events))
        served.arena._sending._limits = LIMITS
        served.chain.release()
        await client.wait_stage(1, "verified")
        told = [e.d.reason for e in client.events if isinstance(e, m.WaitingEvent)]
    assert told == ["waiting for the chain: no answer for 0.02 seconds", None]


# --- coming back -------------------------------------------------------------------------------


async def test_a_reconnect_gets_what_it_missed(served: Served) -> None:
    game = await served.open()
    async with (
        await Client.connect(served.url, game=game) as client,
        await Client.connect(served.url, game=game) as watching,
    ):
        await client.wait_until(lambda: client.snapshot is not None)
        await watching.wait_until(lambda: watching.snapshot is not None)
        seen = watching.version
        await watching.close()
        await served.move(client, E4)
        await client.wait_stage(1, "verified")
    async with await Client.connect(served.url, game=game, since=seen) as again:
        await again.wait_until(lambda: any(isinstance(e, m.ChainEvent) for e in again.events))
        assert "full" not in {e.t for e in again.events}
        assert again.events[0].v == (seen or 0) + 1
    for nonsense in (0, 10**15):
        async with await Client.connect(served.url, game=game, since=nonsense) as again:
            await again.wait_until(lambda: again.snapshot is not None)
            assert [move.stage for move in again.moves] == ["verified"] * 2


async def test_games_are_rebuilt_from_the_chain_and_go_on(served: Served) -> None:
    served.prover.is_held = True
    game = await served.open()
    async with await Client.connect(served.url, game=game) as client:
        await client.wait_until(lambda: client.snapshot is not None)
        await served.move(client, E4)
        await client.wait_stage(0, "verified")
    await served.arena.close()

    arena = Arena(served.chain, FakeProver(), BOTS, limits=LIMITS, now=served.clock)
    count = await rebuild(arena, served.chain)
    assert count == 1
    served.site.arena = arena
    served.clock.time += 1
    async with await Client.connect(served.url, game=game) as client:
        await client.wait_stage(1, "verified")
        await served.move(client, NF3)
        await client.wait_stage(3, "verified")
    await arena.close()


async def test_a_finished_game_gives_its_place_away_but_not_while_it_is_watched() -> None:
    chain, player = FakeChain(), Player()
    limits = LIMITS.__class__(finished_kept=1)
    arena = Arena(chain, FakeProver(), BOTS, limits=limits, now=lambda: 1000.0)
    ids = []
    for nonce in range(4):
        commitment = bytes.fromhex(arena.offer(BOT).commitment[2:])
        opening = player.open(commitment, nonce=nonce, expires=1500)
        game = arena.open_game(opening, opening.sign(DOMAIN, player.key))
        hosted = arena.game(game)
        command = m.Resign(
            t="resign", d=m.ResignData(signature="0x" + Resign(game).sign(DOMAIN, player.key).hex())
        )
        arena.command(hosted, command)
        await arena._tasks.join()
        ids.append(game)
    assert [h.session.id for h in arena.games()] == [ids[3], ids[2]]
    await arena.close()


async def test_closing_leaves_no_task(served: Served) -> None:
    served.prover.is_held = True
    served.chain.hold()
    game = await served.open()
    async with await Client.connect(served.url, game=game) as client:
        await client.wait_until(lambda: client.snapshot is not None)
        await served.move(client, SHUFFLE[0])
        await client.wait_ply(1)
        await served.arena.close()
        assert not served.arena._tasks


async def looked_at(served: Served) -> None:
    """Wait until the watching arena has asked the chain, and made what it will of the answer."""
    looks = served.chain.looks
    async with asyncio.timeout(30):
        while served.chain.looks < looks + 2:  # noqa: ASYNC110 the fake tells nobody
            await asyncio.sleep(LIMITS.watch_every / 4)
