"""A client made from an AsyncAPI document alone: one method for each command, events checked.

    source = client_source(document)      Python source of a class Client
    client = make_client(document)(url)   it: `await client.offer(bot=...)`

What comes in is checked against the schema of its message; what goes out is not: that is for the
server to do.
"""

import asyncio
import json
from typing import Any, ClassVar, Protocol

import websockets

from tests.server.json_schema import Schemas

_HEAD = '''\
class Client(Base):
    """Made from {title} {version}."""
'''
_METHOD = """\

    async def {name}(self{arguments}):
        return await self.ask({kind!r}, {{{fields}}}, {answers!r})
"""


class Base:
    """What all made clients share."""

    document: ClassVar[dict[str, Any]] = {}

    def __init__(self, url: str, game: str | None = None) -> None:
        channel = self.document["channels"]["game" if game else "lobby"]
        self.url = "ws" + url.removeprefix("http").rstrip("/") + channel["address"]
        if game:
            assert "game" in channel["bindings"]["ws"]["query"]["properties"]
            self.url += f"?game={game}"
        self.schemas = Schemas(self.document)
        self.events: list[dict[str, Any]] = []
        self._payloads = {
            name: self.schemas.find(self.schemas.find(message["$ref"])["payload"]["$ref"])
            for name, message in channel["messages"].items()
        }
        self._types = {
            name: self.schemas.find(message["$ref"])["name"]
            for name, message in channel["messages"].items()
        }
        self._events = {
            operation["messages"][0]["$ref"].rsplit("/", 1)[1]
            for operation in self.document["operations"].values()
            if operation["action"] == "send"
        }
        self._echo = 0

    async def __aenter__(self) -> "Base":
        self._socket = await websockets.connect(self.url, max_size=None, compression=None)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._socket.close()

    async def ask(self, kind: str, fields: dict[str, Any], answers: list[str]) -> Any:
        """Send a command; its answer, of one of the messages named."""
        self._echo += 1
        return await self.send({"t": kind, "id": self._echo, "d": fields}, answers)

    async def send(self, frame: dict[str, Any], answers: list[str]) -> dict[str, Any]:
        await self._socket.send(json.dumps(frame))
        while True:
            came = await self.receive()
            if came.get("id") == frame["id"] and "v" not in came:
                self._check(came, answers)
                return came

    async def receive(self) -> dict[str, Any]:
        """The next frame; an event is kept, too."""
        async with asyncio.timeout(30):
            came: dict[str, Any] = json.loads(await self._socket.recv())
        if "v" in came:
            self._check(came, sorted(self._events))
            self.events.append(came)
        return came

    def _check(self, came: dict[str, Any], messages: list[str]) -> None:
        fitting = [name for name in messages if self._types[name] == came["t"]]
        assert fitting, f"{came['t']} is none of {messages}"
        self.schemas.check(came, self._payloads[fitting[0]])


class Made(Protocol):
    """The class of a made client."""

    def __call__(self, url: str, game: str | None = None) -> Any: ...


def client_source(document: dict[str, Any]) -> str:
    """A method for each operation that the server receives, its arguments named by the schema."""
    schemas, info = Schemas(document), document["info"]
    source = _HEAD.format(title=info["title"], version=info["version"])
    for name, operation in document["operations"].items():
        if operation["action"] != "receive":
            continue
        (message,) = (schemas.find(schemas.find(m["$ref"])["$ref"]) for m in operation["messages"])
        frame = schemas.find(message["payload"]["$ref"])
        data = frame["properties"]["d"]
        fields = schemas.find(data["$ref"]).get("properties", {})
        source += _METHOD.format(
            name=name,
            kind=frame["properties"]["t"]["const"],
            arguments="".join(f", *, {f}" if n == 0 else f", {f}" for n, f in enumerate(fields)),
            fields=", ".join(f"{field!r}: {field}" for field in fields),
            answers=[m["$ref"].rsplit("/", 1)[1] for m in operation["reply"]["messages"]],
        )
    return source


def make_client(document: dict[str, Any]) -> Made:
    """The class that the source describes."""
    names: dict[str, Any] = {"Base": Base}
    exec(client_source(document), names)
    made: Any = names["Client"]
    made.document = document
    return made  # type: ignore[no-any-return]
