"""Carrying out a fault: on processes, on the node and the way to it, on sockets."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from proofs.errors import ChainDown, NodeError
from proofs.node import Anvil
from proofs.rpc import Rpc, RpcFault
from server.bench.host import Host, wait_gone
from server.bench.reader import Reader
from server.bench.rpc_proxy import Down, Garbage, HttpError, Misdeed, ReplyLost, RpcProxy, Slow
from server.bench.script import Fault
from server.errors import HostFailed

Say = Callable[[str], None]

_UP_SECONDS: Final = 180.0
_WORKER_SECONDS: Final = 30.0
_POOL_SECONDS: Final = 2.0
_SLOW: Final = (0.2, 1.2)
_MISDEEDS: Final[dict[str, Misdeed]] = {
    "rpc_slow": Slow(*_SLOW),
    "rpc_down": Down(),
    "rpc_error": HttpError(),
    "rpc_garbage": Garbage(),
    "reply_lost": ReplyLost(),
}


class Node:
    """An anvil on a folder that is killed, frozen, and always started again at its address."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._anvil = Anvil(folder)

    @property
    def url(self) -> str:
        return self._anvil.url

    async def start(self) -> None:
        await self._anvil.start()

    async def stop(self) -> None:
        await self._anvil.stop()

    def signal(self, number: int) -> None:
        if self._anvil.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self._anvil.pid, number)

    async def gone(self) -> None:
        """Wait until a killed node is no more."""
        await wait_gone({self._anvil.pid} if self._anvil.pid is not None else set())

    async def start_again(self) -> None:
        """Raises NodeFailed when it does not come up in a few tries."""
        port = urlsplit(self.url).port or 0
        for left in (2, 1, 0):
            await self._anvil.stop()
            self._anvil = Anvil(self._folder, port=port)
            try:
                await self._anvil.start()
                return
            except NodeError:
                if not left:
                    raise

    async def turn_back(self, depth: int, *, as_long: bool) -> bool:
        """Take the last blocks away, or put empty ones in their place; whether that was done."""
        rpc = Rpc(self.url)
        try:
            await self._empty_pool(rpc)
            if as_long:
                await rpc.ask("anvil_reorg", depth, [])
            else:
                await rpc.ask("anvil_rollback", depth)
        except (RpcFault, ChainDown):
            return False
        finally:
            await rpc.close()
        return True

    async def reverted(self) -> int:
        """How many transactions of the chain failed."""
        rpc = Rpc(self.url)
        try:
            blocks = range(1, await rpc.number("eth_blockNumber") + 1)
            receipts = [await rpc.sure("eth_getBlockReceipts", hex(block)) for block in blocks]
        finally:
            await rpc.close()
        return sum(receipt["status"] == "0x0" for some in receipts for receipt in some or ())

    @staticmethod
    async def _empty_pool(rpc: Rpc) -> None:
        """anvil mines again what is still in its pool when a chain is turned back."""
        end = asyncio.get_running_loop().time() + _POOL_SECONDS
        while int((await rpc.ask("txpool_status"))["pending"], 16):
            if asyncio.get_running_loop().time() > end:
                await rpc.ask("anvil_dropAllTransactions")
            await asyncio.sleep(0.01)


class Injuries:
    """What can be done to one arena.  `readers` are the sockets that are open now."""

    def __init__(
        self,
        host: Host,
        node: Node,
        proxy: RpcProxy,
        readers: Callable[[], Sequence[Reader]],
        say: Say,
    ) -> None:
        self.crashes: list[str] = []
        self._host = host
        self._node = node
        self._proxy = proxy
        self._readers = readers
        self._say = say
        self._server = asyncio.Lock()

    async def inflict(self, fault: Fault) -> float | None:
        """Do it; the loop's time when its cause was gone, None when there was nothing to hit."""
        if fault.kind in _MISDEEDS:
            with self._proxy.fault(_MISDEEDS[fault.kind]):
                await asyncio.sleep(fault.seconds)
            return _now()
        do: dict[str, Callable[[Fault], Awaitable[float | None]]] = {
            "prover_killed": self._prover,
            "prover_stopped": self._prover,
            "foreman_killed": self._foreman,
            "server_killed": self._server_down,
            "server_stopped": self._server_down,
            "node_killed": self._node_killed,
            "node_frozen": self._node_frozen,
            "reorg": self._reorg,
            "rollback": self._reorg,
            "socket_cut": self._sockets,
            "reload_with_version": self._sockets,
            "reload_fresh": self._sockets,
        }
        return await do[fault.kind](fault)

    # --- processes ------------------------------------------------------------------------------

    async def keep_up(self) -> None:
        """Start the server again when it ends by itself, and write that down."""
        while True:
            await asyncio.sleep(0.3)
            async with self._server:
                if not self._host.alive:
                    self.crashes.append(f"status {self._host.status}: {self._host.tail()}")
                    self._say(f"the server ended by itself: {self.crashes[-1]}")
                    await self._start()

    async def _server_down(self, fault: Fault) -> float:
        async with self._server:
            if fault.kind == "server_killed":
                await self._host.kill()
            elif await self._host.stop(signal.SIGTERM) != 0:
                self.crashes.append(f"SIGTERM: status {self._host.status}: {self._host.tail()}")
            await asyncio.sleep(fault.seconds)
            gone = _now()
            await self._start()
            return gone

    async def _start(self) -> None:
        """As a supervisor would: again and again, since the chain may be down as well."""
        end = _now() + _UP_SECONDS
        while True:
            try:
                await self._host.start()
                return
            except HostFailed as error:
                self._say(str(error))
                if _now() > end:
                    raise
                await asyncio.sleep(0.5)

    async def _prover(self, fault: Fault) -> float | None:
        async with self._server:
            workers = await self._seen(self._host.workers)
            if not workers:
                return None
            number = signal.SIGKILL if fault.kind == "prover_killed" else signal.SIGSTOP
            with suppress(ProcessLookupError):
                os.kill(workers[fault.choice % len(workers)], number)
            return _now()

    async def _foreman(self, _fault: Fault) -> float | None:
        async with self._server:
            await self._seen(self._host.workers)
            foreman = self._host.foreman()
            if foreman is None:
                return None
            with suppress(ProcessLookupError):
                os.kill(foreman, signal.SIGKILL)
            return _now()

    @staticmethod
    async def _seen(look: Callable[[], list[int]]) -> list[int]:
        """What is there, once something is; loading the keys takes seconds."""
        end = _now() + _WORKER_SECONDS
        while not (found := look()) and _now() < end:  # noqa: ASYNC110 other processes
            await asyncio.sleep(0.1)
        return found

    # --- the chain ------------------------------------------------------------------------------

    async def _node_killed(self, fault: Fault) -> float:
        self._node.signal(signal.SIGKILL)
        await self._node.gone()
        await asyncio.sleep(fault.seconds)
        await self._node.start_again()
        return _now()

    async def _node_frozen(self, fault: Fault) -> float:
        self._node.signal(signal.SIGSTOP)
        await asyncio.sleep(fault.seconds)
        self._node.signal(signal.SIGCONT)
        return _now()

    async def _reorg(self, fault: Fault) -> float | None:
        async with self._proxy.held():
            for depth in range(fault.depth, 0, -1):
                if await self._node.turn_back(depth, as_long=fault.kind == "reorg"):
                    return _now()
        return None

    # --- sockets --------------------------------------------------------------------------------

    async def _sockets(self, fault: Fault) -> float:
        """Every second socket, beginning with either."""
        for number, reader in enumerate(self._readers()):
            if (number + fault.choice) % 2 and fault.kind != "socket_cut":
                continue
            match fault.kind:
                case "socket_cut":
                    reader.cut_next_command()
                case "reload_fresh":
                    reader.come_back("fresh")
                case _:
                    reader.come_back("older" if fault.choice % 3 == 0 else "with_version")
        return _now()


def _now() -> float:
    return asyncio.get_running_loop().time()
