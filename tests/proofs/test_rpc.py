"""Questions to a node: one connection for many, and every strange answer is ChainDown."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from proofs.errors import ChainDown
from proofs.evidence import _FIELDS, header_of
from proofs.rpc import Rpc, RpcFault, sensible

HEADER = json.dumps(dict.fromkeys(_FIELDS, "0x01"))


@dataclass
class Node:
    """Answers every question with `answer`."""

    answer: Callable[[dict[str, Any]], Any] = lambda question: {"result": question["params"]}
    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    connections: set[object] = field(default_factory=set)

    async def handle(self, request: web.Request) -> web.Response:
        self.connections.add(request.transport)
        question = await request.json()
        self.asked.append(question)
        answer = self.answer(question)
        if isinstance(answer, int):
            return web.Response(status=answer)
        return web.Response(text=answer if isinstance(answer, str) else json.dumps(answer))


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    node, app = Node(), web.Application()
    app.router.add_post("/", node.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    node.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield node
    await runner.cleanup()


async def test_many_questions_one_connection(node: Node) -> None:
    rpc = Rpc(node.url)
    for number in range(5):
        assert await rpc.ask("eth_chainId", number, "latest") == [number, "latest"]
    assert len(node.connections) == 1
    assert [question["method"] for question in node.asked] == ["eth_chainId"] * 5
    assert len({question["id"] for question in node.asked}) == 5
    await rpc.close()


async def test_questions_at_once_each_get_their_own_answer(node: Node) -> None:
    rpc = Rpc(node.url)
    answers = await asyncio.gather(*(rpc.ask("eth_call", n) for n in range(20)))
    assert answers == [[n] for n in range(20)]
    await rpc.close()


@pytest.mark.parametrize(
    "answer", ["", "<html>", "[]", "null", "7", 500, 404, "[" * 100_000, '{"error": 1}{']
)
async def test_what_is_no_answer_is_chain_down(node: Node, answer: Any) -> None:
    node.answer = lambda _: answer
    rpc = Rpc(node.url)
    with pytest.raises(ChainDown):
        await rpc.ask("eth_chainId")
    node.answer = lambda _: {"result": "0x1"}
    assert await rpc.number("eth_chainId") == 1
    await rpc.close()


def test_an_answer_of_another_shape_is_chain_down() -> None:
    raw = json.loads(HEADER)
    assert header_of(raw)
    for altered in ({"gasUsed": "-0x5"}, {"gasUsed": 5}, {"number": None}, {"stateRoot": "0xzz"}):
        with pytest.raises(ChainDown, match="makes no sense"), sensible("http://127.0.0.1:1"):
            header_of(raw | altered)


async def test_a_nodes_error_is_a_fault(node: Node) -> None:
    node.answer = lambda _: {"error": {"message": "execution reverted", "data": "0xab"}}
    rpc = Rpc(node.url)
    with pytest.raises(RpcFault) as caught:
        await rpc.ask("eth_call")
    assert caught.value.reverted
    assert caught.value.data == b"\xab"
    await rpc.close()


async def test_nobody_there_is_chain_down_and_closing_twice_is_nothing() -> None:
    rpc = Rpc("http://127.0.0.1:1")
    await rpc.close()
    with pytest.raises(ChainDown, match="Connection refused"):
        await rpc.ask("eth_chainId")
    await rpc.close()
    await rpc.close()
