"""The real chain and the real provers, as the arena wants to see them (server/ports.py)."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from engine.game import Outcome, Reason, Result
from proofs.chain import Chain
from proofs.errors import ChainDown
from proofs.prover import Place, PoolState, ProofJob, ProverPool
from proofs.records import Block, LogEvent, OnChainGame, Opening, Receipt, opening_of
from proofs.signing import Domain
from proofs.statement import Statement
from server.effects import (
    AbortGame,
    BotMove,
    ChainTruth,
    ClaimDraw,
    ClaimTimeout,
    Ended,
    Intent,
    LandedMove,
    Landing,
    OpenGame,
    PlayerMove,
    ResignGame,
    Terms,
)
from server.messages import Clocks, Color
from server.ports import OpenedGame

GAS_KEPT: Final = 20_000
"""Of so many moves the gas is remembered."""
_UNKNOWN: Final = Clocks(white=0, black=0, running=None, at=0)


@dataclass(frozen=True)
class HouseKey:
    """What a prover has to load for a bot version: a house net by name, a key by hash.

    An ONNX bot has a `folder` (proofs/ezkl_build.py) instead of a house net.
    """

    net: str
    key_hash: str
    folder: Path | None = None


class PoolProver:
    """A ProverPool that knows which key belongs to which bot version."""

    def __init__(self, pool: ProverPool, keys: Mapping[bytes, HouseKey]) -> None:
        self._pool = pool
        self._keys = keys

    def submit(
        self,
        version: bytes,
        statement: Statement,
        *,
        group: bytes,
        on_start: Callable[[], None],
        on_again: Callable[[], None],
    ) -> Future[Any]:
        key = self._keys[version]
        job = ProofJob(key.net, key.key_hash, statement, key.folder)
        return self._pool.submit(job, on_start, group=group, on_again=on_again)

    def places(self) -> Mapping[Future[Any], Place]:
        return self._pool.places()

    def state(self) -> PoolState:
        return self._pool.state()


class ArenaChain:
    """The Arena contract, one game's intents at a time."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._marks = Landmarks()
        self._gas: dict[tuple[str, int], int] = {}

    @property
    def domain(self) -> Domain:
        return self._chain.domain

    @property
    def payee(self) -> int:
        return self._chain.payee

    async def send(self, terms: Terms, intent: Intent, on_sent: Callable[[str], None]) -> Landing:
        receipt = await self._send(terms, intent, on_sent)
        self._marks.see(Block(receipt.block, receipt.block_hash))
        state = await self._chain.game(terms.open.game_id(terms.domain))
        return Landing(
            tx=receipt.tx,
            gas=receipt.gas,
            block=receipt.block,
            clocks=clocks_of(state),
            ended=ended_of(receipt.logs),
            grace_until=state.grace_until or None,
        )

    async def _send(self, terms: Terms, intent: Intent, on_sent: Callable[[str], None]) -> Receipt:
        chain, game = self._chain, terms.open.game_id(terms.domain)
        match intent:
            case OpenGame():
                sent = chain.open_game(terms.open, terms.signature, terms.secret, on_sent=on_sent)
            case PlayerMove(ply, index, signature):
                sent = chain.move(game, ply, index, signature, on_sent=on_sent)
            case BotMove(ply, index, payee, proof):
                sent = chain.submit_bot_move(game, ply, index, payee, proof, on_sent=on_sent)
            case ResignGame():
                sent = chain.resign(game, intent.signature, on_sent=on_sent)
            case AbortGame():
                sent = chain.abort(game, intent.signature, on_sent=on_sent)
            case ClaimDraw():
                sent = chain.claim_draw(game, intent.ply, intent.signature, on_sent=on_sent)
            case ClaimTimeout():
                sent = chain.claim_timeout(game, on_sent=on_sent)
        return await sent

    async def truth(self, terms: Terms) -> ChainTruth:
        game = terms.open.game_id(terms.domain)
        return await self._truth_of(game, await self._chain.logs(game))

    async def _truth_of(self, game: bytes, logs: Sequence[LogEvent]) -> ChainTruth:
        """What these logs, all of one game, and its stored clocks tell."""
        opened = next((log.tx for log in logs if log.name == "GameOpened"), None)
        if opened is None:
            return ChainTruth(None, (), _UNKNOWN, None)
        state = await self._chain.game(game)
        played = [log for log in logs if log.name in ("PlayerMoved", "BotMoved")]
        ended, grace = ended_of(logs), state.grace_until or None
        # a question for each move: worth it only where the game still is looked at
        gas = [None if ended else await self._gas_of(log) for log in played]
        moves = tuple(map(_landed, played, gas))
        return ChainTruth(opened, moves, clocks_of(state), ended, grace)

    async def _gas_of(self, log: LogEvent) -> int | None:
        """Asked once: a game is looked at many times, and its moves stay the same."""
        known = self._gas.get((log.tx, log.block))
        if known is None and (known := await self._chain.gas_used(log.tx)) is not None:
            self._gas[log.tx, log.block] = known
            if len(self._gas) > GAS_KEPT:
                del self._gas[next(iter(self._gas))]
        return known

    async def games(self) -> Sequence[tuple[Opening, ChainTruth]]:
        logs: dict[bytes, list[LogEvent]] = {}
        for log in await self._chain.events(0):
            logs.setdefault(_bytes(log.args["game"]), []).append(log)
        return [(opening_of(its[0]), await self._truth_of(game, its)) for game, its in logs.items()]

    async def opened(self, game: bytes) -> Opening | None:
        logs = await self._chain.logs(game)
        return next((opening_of(log) for log in logs if log.name == "GameOpened"), None)

    async def is_ours(self, opened: OpenedGame) -> bool:
        return await self._chain.sender_of(opened.tx) == self._chain.address

    async def recover(self) -> int:
        return await self._chain.recover()

    async def changed(self, since: int) -> tuple[int, Collection[bytes] | None]:
        head = await self._chain.block()
        if head is None:
            raise ChainDown(self._chain.rpc.url, "it has no latest block")
        mark = self._marks.highest
        if mark is not None and await self._is_gone(mark, head):
            self._marks.forget()
            self._marks.see(head)
            return head.number + 1, None
        self._marks.see(head)
        if head.number < since:
            return since, ()
        logs = await self._chain.events(since)
        last = max((log.block for log in logs), default=head.number)
        return max(head.number, last) + 1, {_bytes(log.args["game"]) for log in logs}

    async def _is_gone(self, mark: Block, head: Block) -> bool:
        """Whether a block that we saw has left the chain: another took its place, or none."""
        if self._marks.in_conflict or head.number < mark.number:
            return True
        if head.number == mark.number:
            return head != mark
        return await self._chain.block(mark.number) != mark


class Landmarks:
    """The highest block that was seen in the chain; every block before it hangs on its hash."""

    def __init__(self) -> None:
        self.highest: Block | None = None
        self.in_conflict = False

    def see(self, block: Block) -> None:
        """Know a block to be in the chain now."""
        known = self.highest
        if known is None or block.number > known.number:
            self.highest = block
        elif block.number == known.number and block != known:
            self.in_conflict = True

    def forget(self) -> None:
        self.highest, self.in_conflict = None, False


def clocks_of(state: OnChainGame) -> Clocks:
    """The contract's clocks; the mover's has run since the block of the last move."""
    running: Color = "black" if state.ply % 2 else "white"
    return Clocks(
        white=state.white_clock,
        black=state.black_clock,
        running=None if state.result else running,
        at=state.last_move_at,
    )


def ended_of(logs: Iterable[LogEvent]) -> Ended | None:
    """How a game ended, if these logs say so."""
    for log in logs:
        if log.name == "GameEnded":
            outcome = Outcome(Result(log.args["result"]), Reason(log.args["reason"]))
            return Ended(outcome, log.tx)
    return None


def _landed(log: LogEvent, gas: int | None) -> LandedMove:
    by_bot = log.name == "BotMoved"
    return LandedMove(
        index=log.args["index"],
        tx=log.tx,
        block=log.block,
        at=log.time,
        gas=gas,
        signature=None if by_bot else _bytes(log.args["signature"]),
        proof=_bytes(log.args["proof"]) if by_bot else None,
        payee=int(log.args["payee"], 16) if by_bot else None,
    )


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
