"""The house bots of an arena: the first at once, the others as their keys are made and loaded.

    first      its key is made before the arena opens, if there is none
    others     one after the other: key (seconds to minutes, niced), registration, loading

Nobody waits for the others.  One that cannot be made, or for whose prover there is no memory, is
not offered; the log says why, in a line, and everything else goes on.  Every version of a house net
whose key is here plays from the start, so that games under it go on as soon as its key is loaded.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final, Protocol

from engine.errors import EngineError
from engine.net import NetSpec, house_net
from proofs.chain import Chain
from proofs.deploy import ensure_bot
from proofs.errors import ChainDown, ProofError
from proofs.foremen import HouseNetKey
from proofs.keys import KeyRecord, KeyStore
from proofs.records import BotVersion
from server import log
from server.errors import NotEnoughMemory, ServerError
from server.house import House, HouseBot, Tell, info_of, info_of_coming, metadata
from server.info import BotInfo
from server.key_making import IN_THE_BACKGROUND, Circuit, MadeKey, make_key
from server.memory import Memory, key_bytes

LOOK_EVERY: Final = 5.0
"""Seconds until a chain that was down is asked again."""
QUEUED: Final = "It waits until the bots before it are made."
MAKING: Final = "Its circuit and its key are being made: some seconds to some minutes, once."
REGISTERING: Final = "It is being registered on the chain."
LOADING: Final = "Its key is being loaded: some seconds to a minute."
_LOG: Final = log.logger(__name__)
Make = Callable[..., Awaitable[MadeKey]]


class Pool(Protocol):
    """proofs.prover.ProverPool."""

    def load(self, key: HouseNetKey) -> Future[None]: ...
    def know(self, key_hash: str, *, size: float, at_once: int | None = None) -> None: ...


@dataclass(frozen=True)
class _Known:
    """A version whose key is here."""

    net: NetSpec
    key: KeyRecord
    version: BotVersion

    @property
    def to_load(self) -> HouseNetKey:
        return HouseNetKey(self.net.name, self.key.key_hash)


class HouseBots:
    """Adds the house nets `names` to a `house`; `on_change` is called when the lobby changes."""

    def __init__(
        self,
        chain: Chain,
        store: KeyStore,
        names: Sequence[str],
        house: House,
        *,
        memory: Memory,
        workers: int = 1,
        make: Make = make_key,
    ) -> None:
        self.on_change: Callable[[], None] = lambda: None
        self._chain = chain
        self._store = store
        self._names = tuple(names)
        self._house = house
        self._memory = memory
        self._workers = workers
        self._make = make
        self._known: list[_Known] = []
        self._ready: dict[str, HouseBot] = {}
        self._steps: dict[str, str] = dict.fromkeys(names, QUEUED)
        """What is done for those that are not ready; who cannot play is in neither."""

    def infos(self) -> list[BotInfo]:
        """What the lobby shows, in order: what plays, and what is being made."""
        found: list[BotInfo] = []
        for name in self._names:
            if (bot := self._ready.get(name)) is not None:
                found.append(info_of(bot))
            elif (step := self._steps.get(name)) is not None:
                found.append(info_of_coming(name, step))
        return found

    async def open_first(self, tell: Tell) -> list[HouseNetKey]:
        """Let the first play, and all versions whose keys are here; the first's key.

        Raises KeyNotMade, ProofError, EngineError, OSError.
        """
        first: list[HouseNetKey] = []
        for name in self._names[:1]:
            tell(f"looking for the key of {name} (the first start makes it, some seconds)")
            made = await self._make(self._store.root, name)
            tell(f"registering {name}")
            bot = await self._registered(name, made)
            self._claim(bot.net.name, bot.key, must=True)
            self._seat(bot)
            first.append(HouseNetKey(name, made.key_hash))
        await self._open_known()
        return first

    async def _open_known(self) -> None:
        nets = {net.hash: net for net in await asyncio.to_thread(_nets, self._names)}
        for version in await self._chain.bots():
            net = nets.get(version.net_hash.hex())
            if net is None or version.custom or version.id in self._house.keys:
                continue
            key = self._key_of(version)
            if key is not None and self._has_room(known := _Known(net, key, version)):
                self._house.seat(version, net, key)
                self._known.append(known)

    def _key_of(self, version: BotVersion) -> KeyRecord | None:
        """A version's key, if it is here."""
        try:
            key = self._store.find(version.key_hash.hex())
        except ProofError as error:
            _LOG.warning(f"games of an earlier bot have to wait: {error}")
            return None
        is_its = key is not None and key.circuit_hash == version.circuit_hash.hex()
        return key if is_its else None

    def _has_room(self, known: _Known) -> bool:
        try:
            self._claim(known.net.name, known.key)
        except NotEnoughMemory:  # told when its turn comes
            return False
        return True

    async def run(self, pool: Pool) -> None:
        """Make and load what is missing, one after the other."""
        for bot in self._ready.values():
            self._tell_size(pool, bot)
        loads = [(known, pool.load(known.to_load)) for known in self._known]
        waiting = [name for name in self._names if name not in self._ready]
        while waiting:
            for name in list(waiting):
                if await self._settle(name, pool):
                    waiting.remove(name)
            if waiting:
                await asyncio.sleep(LOOK_EVERY)
        for known, loaded in loads:
            await self._watch(known, loaded)

    async def _watch(self, known: _Known, loaded: Future[None]) -> None:
        """A version whose key turns out to be of no use plays no more."""
        try:
            await asyncio.wrap_future(loaded)
        except ProofError as error:
            _LOG.warning(f"an earlier {known.net.name} does not play: {error}")
            self._house.unseat(known.version)

    async def _settle(self, name: str, pool: Pool) -> bool:
        """Make a bot and let it play; False if that has to wait for the chain."""
        try:
            self._step(name, MAKING)
            made = await self._make(
                self._store.root,
                name,
                niceness=IN_THE_BACKGROUND,
                check=lambda circuit: self._check(name, circuit),
            )
            self._step(name, REGISTERING)
            bot = await self._registered(name, made)
            at_once = self._claim(name, bot.key)
            self._step(name, LOADING)
            self._tell_size(pool, bot, at_once)
            await asyncio.wrap_future(pool.load(HouseNetKey(name, bot.key.key_hash)))
        except ChainDown as error:
            _LOG.info(f"{name} waits for the chain: {error}")
            return False
        except Exception as error:  # whatever one is broken by, the others play
            is_known = isinstance(error, ServerError | ProofError | EngineError | OSError)
            _LOG.warning(f"{name} does not play: {error}", exc_info=not is_known)
            self._steps.pop(name, None)
        else:
            self._seat(bot)
            _LOG.info(f"{name} is ready")
        self.on_change()
        return True

    async def _registered(self, name: str, made: MadeKey) -> HouseBot:
        net = await asyncio.to_thread(house_net, name)
        key = self._store.get(made.key_hash)
        version = await ensure_bot(self._chain, net, key, metadata(name, key.transcript))
        return HouseBot(net, key, version, made.circuit.constraints)

    def _check(self, name: str, circuit: Circuit) -> None:
        """Raises NotEnoughMemory before a key is made that could not be used."""
        size = key_bytes(circuit.constraints, circuit.circuit_bytes)
        self._memory.claim(name, size, self._workers)

    def _claim(self, name: str, key: KeyRecord, *, must: bool = False) -> int:
        """How many proofs may be made at once.  Raises NotEnoughMemory."""
        size = key.proving_key.stat().st_size
        return self._memory.claim(name, size, self._workers, must=must)

    def _tell_size(self, pool: Pool, bot: HouseBot, at_once: int | None = None) -> None:
        pool.know(bot.key.key_hash, size=bot.constraints, at_once=at_once)

    def _seat(self, bot: HouseBot) -> None:
        self._house.seat(bot.version, bot.net, bot.key)
        self._ready[bot.net.name] = bot
        self._steps.pop(bot.net.name, None)

    def _step(self, name: str, step: str) -> None:
        self._steps[name] = step
        self.on_change()


def _nets(names: Sequence[str]) -> list[NetSpec]:
    """Those that can be read: why others cannot is told when their turn comes."""
    found: list[NetSpec] = []
    for name in names:
        try:
            found.append(house_net(name))
        except EngineError:
            continue
    return found
