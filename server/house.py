"""The house bots: nets shipped with the package, with keys made here, registered on the chain."""

import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.encoding import Position
from engine.net import NetSpec, house_net
from engine.player import choose
from proofs.chain import Chain
from proofs.deploy import ensure_bot
from proofs.keys import DEVELOPMENT, KeyRecord, KeyStore
from proofs.records import BotVersion
from server.adapters import HouseKey
from server.effects import BotPlayer, Choose
from server.errors import KeyNotMade
from server.info import BotInfo
from server.make_key import MadeKey

Tell = Callable[[str], None]
_UNREADABLE: Final = "unnamed"


@dataclass(frozen=True)
class House:
    """All bots of a registry, and what the playable ones are proven with."""

    players: dict[bytes, BotPlayer]
    keys: dict[bytes, HouseKey]
    infos: list[BotInfo]


@dataclass(frozen=True)
class HouseBot:
    """A house net with its key and the version that the registry knows it by."""

    net: NetSpec
    key: KeyRecord
    version: BotVersion
    constraints: int


async def open_house(chain: Chain, store: KeyStore, names: tuple[str, ...], tell: Tell) -> House:
    """Make and register what is missing of these bots, and find out about all others."""
    house = [await _house_bot(chain, store, name, tell) for name in names]
    ours = {bot.version.id: bot for bot in house}
    players: dict[bytes, BotPlayer] = {}
    for version in await chain.bots():
        bot = ours.get(version.id) or await asyncio.to_thread(_older, version, house, store)
        picks = None if bot is None else _chooser(bot.net)
        players[version.id] = BotPlayer(version.id, bot_name(version.metadata), picks)
        if bot is not None:
            ours[version.id] = bot
    keys = {i: HouseKey(bot.net.name, bot.key.key_hash) for i, bot in ours.items()}
    return House(players, keys, [_info(bot) for bot in house])


async def _house_bot(chain: Chain, store: KeyStore, name: str, tell: Tell) -> HouseBot:
    tell(f"looking for the key of {name} (the first start makes it, which takes some seconds)")
    made = await _make_key(store.root, name)
    net, key = house_net(name), store.get(made.key_hash)
    tell(f"registering {name}")
    version = await ensure_bot(chain, net, key, metadata(name, key.transcript))
    return HouseBot(net, key, version, made.constraints)


def _older(version: BotVersion, house: list[HouseBot], store: KeyStore) -> HouseBot | None:
    """A version of a house net under another key that is here: its games go on."""
    key = None if version.custom else store.find(version.key_hash.hex())
    for bot in house:
        same_net = bot.net.hash == version.net_hash.hex()
        if key is not None and same_net and key.circuit_hash == bot.key.circuit_hash:
            return HouseBot(bot.net, key, version, bot.constraints)
    return None


async def _make_key(store: Path, name: str) -> MadeKey:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "server.make_key", str(store), name),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C reaches the server first, which ends it below
    )
    try:
        text, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise KeyNotMade(name, process.returncode or 0)
    return MadeKey.from_json(text)


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


def _info(bot: HouseBot) -> BotInfo:
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


def _trust(key: KeyRecord) -> str:
    setup = (
        "Development key: whoever made it could forge."
        if key.kind == DEVELOPMENT
        else "Key of a ceremony: forging takes all who contributed."
    )
    return f"{setup} The circuit can be recompiled from the net."
