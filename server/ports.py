"""What the arena needs from the outside, as small as it can be: a prover and a chain.

The real ones wrap `proofs.prover` and `proofs.chain` (server/adapters.py).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Protocol

from proofs.prover import Place, PoolState
from proofs.signing import Domain, Open
from proofs.statement import Statement
from server.effects import ChainTruth, Intent, Landing, Terms


class Proven(Protocol):
    """A finished proof: 256 bytes, seconds on the wall and of the processor."""

    @property
    def proof(self) -> bytes: ...

    @property
    def wall_s(self) -> float: ...

    @property
    def cpu_s(self) -> float: ...


class Prover(Protocol):
    def submit(
        self,
        version: bytes,
        statement: Statement,
        *,
        group: bytes,
        on_start: Callable[[], None],
        on_again: Callable[[], None],
    ) -> Future[Any]:
        """Prove one move of a bot version; groups take turns.

        `on_start` is called when it is begun, `on_again` when it has to be begun anew; both on any
        thread.  The future brings a Proven, or fails with a ProofError; it may be tried again.
        ProversBusy says that nothing is wrong with the job.
        """
        ...

    def places(self) -> Mapping[Future[Any], Place]:
        """Where each job stands that is not done."""
        ...

    def state(self) -> PoolState:
        """How the provers are."""
        ...


class OpenedGame(Protocol):
    """A game as its opening in the chain's log tells it."""

    @property
    def open(self) -> Open: ...

    @property
    def signature(self) -> bytes: ...

    @property
    def secret(self) -> bytes: ...

    @property
    def tx(self) -> str: ...


class GameChain(Protocol):
    @property
    def domain(self) -> Domain: ...

    @property
    def payee(self) -> int:
        """The relayer's address, named in this server's proofs."""
        ...

    async def send(self, terms: Terms, intent: Intent, on_sent: Callable[[str], None]) -> Landing:
        """Send one transaction and wait for its block.

        `on_sent` gets its hash.  Raises ChainRejected when a contract refuses, ChainDown when
        nothing can be said; then it may have landed all the same.
        """
        ...

    async def truth(self, terms: Terms) -> ChainTruth:
        """What the chain holds of a game.  Raises ChainDown."""
        ...

    async def games(self) -> Sequence[tuple[OpenedGame, ChainTruth]]:
        """All games ever opened, oldest first.  Raises ChainDown."""
        ...

    async def opened(self, game: bytes) -> OpenedGame | None:
        """A game's opening, None where the chain knows of none.  Raises ChainDown."""
        ...

    async def is_ours(self, opened: OpenedGame) -> bool:
        """Whether it was our key that brought the opening to the chain.  Raises ChainDown."""
        ...

    async def recover(self) -> int:
        """Bring again what we sent and the chain has lost; returns how many.  Raises ChainDown."""
        ...

    async def changed(self, since: int) -> tuple[int, Collection[bytes] | None]:
        """The games with logs from block `since` on, and the block to ask from next.

        None for the games when blocks that were seen are gone: any may have changed.
        Raises ChainDown.
        """
        ...
