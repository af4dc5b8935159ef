"""Whether games can be played: what /healthz says, and the watch over chain, prover and store.

ok         games can be played
degraded   they can, but something wants looking at: provers warm up, the balance is low
down       they cannot: the server warms up or closes, or the chain or the provers do not answer
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

from proofs.errors import ChainDown, ProofError
from server import log
from server.budget import Spending
from server.errors import ServerError
from server.lag import LoopLag

LOOK_EVERY: Final = 5.0
LOOK_SECONDS: Final = 10.0
"""How long one look at the chain may take before it counts as no answer."""
BOT_MOVE_GAS: Final = 400_000
"""What a bot's move costs, roughly, before one was seen; the balance is told in such moves."""

Status = Literal["ok", "degraded", "down"]
_ORDER: Final[tuple[Status, ...]] = ("ok", "degraded", "down")
_LOG: Final = log.logger(__name__)


class ChainView(Protocol):
    """What is asked of the chain; each raises ChainDown."""

    @property
    def address(self) -> str: ...
    async def block_number(self) -> int: ...
    async def balance(self, address: str) -> int: ...
    async def gas_price(self) -> int: ...


class ProverState(Protocol):
    """proofs.prover.PoolState."""

    @property
    def ready(self) -> bool: ...
    @property
    def workers(self) -> int: ...
    @property
    def busy(self) -> int: ...
    @property
    def queued(self) -> int: ...
    @property
    def restarts(self) -> int: ...
    @property
    def median_seconds(self) -> float | None: ...
    @property
    def fault(self) -> str | None: ...


@dataclass(frozen=True)
class Look:
    """The chain as it was at unix time `at`; `balance` and `gas_price` in wei.

    `move_gas` is what a move of the dearest bot costs.
    """

    block: int
    balance: int
    gas_price: int
    at: float
    move_gas: int = BOT_MOVE_GAS

    @property
    def moves_left(self) -> int | None:
        """How many bot moves the balance pays for; None where gas costs nothing."""
        cost = self.gas_price * self.move_gas
        return self.balance // cost if cost else None


@dataclass(frozen=True)
class Part:
    status: Status
    what: str | None = None
    more: dict[str, Any] = field(default_factory=dict)

    def json(self) -> dict[str, Any]:
        return {"status": self.status, "what": self.what, **self.more}


@dataclass
class Vitals:
    """What is watched; whatever is None is not there yet, and nothing is said of it."""

    lag: LoopLag = field(default_factory=LoopLag)
    spending: Spending = field(default_factory=Spending)
    low_balance_moves: int = 0
    dearest: Callable[[], int | None] = lambda: None
    """The gas of a move of the dearest bot that was seen."""
    provers: Callable[[], ProverState] | None = None
    check_store: Callable[[], None] | None = None
    store_fault: str | None = None
    look: Look | None = None
    look_fault: str | None = None
    _is_low: bool = False

    @property
    def is_low(self) -> bool:
        """Whether the balance pays for fewer bot moves than the operator wants."""
        left = self.look.moves_left if self.look is not None else None
        return left is not None and left < self.low_balance_moves

    def chain(self, sending_fault: str | None) -> Part:
        """`sending_fault` is why our transactions cannot be sent, if so."""
        fault, look = sending_fault or self.look_fault, self.look
        more: dict[str, Any] = {}
        if look is not None:
            more = {"block": look.block, "age": round(max(0.0, time.time() - look.at), 1)}
        if fault is not None:
            return Part("down", f"the chain does not answer: {fault}", more)
        if self.is_low:
            assert look is not None
            why = f"the relayer's balance pays for {look.moves_left} bot moves"
            return Part("degraded", why, more)
        return Part("ok", None, more)

    def prover(self) -> Part:
        if self.provers is None:
            return Part("ok")
        state = self.provers()
        more = {
            "workers": state.workers,
            "busy": state.busy,
            "queued": state.queued,
            "restarts": state.restarts,
            "medianSeconds": state.median_seconds,
        }
        if state.fault is not None:
            return Part("down", "no prover starts", more)  # why is in the log
        if not state.ready:
            return Part("degraded", "the provers are warming up", more)
        return Part("ok", None, more)

    def store(self, writing_fault: str | None) -> Part:
        """`writing_fault` is why a game could not be written down, if so."""
        if self.store_fault is None and writing_fault is None:
            return Part("ok")
        return Part("down", "nothing can be written down")  # why is in the log

    async def watch(self, chain: ChainView, *, each: Callable[[], None] = lambda: None) -> None:
        """Look at the chain every few seconds until cancelled; `each` is called every time."""
        while True:
            await self.look_at(chain)
            self.look_at_store()
            each()
            await asyncio.sleep(LOOK_EVERY)

    async def look_at(self, chain: ChainView) -> None:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                block, balance, price = await asyncio.gather(
                    chain.block_number(), chain.balance(chain.address), chain.gas_price()
                )
        except TimeoutError:
            self._lost(f"no answer for {LOOK_SECONDS:g} seconds")
        except ChainDown as error:
            self._lost(error.why)
        except ProofError as error:
            self._lost(type(error).__name__)
        else:
            if self.look_fault is not None:
                _LOG.info("the chain answers again")
            gas = self.dearest() or BOT_MOVE_GAS
            self.look, self.look_fault = Look(block, balance, price, time.time(), gas), None
            self._warn_of_balance(self.look)

    def look_at_store(self) -> None:
        """`check_store` writes something, and raises ServerError when that cannot be done."""
        try:
            if self.check_store is not None:
                self.check_store()
        except ServerError as error:
            if self.store_fault is None:
                _LOG.error("the store cannot be written", why=str(error))
            self.store_fault = str(error)
        else:
            self.store_fault = None

    def _lost(self, fault: str) -> None:
        if self.look_fault is None:
            _LOG.warning("the chain does not answer", why=fault)
        self.look_fault = fault

    def _warn_of_balance(self, look: Look) -> None:
        """Once each time that it becomes low."""
        if self.is_low and not self._is_low:
            _LOG.warning(
                "the relayer's balance is low",
                bot_moves_left=look.moves_left,
                balance_wei=look.balance,
            )
        self._is_low = self.is_low


def worst(*parts: Part) -> Status:
    """The status of the whole."""
    return max((part.status for part in parts), key=_ORDER.index)
