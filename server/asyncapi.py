"""The protocol as an AsyncAPI 3 document: channels, operations, messages.

Everything in it comes from server/messages.py; the schemas are those of server/schema.py.  A
command is an operation that the server receives, with the answers that it may get; an event is
one that it sends.
"""

from typing import Any, Final

from server import messages as m
from server import schema_examples as examples
from server.schema import example_of, frames, json_schema

VERSION: Final = "1.0.0"
_CLOSE_CODES: Final = {
    1001: "the server stops",
    1009: f"a frame of more than {m.MAX_FRAME_BYTES} bytes",
    m.CLOSE_UNKNOWN_GAME: "no such game",
    m.CLOSE_TOO_SLOW: "the reader was too slow; come back with v",
    m.CLOSE_RATE_LIMITED: "too many frames",
}
_GAME_COMMANDS: Final = frozenset(frames(m.GameCommand))

Document = dict[str, Any]


def document() -> Document:
    """The whole document, the same each time."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "checkproof",
            "version": VERSION,
            "description": "A chess arena in which every move of a bot carries its proof.",
            "license": {"name": "GPL-3.0-or-later"},
        },
        "defaultContentType": "application/json",
        "channels": {"lobby": _lobby(), "game": _game()},
        "operations": _operations(),
        "components": {"messages": _messages(), "schemas": _schemas()},
    }


def _lobby() -> Document:
    return {
        "address": "/ws",
        "summary": "Offers and openings",
        "messages": _named([*_lobby_commands(), *frames(m.Reply)]),
        "x-close-codes": _CLOSE_CODES,
    }


def _game() -> Document:
    query = {
        "type": "object",
        "required": ["game"],
        "properties": {
            "game": {"type": "string", "pattern": "^0x[0-9a-fA-F]{64}$"},
            "v": {"type": "integer", "minimum": 0, "description": "The last version seen."},
            "player": {"type": "string", "description": "Whose page it is: no spectator's."},
        },
    }
    kinds = [*frames(m.ClientFrame), *frames(m.GameEvent), *frames(m.Reply)]
    return {
        "address": "/ws",
        "summary": "One game: its events, and its players' commands",
        "messages": _named(kinds),
        "bindings": {"ws": {"method": "GET", "query": query}},
        "x-close-codes": _CLOSE_CODES,
    }


def _lobby_commands() -> list[str]:
    return [kind for kind in frames(m.ClientFrame) if kind not in _GAME_COMMANDS]


def _named(kinds: list[str]) -> Document:
    """Messages of a channel.  A command and its answer may share a type: their names differ."""
    names = [_name(frame.__name__) for kind in dict.fromkeys(kinds) for frame in _frames_of(kind)]
    return {name: {"$ref": f"#/components/messages/{name}"} for name in names}


def _frames_of(kind: str) -> list[type]:
    unions = (m.ClientFrame, m.GameEvent, m.Reply)
    return [found[kind] for union in unions if kind in (found := frames(union))]


def _name(frame: str) -> str:
    return frame[0].lower() + frame[1:]


def _operations() -> Document:
    found: Document = {}
    replies = frames(m.Reply)
    for kind, frame in frames(m.ClientFrame).items():
        channel = "game" if kind in _GAME_COMMANDS else "lobby"
        answers = (replies[examples.ANSWERS.get(kind, "ack")], m.ErrorReply)
        found[kind] = {
            "action": "receive",
            "channel": {"$ref": f"#/channels/{channel}"},
            "messages": [_in(channel, frame)],
            "reply": {
                "channel": {"$ref": f"#/channels/{channel}"},
                "messages": [_in(channel, answer) for answer in answers],
            },
        }
    for kind, event in frames(m.GameEvent).items():
        found[f"on{kind.capitalize()}"] = {
            "action": "send",
            "channel": {"$ref": "#/channels/game"},
            "messages": [_in("game", event)],
        }
    return found


def _in(channel: str, frame: type) -> Document:
    return {"$ref": f"#/channels/{channel}/messages/{_name(frame.__name__)}"}


def _messages() -> Document:
    found: Document = {}
    for union in (m.ClientFrame, m.GameEvent, m.Reply):
        for kind, frame in frames(union).items():
            message: Document = {
                "name": kind,
                "title": frame.__name__,
                "payload": {"$ref": f"#/components/schemas/{frame.__name__}"},
                "examples": [{"payload": example_of(frame.__name__)}],
            }
            if union is not m.GameEvent:
                message["correlationId"] = {"location": "$message.payload#/id"}
            found[_name(frame.__name__)] = message
    return found


def _schemas() -> Document:
    found: Document = {}
    for whole in json_schema().values():
        found |= whole["$defs"]
    moved: Document = _moved(found)
    return moved


def _moved(value: Any) -> Any:
    """The same with references to where the schemas are here."""
    if isinstance(value, dict):
        return {k: _moved(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_moved(v) for v in value]
    if isinstance(value, str) and value.startswith("#/$defs/"):
        return "#/components/schemas/" + value.removeprefix("#/$defs/")
    return value
