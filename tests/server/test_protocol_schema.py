"""The published documents: kept up to date, true of their examples, and enough for a client."""

import ast
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from proofs.signing import Resign
from server import messages as m
from server import schema_examples as examples
from server.asyncapi import document
from server.cli_protocol import documents, run_protocol, text_of
from server.client import open_to_json
from server.schema import frames, json_schema
from tests.server.client_maker import client_source, make_client
from tests.server.conftest import Served
from tests.server.fakes import BOT, DOMAIN
from tests.server.json_schema import Mismatch, Schemas
from tests.server.test_session import E4

DOCS = Path(__file__).parents[2] / "docs"
FRAMES = {**frames(m.ClientFrame), **frames(m.GameEvent), **frames(m.Reply)}


@pytest.mark.parametrize("name", documents())
def test_the_documents_in_docs_are_those_of_the_code(name: str) -> None:
    kept = (DOCS / name).read_text(encoding="utf-8")
    assert kept == text_of(documents()[name]), "run `checkproof protocol --out docs`"


def test_the_command_writes_and_prints_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_protocol(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == set(documents())
    run_protocol(None)
    assert json.loads(capsys.readouterr().out)["asyncapi"] == "3.0.0"


async def test_they_are_served(served: Served) -> None:
    async with aiohttp.ClientSession(served.url) as http:
        for path, value in (("schema", json_schema()), ("asyncapi", document())):
            async with http.get(f"/api/{path}") as response:
                assert await response.json() == json.loads(text_of(value))


def test_every_frame_has_an_example_that_its_schema_allows() -> None:
    schema = json_schema()
    for side, shown in (
        ("client", examples.commands()),
        ("server", examples.events()),
        ("server", examples.replies()),
    ):
        schemas = Schemas(schema[side])
        for kind, example in shown.items():
            assert example["t"] == kind
            schemas.check(example, schema[side])
    assert set(examples.commands()) == set(frames(m.ClientFrame))
    assert set(examples.events()) == set(frames(m.GameEvent))
    assert set(examples.replies()) == set(frames(m.Reply))


def test_the_schema_refuses_what_the_server_refuses() -> None:
    schema = json_schema()["client"]
    schemas, good = Schemas(schema), examples.commands()["move"]
    for change in (
        {"t": "castle"},
        {"extra": 1},
        {"id": -1},
        {"d": {**good["d"], "ply": 65536}},
        {"d": {**good["d"], "signature": "0x12"}},
        {"d": {"ply": 0}},
    ):
        with pytest.raises(Mismatch):
            schemas.check({**good, **change}, schema)


def test_every_reference_of_the_document_leads_somewhere() -> None:
    whole = document()
    schemas = Schemas(whole)

    def look(value: Any) -> int:
        if isinstance(value, list):
            return sum(map(look, value))
        if not isinstance(value, dict):
            return 0
        if isinstance(value.get("$ref"), str):
            schemas.find(value["$ref"])
            return 1
        return sum(map(look, value.values()))

    assert look(whole) > 100
    assert {name for name, op in whole["operations"].items() if op["action"] == "receive"} == set(
        frames(m.ClientFrame)
    )


def test_a_client_is_made_of_the_document_alone() -> None:
    source = client_source(document())
    (made,) = ast.parse(source).body
    assert isinstance(made, ast.ClassDef)
    methods = [f.name for f in made.body if isinstance(f, ast.AsyncFunctionDef)]
    assert methods == list(frames(m.ClientFrame))
    assert "async def move(self, *, ply, index, signature)" in source


@pytest.mark.parametrize("kind", examples.COMMANDS)
async def test_the_examples_are_answered_as_the_document_says(served: Served, kind: str) -> None:
    whole = document()
    game = await served.open()
    answers = [a["$ref"].rsplit("/", 1)[1] for a in whole["operations"][kind]["reply"]["messages"]]
    (example,) = whole["components"]["schemas"][kind.capitalize()]["examples"]
    async with make_client(whole)(served.url, game) as client:
        answer = await client.send(example, answers)
    assert answer["id"] == example["id"]
    if answer["t"] == "error":  # it was understood: only its hashes and signatures are made up
        assert answer["d"]["code"] not in ("bad_frame", "unknown_type", "internal")


async def test_a_made_client_plays_a_game(served: Served) -> None:
    async with aiohttp.ClientSession(served.url) as http, http.get("/api/asyncapi") as response:
        client_class = make_client(await response.json())
    player = served.player
    async with client_class(served.url) as lobby:
        offer = (await lobby.offer(bot="0x" + BOT.hex()))["d"]
        commitment = bytes.fromhex(offer["commitment"][2:])
        opening = player.open(commitment, expires=offer["expires"])
        signature = "0x" + opening.sign(DOMAIN, player.key).hex()
        game = (await lobby.open(open=open_to_json(opening), signature=signature))["d"]["game"]
        assert (await lobby.offer(bot="0x" + "00" * 32))["d"]["code"] == "unknown_bot"
    async with client_class(served.url, game) as client:
        told = (await client.receive())["d"]
        raw, history = bytes.fromhex(game[2:]), bytes.fromhex(told["history"][2:])
        signature = "0x" + player.move(raw, 0, history, E4).hex()
        assert (await client.move(ply=0, index=E4, signature=signature))["t"] == "ack"
        while not any(e["t"] == "chain" and e["d"]["ply"] == 1 for e in client.events):
            await client.receive()
        signature = "0x" + Resign(raw).sign(DOMAIN, player.key).hex()
        assert (await client.resign(signature=signature))["t"] == "ack"
        while client.events[-1]["t"] != "end":
            await client.receive()
    assert {"full", "move", "proof", "chain", "clock", "end"} <= {e["t"] for e in client.events}
    versions = [event["v"] for event in client.events]
    assert versions == list(range(versions[0], versions[0] + len(versions)))
