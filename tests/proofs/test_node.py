"""The local node: a real anvil, started, killed and looked at from a foreign page."""

import asyncio
import ipaddress
import json
import os
import signal
import subprocess
import sys
import textwrap
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from proofs.errors import NodeFailed, NodeMissing
from proofs.node import BLOCK_GAS, CHAIN_ID, Anvil, anvil_program, running_node
from proofs.node_state import NAMES, STATE, WRITTEN
from tests.proofs.test_node_state import torn

SENDER = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"


async def rpc(url: str, method: str, *params: Any) -> Any:
    question = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    async with aiohttp.ClientSession() as session, session.post(url, json=question) as response:
        answer = await response.json()
    assert "result" in answer, answer
    return answer["result"]


async def rpc_error(url: str, method: str, *params: Any) -> str:
    question = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    async with aiohttp.ClientSession() as session, session.post(url, json=question) as response:
        return str((await response.json())["error"]["message"])


async def receipt(url: str, tx: str) -> Any:
    """The receipt of a transaction, which the node mines a moment after it took it."""
    async with asyncio.timeout(60):
        while not (found := await rpc(url, "eth_getTransactionReceipt", tx)):  # noqa: ASYNC110  another process
            await asyncio.sleep(0.01)
    return found


async def transfer(url: str) -> str:
    """The hash of a transaction that has landed."""
    tx: str = await rpc(url, "eth_sendTransaction", {"from": SENDER, "to": "0x" + "22" * 20})
    await receipt(url, tx)
    return tx


async def kept(folder: Path, tx: str) -> None:
    """Wait until the node has written a transaction, and that is kept."""
    async with asyncio.timeout(60):
        while True:
            with suppress(FileNotFoundError):
                if tx in (folder / STATE).read_text():
                    return
            await asyncio.sleep(0.01)


@pytest.fixture
def written_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nodes write their chain when they are stopped, and however long a test takes not before."""
    monkeypatch.setattr("proofs.node.STATE_INTERVAL", 3600)


async def preflight(url: str, origin: str) -> aiohttp.ClientResponse:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    async with aiohttp.ClientSession() as session, session.options(url, headers=headers) as answer:
        await answer.read()
        return answer


async def test_start_givesAChainWithRealLimits(tmp_path: Path) -> None:
    async with Anvil(tmp_path) as node:
        assert int(await rpc(node.url, "eth_chainId"), 16) == CHAIN_ID
        block = await rpc(node.url, "eth_getBlockByNumber", "latest", False)
        assert int(block["gasLimit"], 16) == BLOCK_GAS
        too_much = {"from": SENDER, "to": SENDER, "gas": hex((1 << 24) + 1)}
        assert "gas" in await rpc_error(node.url, "eth_sendTransaction", too_much)
        # 24,577 bytes of code: one more than EIP-170 allows
        code = {"from": SENDER, "data": "0x6160016000f3", "gas": hex(1 << 24)}
        tx = await rpc(node.url, "eth_sendTransaction", code)
        assert (await receipt(node.url, tx))["status"] == "0x0"
        assert ipaddress.ip_address(str(urlsplit(node.url).hostname)).is_loopback


async def test_foreignPage_getsNoPermission(tmp_path: Path) -> None:
    async with Anvil(tmp_path) as node:
        answer = await preflight(node.url, "http://evil.example")
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert answer.status != 200
        # what a browser sends without asking first is not read as a request
        async with aiohttp.ClientSession() as session:
            body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "evm_mine", "params": []})
            headers = {"Content-Type": "text/plain", "Origin": "http://evil.example"}
            async with session.post(node.url, data=body, headers=headers) as response:
                assert "Access-Control-Allow-Origin" not in response.headers
                await response.read()
        assert await rpc(node.url, "eth_blockNumber") == "0x0"


async def test_ownPage_isTheOnlyOneAllowed(tmp_path: Path) -> None:
    origin = "http://127.0.0.1:8000"
    async with Anvil(tmp_path, allowed_origin=origin) as node:
        for asked in (origin, "http://evil.example"):
            answer = await preflight(node.url, asked)
            assert answer.headers["Access-Control-Allow-Origin"] == origin


def test_everyOrigin_isRefused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="every web page"):
        Anvil(tmp_path, allowed_origin="*")


async def test_state_survivesARestart(tmp_path: Path) -> None:
    async with Anvil(tmp_path) as node:
        await rpc(node.url, "anvil_setBalance", "0x" + "11" * 20, hex(12345))
        tx = await rpc(node.url, "eth_sendTransaction", {"from": SENDER, "to": "0x" + "22" * 20})
        await receipt(node.url, tx)
        assert running_node(tmp_path) == node.url
        first = node.pid
    assert running_node(tmp_path) is None
    assert first is not None
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)
    async with Anvil(tmp_path) as node:
        assert await rpc(node.url, "eth_getBalance", "0x" + "11" * 20, "latest") == hex(12345)
        assert (await receipt(node.url, tx))["status"] == "0x1"


async def test_killedWhileItWrites_goesOnFromWhatItWroteBefore(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("proofs.node.STATE_INTERVAL", 1)
    node = Anvil(tmp_path)
    await node.start()
    first = await transfer(node.url)
    await kept(tmp_path, first)
    second = await transfer(node.url)
    await kept(tmp_path, second)
    assert node.pid is not None
    os.kill(node.pid, signal.SIGKILL)
    await node.stop()
    latest = next(path for name in NAMES if (path := tmp_path / name).exists())
    latest.write_bytes(latest.read_bytes()[:-100])
    async with Anvil(tmp_path) as again:
        assert (await receipt(again.url, first))["status"] == "0x1"
        await receipt(again.url, await transfer(again.url))


@pytest.mark.usefixtures("written_at_the_end")
async def test_stateOfTwoMoments_fallsBackToTheOneBefore(tmp_path: Path) -> None:
    """The accounts know of a transaction that is in no block: it could never be sent again."""
    async with Anvil(tmp_path) as node:
        await transfer(node.url)
    async with Anvil(tmp_path) as node:
        await transfer(node.url)
    state = tmp_path / STATE
    state.write_text(json.dumps(torn(json.loads(state.read_bytes()))))
    async with Anvil(tmp_path) as node:
        assert await rpc(node.url, "eth_getTransactionCount", SENDER, "latest") == "0x1"
        assert await rpc(node.url, "eth_blockNumber") == "0x1"
        await receipt(node.url, await transfer(node.url))


@pytest.mark.usefixtures("written_at_the_end")
@pytest.mark.parametrize("is_torn", [True, False])
async def test_aFirstStateThatIsNotWhole_givesTheEmptyChain(tmp_path: Path, is_torn: bool) -> None:
    node = Anvil(tmp_path)
    await node.start()
    await transfer(node.url)
    assert node.pid is not None
    os.kill(node.pid, signal.SIGKILL)
    await node.stop()
    async with Anvil(tmp_path / "other") as other:
        await transfer(other.url)
    state = json.loads((tmp_path / "other" / STATE).read_bytes())
    (tmp_path / WRITTEN).write_text(json.dumps(torn(state)) if is_torn else '{"block": {')
    async with Anvil(tmp_path) as again:
        assert await rpc(again.url, "eth_getTransactionCount", SENDER, "latest") == "0x0"
        await receipt(again.url, await transfer(again.url))


async def test_start_failsIfTheStateIsOfAnotherVersion(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text('{"accounts": {}}')
    with pytest.raises(NodeFailed, match="another version"):
        await Anvil(tmp_path).start()


async def test_start_failsIfThePortIsTaken(tmp_path: Path) -> None:
    async with Anvil(tmp_path / "one") as node:
        port = int(node.url.rsplit(":", 1)[1])
        with pytest.raises(NodeFailed, match="in use"):
            await Anvil(tmp_path / "one", port=port).start()


async def test_address_isTheFoldersOwn(tmp_path: Path) -> None:
    hosts = []
    for folder in ("one", "one", "two"):
        async with Anvil(tmp_path / folder) as node:
            hosts.append(urlsplit(node.url).hostname)
    assert hosts[0] == hosts[1] != hosts[2]
    assert "127.0.0.1" not in hosts
    (tmp_path / "one" / "host").write_text("8.8.8.8")
    async with Anvil(tmp_path / "one") as node:
        assert str(urlsplit(node.url).hostname).startswith("127.")


def test_program_failsIfNotInstalled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proofs.node._WEB", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NodeMissing, match="not installed"):
        anvil_program()


async def test_node_diesWithItsParent(tmp_path: Path) -> None:
    code = f"""
        import asyncio, sys
        from pathlib import Path
        from proofs.node import Anvil
        async def main():
            node = Anvil(Path({str(tmp_path)!r}))
            await node.start()
            print(node.pid, flush=True)
            await asyncio.sleep(60)
        asyncio.run(main())
    """
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", textwrap.dedent(code), stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    pid = int(await parent.stdout.readline())
    os.kill(pid, 0)
    watch = os.pidfd_open(pid)
    try:
        parent.send_signal(signal.SIGKILL)
        await parent.wait()
        gone = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(watch, gone.set)
        await asyncio.wait_for(gone.wait(), 60)
        loop.remove_reader(watch)
    finally:
        os.close(watch)
