"""What is done to a node and to the sockets: that it is done, and that all is well afterwards."""

import asyncio
import signal
from pathlib import Path
from typing import Any, cast

import pytest

from proofs.errors import ChainDown
from proofs.rpc import Rpc
from server.bench.injure import Injuries, Node
from server.bench.reader import Reader
from server.bench.rpc_proxy import RpcProxy
from server.bench.screen import Screen
from server.bench.script import Fault

SENDER = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"


def fault(kind: str, *, depth: int = 1, choice: int = 0, seconds: float = 0.0) -> Fault:
    return Fault(kind, gap=1, seconds=seconds, depth=depth, choice=choice, overlaps=False)


async def send(rpc: Rpc, transaction: dict[str, str]) -> None:
    """Until it is in a block of its own: the node mines it a moment after it took it."""
    tx = await rpc.ask("eth_sendTransaction", transaction)
    async with asyncio.timeout(60):
        while not await rpc.ask("eth_getTransactionReceipt", tx):  # noqa: ASYNC110 no event
            await asyncio.sleep(0.005)


async def mine(rpc: Rpc, blocks: int) -> None:
    for _ in range(blocks):
        await send(rpc, {"from": SENDER, "to": SENDER})


async def height(rpc: Rpc) -> int:
    return await rpc.number("eth_blockNumber")


def injuries(node: Node, proxy: RpcProxy, readers: list[Reader]) -> Injuries:
    return Injuries(cast(Any, None), node, proxy, lambda: readers, print)


async def test_aNodeIsKilledFrozenAndTurnedBack(tmp_path: Path) -> None:
    node = Node(tmp_path / "chain")
    await node.start()
    rpc = Rpc(node.url)
    try:
        async with RpcProxy(node.url) as proxy:
            hand = injuries(node, proxy, [])
            await mine(rpc, 4)
            tall = await height(rpc)
            assert await node.reverted() == 0
            before = await rpc.ask("eth_getBlockByNumber", hex(tall), False)
            assert await hand.inflict(fault("reorg", depth=2)) is not None
            assert await height(rpc) == tall
            after = await rpc.ask("eth_getBlockByNumber", hex(tall), False)
            assert before["hash"] != after["hash"]
            assert await hand.inflict(fault("rollback", depth=2)) is not None
            assert await height(rpc) == tall - 2

            frozen = asyncio.create_task(hand.inflict(fault("node_frozen", seconds=0.3)))
            assert await height(rpc) == tall - 2
            assert await frozen is not None

            url = node.url
            assert await hand.inflict(fault("node_killed")) is not None
            assert node.url == url, "the way to it stays the same"
            assert await height(rpc) <= tall - 2, "what was not saved is lost"
    finally:
        await rpc.close()
        await node.stop()


async def test_aNodeThatWasKilledAnswersNobody(tmp_path: Path) -> None:
    node = Node(tmp_path / "chain")
    await node.start()
    node.signal(signal.SIGKILL)
    rpc = Rpc(node.url)
    await node.gone()
    with pytest.raises(ChainDown):
        await height(rpc)
    await rpc.close()
    await node.stop()


class Witness(Reader):
    """Writes down what it is told to do."""

    def __init__(self) -> None:
        super().__init__(lambda: "", Screen("0x" + "11" * 32))
        self.told: list[str] = []

    def come_back(self, how: Any) -> None:
        self.told.append(how)

    def cut_next_command(self) -> None:
        self.told.append("cut")


@pytest.mark.parametrize(
    ("kind", "choice", "told"),
    [
        ("socket_cut", 0, [["cut"], ["cut"]]),
        ("reload_fresh", 0, [["fresh"], []]),
        ("reload_fresh", 1, [[], ["fresh"]]),
        ("reload_with_version", 1, [[], ["with_version"]]),
        ("reload_with_version", 3, [[], ["older"]]),
    ],
)
async def test_socketsAreCut(kind: str, choice: int, told: list[list[str]]) -> None:
    readers = [Witness(), Witness()]
    hand = Injuries(
        cast(Any, None), cast(Any, None), cast(Any, None), lambda: cast(Any, readers), print
    )
    assert await hand.inflict(fault(kind, choice=choice)) is not None
    assert [reader.told for reader in readers] == told


async def test_reverted_countsTransactionsThatFailed(tmp_path: Path) -> None:
    node = Node(tmp_path / "chain")
    await node.start()
    rpc = Rpc(node.url)
    try:
        await mine(rpc, 2)
        await send(rpc, {"from": SENDER, "data": "0x60006000fd", "gas": hex(100_000)})
        assert await node.reverted() == 1
    finally:
        await rpc.close()
        await node.stop()
