"""All games of one server: it carries out what the sessions want.

Each session answers with effects; here they are written to the store, and only then they become
published events, proofs in other processes, transactions, timers.  Everything in this file runs on
the event loop.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from engine.errors import EngineError, IllegalStart
from proofs.errors import BadSignature, ChainDown
from proofs.prover import PoolState
from proofs.signing import Open, side_player
from server import messages as m
from server.correction import Fix
from server.effects import (
    BotPlayer,
    ChainTruth,
    DropProof,
    DropThought,
    Effect,
    Emit,
    Prove,
    Resync,
    Submit,
    Terms,
    Think,
    WakeAt,
)
from server.errors import CommandRefused, StoreFailed
from server.hosted import Hosted, Limits, is_left
from server.hub import Room, Subscriber
from server.journal import Journal, Kept
from server.limits import TokenBucket
from server.offers import Offers
from server.ply import hex_of
from server.ports import GameChain, Prover
from server.proving import Proving
from server.records import Batch
from server.sending import Sending
from server.session import Session
from server.store import Store
from server.tasks import Tasks
from server.thinking import Thinking
from server.writing import Writing

_LOG: Final = logging.getLogger(__name__)
_SPECTATORS_EVERY: Final = 0.5
_DRAIN_LOOK: Final = 0.05
_SEEN_EVERY: Final = 5.0
_AWAY_TOLD: Final = 50

Frame = tuple[int, str, m.GameEvent | None]
"""Version, wire, and the event unless it is the whole game."""


class Arena:
    """Games, their proofs and their transactions.

    `bots` are the versions that may be played here; `now` is the unix time.  Without a `store`
    nothing but the chain survives this object.
    """

    def __init__(
        self,
        chain: GameChain,
        prover: Prover,
        bots: Mapping[bytes, BotPlayer],
        *,
        limits: Limits | None = None,
        now: Callable[[], float] = time.time,
        store: Store | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.bots = bots
        self.now = now
        self.observe: Callable[[Hosted, m.GameEvent], None] = lambda _hosted, _event: None
        """Told of every event of every game, after it happened."""
        self.offers = Offers(store=store, now=now())
        self.store = store
        self.absences: list[m.Away] = []
        """When the arena did not run, oldest first."""
        self._openings = TokenBucket(
            rate=self.limits.openings_per_second, burst=self.limits.openings_at_once, now=now()
        )
        self._chain = chain
        self._tasks = Tasks()
        self._writing = Writing(store)
        self._proving = Proving(prover, self.limits, self._tasks, self.apply, now)
        self._thinking = Thinking(self._tasks, self.apply, now)
        self._sending = Sending(chain, self.limits, self.apply, now)
        self._games: dict[bytes, Hosted] = {}
        self._paused: tuple[m.ErrorCode, str] | None = None
        self._closing = False

    # --- questions ------------------------------------------------------------------------------

    @property
    def chain_fault(self) -> str | None:
        """Why the chain does not answer, if so."""
        return self._sending.fault

    @property
    def store_fault(self) -> str | None:
        """Why nothing can be written to the store, if so."""
        return self._writing.fault

    def game(self, game: bytes) -> Hosted:
        """Raises CommandRefused for a game that is not here."""
        hosted = self._games.get(game)
        if hosted is None:
            raise CommandRefused("unknown_game", f"no game {hex_of(game)} is here")
        return hosted

    def games(self) -> Iterator[Hosted]:
        """Newest first."""
        return reversed(self._games.values())

    def proof_seconds(self, version: bytes) -> float | None:
        """The median of the latest proofs of a bot, None before the first."""
        return self._proving.seconds(version)

    def prover_state(self) -> PoolState:
        """How the provers are: for those who watch over the server."""
        return self._proving.state()

    # --- commands -------------------------------------------------------------------------------

    def pause_openings(self, code: m.ErrorCode | None, why: str = "") -> None:
        """Refuse new games with this code and text; None takes them again."""
        self._paused = None if code is None else (code, why)

    def _check_open(self) -> None:
        self._check_not_closing()
        if self._paused is not None:
            raise CommandRefused(*self._paused)

    def _check_written(self) -> None:
        """Nothing is acknowledged that a crash could lose."""
        if self._writing.fault is not None:
            raise CommandRefused("internal", "the arena cannot write its store now; try again soon")

    def _check_not_closing(self) -> None:
        if self._closing:
            raise CommandRefused("closing", "the arena is about to stop; come back in a moment")

    def offer(self, version: bytes) -> m.OfferReply:
        """A commitment for a game against a bot."""
        self._check_open()
        self._check_written()
        self._check_bot(version)
        offer = self.offers.make(version, self.now())
        return m.OfferReply(commitment=hex_of(offer.commitment), expires=offer.expires)

    def open_game(self, opening: Open, signature: bytes) -> bytes:
        """Begin a signed game; its id.  Raises CommandRefused, and then nothing was sent."""
        game = opening.game_id(self._chain.domain)
        self._check_written()
        if game in self._games:  # the answer to the first try was lost
            return game
        self._check_open()
        offer = self.offers.look(opening.commitment, self.now())
        self._check_opening(opening, offer.bot)
        try:
            signer = opening.signer(self._chain.domain, signature)
        except BadSignature as error:
            raise CommandRefused("bad_signature", str(error)) from error
        if signer != opening.opener.lower():
            raise CommandRefused("bad_signature", f"not signed by {opening.opener.lower()}")
        self._check_room(opening)
        if self._sending.fault is not None:
            raise CommandRefused(
                "chain_down", f"no new games: the chain does not answer: {self._sending.fault}"
            )
        self.offers.use(offer)
        terms = Terms(self._chain.domain, opening, signature, offer.secret, self.bots)
        hosted = self._host(terms)
        self._begin(hosted, hosted.session.start(self.now()), offer=offer.commitment)
        self._check_written()
        return game

    def bots_changed(self) -> None:
        """Another bot can be played here: games may have waited for it."""
        for hosted in list(self._games.values()):
            if hosted.journal.ours and (effects := hosted.session.bots_changed(self.now())):
                self.apply(hosted, effects)

    def command(self, hosted: Hosted, command: m.GameCommand) -> None:
        """Carry out a player's command.  Raises CommandRefused, and then nothing changed."""
        self._check_not_closing()
        session, now = hosted.session, self.now()
        self._check_written()
        if not hosted.journal.ours:
            raise CommandRefused("not_player", "this game was opened elsewhere: it is only shown")
        match command:
            case m.Move(d=d):
                effects = session.play(d.ply, d.index, _bytes(d.signature), now)
            case m.Resign(d=d):
                effects = session.resign(_bytes(d.signature), now)
            case m.Abort(d=d):
                effects = session.abort(_bytes(d.signature), now)
            case m.Draw(d=d):
                effects = session.claim_draw(d.ply, _bytes(d.signature), now)
            case m.Timeout():
                effects = session.claim_timeout(now)
        self.apply(hosted, effects)
        self._check_written()

    def _check_bot(self, version: bytes) -> None:
        bot = self.bots.get(version)
        if bot is None or not bot.is_played:
            raise CommandRefused("unknown_bot", f"no bot {hex_of(version)} plays here")

    def _check_opening(self, opening: Open, offered: bytes) -> None:
        sides = (opening.white, opening.black)
        bots = [side for side in sides if side_player(side) is None]
        if offered not in bots:
            raise CommandRefused("unknown_bot", "the bot that was offered plays neither side")
        for version in bots:
            self._check_bot(version)
        try:
            opening.begins.to_board()
        except IllegalStart as error:
            raise CommandRefused("bad_start", str(error)) from error
        self._check_clock(opening)
        now, limits = self.now(), self.limits
        if opening.expires <= now:
            raise CommandRefused("offer_expired", f"the opening expired at {opening.expires}")
        if opening.expires > now + limits.longest_expiry:
            raise CommandRefused("bad_clock", "the opening is to expire within a day")

    def _check_clock(self, opening: Open) -> None:
        low, high = self.limits.shortest_base, self.limits.longest_base
        if not low <= opening.base_seconds <= high:
            raise CommandRefused("bad_clock", f"a clock has from {low} to {high} seconds")
        most = self.limits.longest_increment
        if max(opening.increment_seconds, opening.delay_seconds) > most:
            raise CommandRefused("bad_clock", f"increment and delay are at most {most} seconds")

    def _check_room(self, opening: Open) -> None:
        """Games whose clock ran out do not count: nobody has to end them."""
        now, limits, opener = self.now(), self.limits, opening.opener.lower()
        ours = (h.session for h in self._games.values() if h.journal.ours)
        going = [session for session in ours if not is_left(session, now)]
        if len(going) >= limits.games:
            raise CommandRefused("too_many_games", f"{len(going)} games are going on here")
        mine = sum(session.terms.open.opener.lower() == opener for session in going)
        if mine >= limits.games_per_opener:
            raise CommandRefused("too_many_games", f"{opener} has {mine} games going on")
        queued = self.prover_state().queued
        if queued >= limits.proofs_waiting:  # its bot could not answer before its clock ran out
            raise CommandRefused("too_many_games", f"{queued} moves wait for a prover")
        if not self._openings.take(now):  # each costs the relayer a transaction
            raise CommandRefused("too_many_games", "too many games begin at once; try again soon")

    # --- hosting --------------------------------------------------------------------------------

    def restore(
        self, terms: Terms, truth: ChainTruth, *, kept: Kept | None = None, ours: bool = True
    ) -> Hosted:
        """Take up a game that the chain holds, or the store, or both; play in it if it is ours."""
        if not ours:
            terms = replace(terms, bots=_silent(terms.bots))
        now = self.now()
        hosted = self._host(terms, kept=kept, ours=ours)
        session = hosted.session
        fix = Fix() if kept is None else session.restore(kept.state, kept.plies, now)
        was_over = session.is_over
        try:
            effects = [*session.reconcile(truth, now), *fix.effects(now)]
        except EngineError:
            del self._games[session.id]
            raise
        if not (session.is_over and was_over):  # what was missed is told with the whole
            effects.append(Resync())
        if kept is None:
            self._begin(hosted, effects)
        else:
            self.apply(hosted, effects)
        return hosted

    def _host(self, terms: Terms, *, kept: Kept | None = None, ours: bool = True) -> Hosted:
        self._forget_finished()
        now = self.now()
        session = Session(terms, payee=self._chain.payee, now=now)
        journal = Journal(session, ours=ours, begun=kept.begun if kept else now)
        start = int(now * 1000)
        if kept is not None:
            journal.wrote(kept.plies, kept.state_text, kept.ended_at)
            start = max(start, kept.version + 1)
        events = kept.events if kept else ()
        room = Room(lambda count: self._show(hosted, count), start=start, events=events)
        hosted = Hosted(session, room, journal)
        self._games[session.id] = hosted
        return hosted

    def _show(self, hosted: Hosted, spectators: int) -> m.Snapshot:
        begun, ended = hosted.journal.begun, hosted.journal.ended_at
        away = [a for a in self.absences if a.until > begun and (ended is None or a.since < ended)]
        return hosted.session.snapshot(
            spectators=spectators, waiting=hosted.waiting, away=away[-_AWAY_TOLD:]
        )

    def _forget_finished(self) -> None:
        """The chain remembers them; here the oldest that nobody looks at make room."""
        now = self.now()
        finished = [
            h
            for h in self._games.values()
            if is_left(h.session, now) and h.session.is_waiting and h.room.is_empty
        ]
        for hosted in finished[: max(0, len(finished) - self.limits.finished_kept)]:
            del self._games[hosted.session.id]

    def join(self, hosted: Hosted, subscriber: Subscriber, since: int | None = None) -> None:
        hosted.room.subscribe(subscriber, since=since)
        self.count_spectators(hosted)

    def leave(self, hosted: Hosted, subscriber: Subscriber) -> None:
        hosted.room.unsubscribe(subscriber)
        self.count_spectators(hosted)

    def count_spectators(self, hosted: Hosted) -> None:
        """Tell the number of spectators soon, and once for many that come together."""
        if hosted.spectators_timer is None:
            loop = asyncio.get_running_loop()
            hosted.spectators_timer = loop.call_later(
                _SPECTATORS_EVERY, self._show_spectators, hosted
            )

    def _show_spectators(self, hosted: Hosted) -> None:
        hosted.spectators_timer = None
        if (event := hosted.room.count_spectators()) is not None:
            self.apply(hosted, [Emit(event)])

    def watch(self, since: int = 0) -> None:
        """Look after games that others move on: anyone may talk to the contract.

        `since` is the block from which on nothing is known yet.
        """
        self._tasks.spawn(self._watch(since))

    async def drain(self, seconds: float) -> None:
        """Take no more commands, and wait until what is in hand has landed, at most so long.

        In hand is what a prover works on and what is on its way to the chain.  What waits in the
        queue is left for the next start.
        """
        self._closing = True
        self._proving.begin_no_more()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.is_busy:  # noqa: ASYNC110 many small things end it
                    await asyncio.sleep(_DRAIN_LOOK)

    @property
    def is_busy(self) -> bool:
        """Whether proofs are wanted or transactions are on their way."""
        return any(h.proofs or not h.session.is_waiting for h in self._games.values())

    async def close(self) -> None:
        """Drop all work that is under way; the chain and its log suffice to take it up again."""
        for hosted in self._games.values():
            if hosted.spectators_timer is not None:
                hosted.spectators_timer.cancel()
            hosted.room.close()
        await self._tasks.cancel()
        self._writing.close()
        if self.store is not None:
            with contextlib.suppress(StoreFailed):
                self.store.end_run(self.now())

    # --- effects --------------------------------------------------------------------------------

    def apply(self, hosted: Hosted, effects: list[Effect]) -> None:
        """Write down what a session wants, then carry it out."""
        batch, frames = self._prepare(hosted, effects)
        self._writing.write(batch, partial(self._act, hosted, effects, frames))

    def _begin(self, hosted: Hosted, effects: list[Effect], offer: bytes | None = None) -> None:
        """The same for a game that is new to the store."""
        batch, frames = self._prepare(hosted, effects)
        batch = hosted.journal.first(hosted.session.terms, batch, offer)
        self._writing.write(batch, partial(self._act, hosted, effects, frames))

    def _prepare(self, hosted: Hosted, effects: list[Effect]) -> tuple[Batch, list[Frame]]:
        """The rows to write and the frames to send; tells what the game waits for, if that is new.

        In front, so that a whole game in the same step says the same.
        """
        now = self.now()
        waiting = self._waits_for(hosted.session)
        if waiting != hosted.waiting:
            hosted.waiting = waiting
            data = m.WaitingData(reason=waiting, at=now)
            effects.insert(0, Emit(m.WaitingEvent(d=data)))
        frames: list[Frame] = []
        for effect in effects:
            match effect:
                case Emit(event=event):
                    frames.append((*hosted.room.number(event), event))
                case Resync():
                    frames.append((*hosted.room.number_full(), None))
                case _:
                    pass
        whole = any(isinstance(effect, Resync) for effect in effects)
        return hosted.journal.batch([frame[:2] for frame in frames], now, whole=whole), frames

    def _waits_for(self, session: Session) -> str | None:
        if (reason := session.holds_up) is not None or session.is_over:
            return reason
        return self._proving.hold_up if session.needs_prover else None

    def _act(self, hosted: Hosted, effects: list[Effect], frames: list[Frame]) -> None:
        hosted.room.send(*(wire for _, wire, _ in frames))
        for _, _, event in frames:
            if event is not None:
                self.observe(hosted, event)
        for effect in effects:
            match effect:
                case Prove():
                    self._proving.begin(hosted, effect)
                case DropProof(job=job):
                    self._proving.drop(hosted, job)
                case Think():
                    self._thinking.begin(hosted, effect)
                case DropThought(job=job):
                    self._thinking.drop(hosted, job)
                case Submit(intent=intent):
                    self._tasks.spawn(self._sending.send(hosted, intent))
                case WakeAt(at=at):
                    self._tasks.spawn(self._wake(hosted, at))
                case _:
                    pass

    async def _wake(self, hosted: Hosted, at: float) -> None:
        await asyncio.sleep(max(0.0, at - self.now()))
        self.apply(hosted, hosted.session.woke(self.now()))

    # --- what others do -------------------------------------------------------------------------

    async def _watch(self, since: int) -> None:
        due: set[bytes] = set()
        went_back = False
        seen = self.now()
        while True:
            try:
                since, changed = await self._chain.changed(since)
                went_back = went_back or changed is None
                due |= set(changed or ())
                if went_back:
                    await self._look_at_all()
                    went_back = False
                while due:
                    game = next(iter(due))
                    await self._follow(game, self._look_at_game(game))
                    due.discard(game)  # pop() may take another, which nobody looked at
            except ChainDown as error:
                _LOG.info("watching the chain: %s", error)
            if self.store is not None and self.now() - seen >= _SEEN_EVERY:
                seen = self.now()
                with contextlib.suppress(StoreFailed):
                    self.store.see_run(seen)
            await asyncio.sleep(self.limits.watch_every)

    async def _look_at_all(self) -> None:
        """The chain went back: tell what it lost of the games that go on, then bring it again."""
        games = list(self.games())
        for hosted in games:
            if not hosted.session.is_over:
                await self._follow(hosted.session.id, self._look_at(hosted))
        await self._chain.recover()
        for hosted in games:
            if hosted.session.is_over:
                await self._follow(hosted.session.id, self._look_at(hosted))

    @staticmethod
    async def _follow(game: bytes, look: Awaitable[None]) -> None:
        """One game that makes no sense here must not end the watch over all others.

        Raises ChainDown.
        """
        try:
            await look
        except ChainDown:
            raise
        except Exception:
            _LOG.exception("it cannot be followed", extra={"game": hex_of(game)})

    async def _look_at_game(self, game: bytes) -> None:
        hosted = self._games.get(game)
        if hosted is not None:
            await self._look_at(hosted)
            return
        opened = await self._chain.opened(game)
        foreign = sum(not hosted.journal.ours for hosted in self._games.values())
        if opened is not None and foreign < self.limits.foreign_games:
            terms = Terms(
                self._chain.domain, opened.open, opened.signature, opened.secret, self.bots
            )
            truth = await self._chain.truth(terms)
            if game not in self._games and truth.opened_by is not None:
                self.restore(terms, truth, ours=False)

    async def _look_at(self, hosted: Hosted) -> None:
        """Learn what the chain holds, unless our own transaction is about to change it."""
        session = hosted.session
        landed = session.line.landed
        if not session.is_waiting:
            return
        truth = await self._chain.truth(session.terms)
        if session.is_waiting and session.line.landed == landed:
            effects = session.reconcile(truth, self.now())
            if effects:
                self.apply(hosted, effects)


def _silent(bots: Mapping[bytes, BotPlayer]) -> Mapping[bytes, BotPlayer]:
    """The same bots by name, none of which is played here."""
    return {version: replace(bot, choose=None, ponder=None) for version, bot in bots.items()}


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
