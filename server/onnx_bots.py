"""The ONNX bots of an arena: the shipped ones and those that `checkproof bots add` listed.

An import takes a minute the first time, so nobody waits for it: what is made and registered already
plays from the start, the rest joins when it is ready.  A bot that cannot be made is not offered;
the log says why, in a line, and everything else goes on.

Every version whose files are here plays, so that games under an earlier one go on; the lobby shows
the one that is wanted now.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.encoding import Position
from engine.errors import EngineError
from proofs.chain import Chain
from proofs.errors import BotListDamaged, ChainDown, EzklMissing, ProofError
from proofs.ezkl_bots import listed_bots, store_of
from proofs.ezkl_build import Manifest, srs_path
from proofs.ezkl_chain import ensure_ezkl_bot
from proofs.ezkl_chooser import Choosers
from proofs.ezkl_folder import check_folder, ezkl_version, made_folders, shipped_net
from proofs.records import BotVersion
from proofs.srs_store import SRS, file_hash
from server import log
from server.adapters import HouseKey
from server.effects import BotPlayer, Ponder
from server.house import House, bot_name, metadata
from server.info import BotInfo
from server.onnx_import import import_apart
from server.site import KeyFiles

LOOK_EVERY: Final = 5.0
"""Seconds between looks at the list of bots; a chain that was down is asked again as often."""
_RECOMPUTED: Final = "Circuit, key and verifier can be recomputed from the net's file."
_LOG: Final = log.logger(__name__)


@dataclass(frozen=True)
class Wanted:
    """A bot that is to play: made already, in a `folder`, or to be made of the file `net`."""

    name: str
    net: Path | None = None
    folder: Path | None = None


@dataclass(frozen=True)
class Ready:
    """A bot that plays."""

    folder: Path
    manifest: Manifest
    version: BotVersion


class OnnxBots:
    """Adds bots to a `house`; `on_change` is called when the lobby is to show others."""

    def __init__(
        self, chain: Chain, data: Path, shipped: Iterable[str], house: House, choosers: Choosers
    ) -> None:
        self.on_change: Callable[[], None] = lambda: None
        self._chain = chain
        self._data = data
        self._shipped = tuple(shipped)
        self._house = house
        self._choosers = choosers
        self._list_fault: str | None = None
        self._wanted: list[Wanted] = []
        self._ready: dict[Wanted, Ready] = {}
        self._seated: dict[str, Ready] = {}  # by the hash of its verifying key
        self._settled: set[Wanted] = set()
        """Looked after already; what is not `_ready` of them has failed."""

    def infos(self) -> list[BotInfo]:
        """What the lobby shows, in order: what plays, and what is being made."""
        return [
            info_of(wanted.name, self._ready.get(wanted))
            for wanted in self._wanted
            if wanted in self._ready or wanted not in self._settled
        ]

    def find_key(self, key_hash: str) -> KeyFiles | None:
        """The key of a bot that plays, by the SHA-256 of its verifying key."""
        bot = self._seated.get(key_hash)
        if bot is None:
            return None
        made, folder = bot.manifest, bot.folder
        kind = "development" if made.development else "ceremony"
        files = {**made.files, SRS: made.srs_hash}
        verifying_key = (folder / "vk").read_bytes()
        return KeyFiles(
            key_hash, made.circuit_hash, kind, verifying_key, folder / "pk", "ezkl", files
        )

    def find_file(self, sha256: str) -> Path | None:
        """A file that one of these bots was made of, or with."""
        for bot in self._seated.values():
            if sha256 == bot.manifest.srs_hash:
                return srs_path(bot.folder)
            for name, found in bot.manifest.files.items():
                if sha256 == found:
                    return bot.folder / name
        return None

    async def open_known(self) -> None:
        """Let those play whose files and registrations are there; sends nothing.

        Raises ChainDown.
        """
        self._wanted = self._look()
        if ezkl_version() is None:
            for wanted in self._wanted:
                await self._settle(wanted)  # says that it is missing
            return
        made = await asyncio.to_thread(made_folders, store_of(self._data))
        if not made:
            return
        ours = {
            (bot.net_hash.hex(), bot.circuit_hash.hex(), bot.key_hash.hex()): bot
            for bot in await self._chain.bots()
            if bot.custom and bot.owner == self._chain.address
        }
        for folder, manifest in made:
            hashes = (manifest.net_hash, manifest.circuit_hash, manifest.key_hash)
            if (bot := ours.get(hashes)) is not None:
                self._seat(Ready(folder, manifest, bot))
        self.on_change()

    async def run(self) -> None:
        """Make what is missing, and look for new ones, until it is cancelled."""
        while True:
            for wanted in self._wanted:
                if wanted not in self._settled:
                    await self._settle(wanted)
            await asyncio.sleep(LOOK_EVERY)
            if (found := self._look()) != self._wanted:
                self._wanted = found
                self.on_change()

    def _look(self) -> list[Wanted]:
        """The bots that are to play now."""
        wanted = [Wanted(name, net=shipped_net(name)) for name in self._shipped]
        try:
            listed = listed_bots(self._data)
        except BotListDamaged as error:
            if str(error) != self._list_fault:
                self._list_fault = str(error)
                _LOG.warning(f"no other ONNX bots: {error}")
            return [*wanted, *(known for known in self._wanted if known.folder is not None)]
        return [*wanted, *(Wanted(bot.name, folder=bot.folder) for bot in listed)]

    def _seat(self, bot: Ready) -> None:
        """Let a version play, and show it where it is the one that is wanted."""
        self._seated[bot.manifest.key_hash] = bot
        house, key = self._house, bot.version.id
        name = bot_name(bot.version.metadata)
        house.keys[key] = HouseKey(name, bot.manifest.key_hash, bot.folder)
        house.players[key] = BotPlayer(key, name, None, self._ponder(bot.folder))
        for wanted in self._wanted:
            if wanted.name == name and _is_made_of(bot, wanted):
                self._ready[wanted] = bot

    def _ponder(self, folder: Path) -> Ponder:
        async def ponder(position: Position, mask: int, dice: int) -> int:  # noqa: ARG001
            return await self._choosers.choose(folder, position, mask)

        return ponder

    async def _settle(self, wanted: Wanted) -> None:
        """Make a bot and register it, unless that is done."""
        name = wanted.name
        try:
            if ezkl_version() is None:
                raise EzklMissing()
            folder = wanted.folder
            if wanted.net is not None:
                tell = None if wanted in self._ready else lambda line: _LOG.info(f"{name}: {line}")
                folder = await import_apart(wanted.net, store_of(self._data), tell)
            assert folder is not None
            manifest = await asyncio.to_thread(check_folder, folder)
            bot = Ready(folder, manifest, await self._registered(name, folder))
        except ChainDown as error:
            _LOG.info(f"{name} waits for the chain: {error}")
            return
        except Exception as error:  # whatever one is broken by, the others play
            self._ready.pop(wanted, None)
            is_known = isinstance(error, ProofError | EngineError | OSError)
            _LOG.warning(f"{name} does not play: {error}", exc_info=not is_known)
        else:
            is_new = self._ready.get(wanted) != bot
            self._seat(bot)
            if is_new:
                _LOG.info(f"{name} is ready")
        self._settled.add(wanted)
        self.on_change()

    async def _registered(self, name: str, folder: Path) -> BotVersion:
        return await ensure_ezkl_bot(self._chain, folder, metadata(name))


def _is_made_of(bot: Ready, wanted: Wanted) -> bool:
    if wanted.net is None:
        return wanted.folder is not None and wanted.folder.resolve() == bot.folder.resolve()
    return file_hash(wanted.net) == bot.manifest.net_hash


def info_of(name: str, bot: Ready | None) -> BotInfo:
    """What the lobby says of a bot; without files and version while it is being made."""
    if bot is None:
        return BotInfo(
            name=name,
            version="",
            net_hash="",
            circuit_hash="",
            key_hash="",
            setup="development",
            custom=True,
            constraints=None,
            prove_seconds=None,
            verifier="",
            proof_system="ezkl",
            trust=_RECOMPUTED,
            ready=False,
        )
    made = bot.manifest
    return BotInfo(
        name=name,
        version="0x" + bot.version.id.hex(),
        net_hash="0x" + made.net_hash,
        circuit_hash="0x" + made.circuit_hash,
        key_hash="0x" + made.key_hash,
        setup="development" if made.development else "ceremony",
        custom=bot.version.custom,
        constraints=None,
        prove_seconds=None,
        verifier=bot.version.verifier,
        proof_system="ezkl",
        trust=trust_of(made),
    )


def trust_of(made: Manifest) -> str:
    """What has to be believed of a bot, in a line."""
    setup = (
        "Development setup: whoever made it could forge."
        if made.development
        else f"Setup of {made.ceremony}: forging takes all who contributed."
    )
    return f"{setup} {_RECOMPUTED}"
