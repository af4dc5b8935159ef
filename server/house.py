"""What a house bot is: a net shipped with the package, a key made here, a version on the chain."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from engine.encoding import Position
from engine.net import NetSpec
from engine.player import choose
from proofs.chain import Chain
from proofs.keys import DEVELOPMENT, KeyRecord
from proofs.records import BotVersion
from server.adapters import HouseKey
from server.effects import BotPlayer, Choose
from server.info import BotInfo

Tell = Callable[[str], None]
_UNREADABLE: Final = "unnamed"


@dataclass(frozen=True)
class House:
    """All bots of a registry, and what the playable ones are proven with."""

    players: dict[bytes, BotPlayer]
    keys: dict[bytes, HouseKey]

    def seat(self, version: BotVersion, net: NetSpec, key: KeyRecord) -> None:
        """Let a version of a house net play."""
        self.players[version.id] = BotPlayer(version.id, bot_name(version.metadata), _chooser(net))
        self.keys[version.id] = HouseKey(net.name, key.key_hash)

    def unseat(self, version: BotVersion) -> None:
        """Let it play no more: games of it wait."""
        self.players[version.id] = BotPlayer(version.id, bot_name(version.metadata), None)
        self.keys.pop(version.id, None)


@dataclass(frozen=True)
class HouseBot:
    """A house net with its key and the version that the registry knows it by."""

    net: NetSpec
    key: KeyRecord
    version: BotVersion
    constraints: int


async def open_house(chain: Chain) -> House:
    """A registry's bots, of which none is played yet.  Raises ChainDown."""
    versions = await chain.bots()
    players = {v.id: BotPlayer(v.id, bot_name(v.metadata), None) for v in versions}
    return House(players, {})


def _chooser(net: NetSpec) -> Choose:
    def pick(position: Position, mask: int, dice: int) -> int:
        return choose(net, position, mask, dice)

    return pick


def metadata(name: str, transcript: str | None = None) -> str:
    """What is registered about a bot besides its hashes; `transcript` is of its key's ceremony."""
    said = {"name": name}
    if transcript is not None:
        said["transcript"] = f"0x{transcript}"
    return json.dumps(said, separators=(",", ":"))


def bot_name(text: str) -> str:
    """The name in a bot's metadata; anyone may register anything there."""
    try:
        name = json.loads(text)["name"]
    except (ValueError, KeyError, TypeError):
        return _UNREADABLE
    return name[:40] if isinstance(name, str) and name.isprintable() else _UNREADABLE


def info_of(bot: HouseBot) -> BotInfo:
    """What the lobby says of a bot that plays."""
    return BotInfo(
        name=bot.net.name,
        version="0x" + bot.version.id.hex(),
        net_hash="0x" + bot.net.hash,
        circuit_hash="0x" + bot.key.circuit_hash,
        key_hash="0x" + bot.key.key_hash,
        setup="development" if bot.key.kind == "development" else "ceremony",
        custom=bot.version.custom,
        constraints=bot.constraints,
        prove_seconds=None,
        verifier=bot.version.verifier,
        trust=_trust(bot.key),
    )


def info_of_coming(name: str, step: str) -> BotInfo:
    """The same of one that is still being made."""
    return BotInfo(
        name=name,
        version="",
        net_hash="",
        circuit_hash="",
        key_hash="",
        setup="development",
        custom=False,
        constraints=None,
        prove_seconds=None,
        verifier="",
        ready=False,
        step=step,
    )


def _trust(key: KeyRecord) -> str:
    setup = (
        "Development key: whoever made it could forge."
        if key.kind == DEVELOPMENT
        else "Key of a ceremony: forging takes all who contributed."
    )
    return f"{setup} The circuit can be recompiled from the net."
