"""One game's logs, from the chain or from a file, and the file's format.

    {"format": "checkproof-game/2", "chainId", "arena", "registry", "game",
     "events": [{"event", "args", "block", "tx", "logIndex", "time", "gas"}, ..]}

The bots' BotRegistered events come first, then the game's own, in the chain's order.  `args` are
the plain values of proofs/abi.py, `time` is the block's, `gas` is what the transaction used or
null.  Nothing but the chain itself can vouch for registry, block, tx, logIndex, time and gas.
"""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from proofs.abi import Artifact, Entry, load_artifact
from proofs.errors import AuditError, NoSuchGame, NotAGameFile
from proofs.records import LogEvent, OnChainGame, opening_of

if TYPE_CHECKING:
    from proofs.chain import Chain  # and web3 with it, which a saved game does not need

FORMAT: Final = "checkproof-game/2"
MAX_FILE_BYTES: Final = 64 << 20

_HEX: Final = re.compile(r"0x(?:[0-9a-f]{2})*")
_EVENT_KEYS: Final = {"event", "args", "block", "tx", "logIndex", "time", "gas"}
_FILE_KEYS: Final = {"format", "chainId", "arena", "registry", "game", "events"}
_GAS_AT_ONCE: Final = 16


class BadField(ValueError):
    """An event's argument that its event cannot have; str() names it."""


@dataclass(frozen=True)
class GameRecord:
    """All that an audit reads of one game; ids and addresses in lower-case 0x hex."""

    chain_id: int
    arena: str
    registry: str
    game: str
    events: tuple[LogEvent, ...]
    gas: Mapping[str, int] = field(default_factory=dict)
    """Gas used by transaction hash, as far as known."""


async def collect(chain: "Chain", game: bytes) -> GameRecord:
    """What the chain's logs tell of a game.  Raises NoSuchGame, ChainDown."""
    own = await chain.logs(game)
    if not own:
        raise NoSuchGame("0x" + game.hex())
    sides = {"0x" + s.hex() for o in own if o.name == "GameOpened" for s in _sides(o)}
    bots = [log for log in await chain.bot_logs() if log.args["id"] in sides]
    transactions = list(dict.fromkeys(log.tx for log in own))
    gas: dict[str, int] = {}
    for start in range(0, len(transactions), _GAS_AT_ONCE):
        some = transactions[start : start + _GAS_AT_ONCE]
        used = await asyncio.gather(*map(chain.gas_used, some))
        gas |= {tx: amount for tx, amount in zip(some, used, strict=True) if amount is not None}
    where = chain.addresses
    return GameRecord(
        chain.chain_id, where.arena, where.registry, "0x" + game.hex(), (*bots, *own), gas
    )


async def collect_with_state(chain: "Chain", game: bytes) -> tuple[GameRecord, OnChainGame]:
    """Logs and what the contract stores of one moment, though the game may go on meanwhile."""
    while True:
        record, state = await collect(chain, game), await chain.game(game)
        own = [log for log in record.events if log.name != "BotRegistered"]
        if await chain.logs(game) == own:  # nothing landed between the two
            return record, state


async def find_game(chain: "Chain", prefix: str) -> bytes:
    """The only game whose id begins with `prefix`.  Raises NoSuchGame, AuditError, ChainDown."""
    wanted = prefix.lower().removeprefix("0x")
    if not re.fullmatch(r"[0-9a-f]{4,64}", wanted):
        raise AuditError(f"not a game's id or the first digits of one: {prefix!r}")
    if len(wanted) == 64:
        return bytes.fromhex(wanted)
    found = [o.game for o in await chain.all_games() if o.game.hex().startswith(wanted)]
    if len(found) > 1:
        raise AuditError(f"{len(found)} games begin with {prefix}; give more digits")
    if not found:
        raise NoSuchGame(prefix)
    return found[0]


def dump(record: GameRecord) -> str:
    """The text of a saved game."""
    events = [
        {
            "event": event.name,
            "args": event.args,
            "block": event.block,
            "tx": event.tx,
            "logIndex": event.log_index,
            "time": event.time,
            "gas": record.gas.get(event.tx),
        }
        for event in record.events
    ]
    head = {"format": FORMAT, "chainId": record.chain_id, "arena": record.arena}
    tail = {"registry": record.registry, "game": record.game, "events": events}
    return json.dumps(head | tail, indent=1) + "\n"


def load(path: Path) -> GameRecord:
    """A saved game.  Raises NotAGameFile for a file that is none, whatever its events say."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise NotAGameFile(f"{path} has more than {MAX_FILE_BYTES >> 20} MiB")
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise NotAGameFile(f"{path} is no text") from None
    except OSError as error:
        raise NotAGameFile(f"{path} cannot be read: {error.strerror}") from error
    return parse(text)


def parse(text: str) -> GameRecord:
    """The same of a text."""
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotAGameFile(f"no JSON ({error})") from None
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise NotAGameFile(f"its format is not {FORMAT}")
    if set(raw) != _FILE_KEYS or not isinstance(raw["events"], list):
        raise NotAGameFile(f"it must hold exactly {', '.join(sorted(_FILE_KEYS))}")
    texts = (raw["arena"], raw["registry"], raw["game"])
    chain_id = raw["chainId"]
    if not _is_count(chain_id) or chain_id >> 256:
        raise NotAGameFile("chainId is no unsigned integer of 256 bits")
    if not all(isinstance(t, str) and _is_hex(t) for t in texts):
        raise NotAGameFile("arena, registry or game is malformed")
    if [len(t) for t in texts] != [42, 42, 66]:
        raise NotAGameFile("arena, registry or game has the wrong length")
    events = [_event(n, event) for n, event in enumerate(raw["events"])]
    gas = {e["tx"]: e["gas"] for e in raw["events"] if e["gas"] is not None}
    return GameRecord(chain_id, *texts, tuple(events), gas)


def arguments(event: LogEvent) -> dict[str, Any]:
    """An event's arguments as values: bytes (strings too), integers, addresses, dicts.

    Raises BadField for what the contracts could not have emitted.
    """
    entry = _entries().get(event.name)
    if entry is None:
        raise BadField(f"there is no event {event.name!r}")
    return _struct(event.args, entry.inputs, "args")


def _sides(opened: LogEvent) -> tuple[bytes, bytes]:
    opening = opening_of(opened).open
    return opening.white, opening.black


def _event(number: int, raw: Any) -> LogEvent:
    if not isinstance(raw, dict) or set(raw) != _EVENT_KEYS:
        raise NotAGameFile(f"event {number} must hold exactly {', '.join(sorted(_EVENT_KEYS))}")
    counts = [raw["block"], raw["logIndex"], raw["time"]]
    counts += [] if raw["gas"] is None else [raw["gas"]]
    texts = (raw["event"], raw["tx"])
    small = all(_is_count(count) and count >> 64 == 0 for count in counts)
    if not small or not all(isinstance(text, str) for text in texts):
        raise NotAGameFile(f"event {number} is malformed")
    if not isinstance(raw["args"], dict):
        raise NotAGameFile(f"event {number} has no arguments")
    return LogEvent(
        raw["event"], raw["args"], raw["block"], raw["tx"], raw["logIndex"], raw["time"]
    )


def _entries() -> dict[str, Entry]:
    artifacts: tuple[Artifact, ...] = (load_artifact("Arena"), load_artifact("BotRegistry"))
    return {entry.name: entry for artifact in artifacts for entry in artifact.events.values()}


def _struct(raw: Any, fields: tuple[dict[str, Any], ...], where: str) -> dict[str, Any]:
    names = [f["name"] for f in fields]
    if not isinstance(raw, dict) or set(raw) != set(names):
        raise BadField(f"{where} must hold exactly {', '.join(names)}")
    return {f["name"]: _value(raw[f["name"]], f, f["name"]) for f in fields}


def _value(raw: Any, field: dict[str, Any], where: str) -> Any:
    kind: str = field["type"]
    if kind == "tuple":
        return _struct(raw, tuple(field["components"]), where)
    if kind.startswith("uint"):
        return _integer(raw, int(kind[4:]), where)
    if kind == "bool":
        return _of_type(raw, bool, where)
    text: str = _of_type(raw, str, where)
    if kind == "string":
        return _string_bytes(text, where)
    if not _is_hex(text):
        raise BadField(f"{where} is no lower-case 0x hex")
    if kind == "address":
        return _of_length(text, 20, where)
    data = bytes.fromhex(text[2:])
    if kind != "bytes":
        _of_length(text, int(kind[5:]), where)
    return data


def _string_bytes(text: str, where: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise BadField(f"{where} is no text") from None


def _integer(raw: Any, bits: int, where: str) -> int:
    if not _is_count(raw) or raw >> bits:
        raise BadField(f"{where} is no unsigned integer of {bits} bits")
    number: int = raw
    return number


def _of_type(raw: Any, kind: type, where: str) -> Any:
    if type(raw) is not kind:
        raise BadField(f"{where} is no {kind.__name__}")
    return raw


def _of_length(text: str, size: int, where: str) -> str:
    if len(text) != 2 + 2 * size:
        raise BadField(f"{where} has {len(text) // 2 - 1} bytes, not {size}")
    return text


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_hex(text: str) -> bool:
    return _HEX.fullmatch(text) is not None
