"""The local chain: one anvil process on the loopback interface, kept in a folder.

    FOLDER/state*.json   the chain, read at start, written every few seconds and at the end
                         (proofs/node_state.py)
    FOLDER/host          the loopback address that the node of this folder listens on
    FOLDER/node.json     {"rpcUrl", "pid"} while the node runs
    FOLDER/node.log      what the node complained about

Nothing is turned off that a real chain has: contracts at most 24,576 bytes (EIP-170), blocks of
30 million gas, transactions of at most 2^24 gas (EIP-7825).

Web pages of other origins get no CORS header, and anvil takes no JSON under a content type that a
browser would send without asking first.  But it lets any page open a websocket, and asks nobody for
the name that it was reached by.  So where the system has more than one loopback address (Linux
has 2^24), the node gets one that no page can guess, the same for as long as the folder lives.
"""

import asyncio
import contextlib
import gzip
import ipaddress
import json
import os
import platform
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import aiohttp

from proofs import node_state
from proofs.errors import NodeFailed, NodeMissing

CHAIN_ID: Final = 31337
BLOCK_GAS: Final = 30_000_000
STATE_INTERVAL: Final = 5
"""Seconds between two writings of the chain: so much a killed node loses, or twice that."""

_KEEP_EVERY: Final = 1.0
_START_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 30.0
_WEB: Final = Path(__file__).parent.parent / "web"
_MACHINES: Final = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}

# Run as a program of its own, because code between fork and exec is unsafe in a threaded parent.
_DIE_WITH_PARENT: Final = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 15)  # PR_SET_PDEATHSIG, SIGTERM
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""


def anvil_program() -> Path:
    """Where anvil is: the npm package's program in web/, else on PATH.  Raises NodeMissing."""
    machine = _MACHINES.get(platform.machine().lower(), "")
    package = _WEB / "node_modules" / "@foundry-rs" / f"anvil-{sys.platform}-{machine}"
    for name in ("anvil", "anvil.exe"):
        if (package / "bin" / name).is_file():
            return package / "bin" / name
    found = shutil.which("anvil")
    if found is None:
        raise NodeMissing("anvil")
    return Path(found)


def running_node(folder: Path) -> str | None:
    """The RPC address that the node on `folder` wrote down, whether it still answers or not."""
    try:
        url = json.loads((folder / "node.json").read_text(encoding="utf-8"))["rpcUrl"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return url if isinstance(url, str) else None


def dying_with_us(command: list[str]) -> list[str]:
    """A command that does the same and, on Linux, is told to end when the calling thread ends."""
    if sys.platform != "linux":
        return command
    return [sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT, str(os.getpid()), *command]


class Anvil:
    """One anvil process.  Use it as an async context manager, or call start() and stop().

    `port` 0 takes a free one.  `allowed_origin` is the one web origin whose pages may talk to the
    node over HTTP; None is no page at all.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        allowed_origin: str | None = None,
        program: Path | None = None,
    ) -> None:
        if allowed_origin == "*":
            raise ValueError("a chain that every web page may rewrite is no chain")
        self._folder = folder
        self._port = port
        self._origin = allowed_origin
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = threading.Event()
        self._keeper: threading.Thread | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    async def start(self) -> None:
        """Start the node and wait until it answers.  Raises NodeMissing, NodeFailed.

        Call it on a thread that lives as long as the node should: Linux ends the node with the
        thread that started it.
        """
        program = self._program or anvil_program()
        self._folder.mkdir(parents=True, exist_ok=True)
        host = _loopback(self._folder / "host")
        port = _free_port(host, self._port)
        state = await asyncio.to_thread(node_state.settle, self._folder)
        self._spawn(program, host, port, state)
        try:
            await self._ready()
        except NodeFailed:
            await self.stop()
            raise
        if state is None:
            await self._save_first()
        self._write_note()
        self._stopped.clear()
        self._keeper = threading.Thread(target=self._keep_states, name="node-states", daemon=True)
        self._keeper.start()

    async def stop(self) -> None:
        """End the node and wait until it has written its state."""
        process, self._process = self._process, None
        if process is None:
            return
        self._stopped.set()
        (self._folder / "node.json").unlink(missing_ok=True)
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(process.wait, _STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            await asyncio.to_thread(process.wait)
        if self._keeper is not None:
            await asyncio.to_thread(self._keeper.join)
        node_state.keep(self._folder)

    def _keep_states(self) -> None:
        while not self._stopped.wait(_KEEP_EVERY):
            with contextlib.suppress(OSError):  # the next look may do better
                node_state.keep(self._folder)

    def _spawn(self, program: Path, host: str, port: int, state: Path | None) -> None:
        command = dying_with_us([str(program), *self._options(host, port, state)])
        self.url = f"http://{host}:{port}"
        with (self._folder / "node.log").open("wb") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                process_group=0,  # Ctrl-C must reach the server first, which still has work for it
            )

    def _options(self, host: str, port: int, state: Path | None) -> list[str]:
        origin = ["--no-cors"] if self._origin is None else ["--allow-origin", self._origin]
        load = [] if state is None else ["--load-state", str(state)]
        return [
            *("--host", host, "--port", str(port), *origin),
            *("--chain-id", str(CHAIN_ID), "--hardfork", "osaka"),
            *("--gas-limit", str(BLOCK_GAS), "--enable-tx-gas-limit"),
            *load,
            *("--dump-state", str(self._folder / node_state.WRITTEN)),
            *("--state-interval", str(STATE_INTERVAL)),
            *("--prune-history", "64"),  # old states are for debugging; logs are all kept
            "--quiet",
        ]

    async def _ready(self) -> None:
        deadline = asyncio.get_running_loop().time() + _START_SECONDS
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            while asyncio.get_running_loop().time() < deadline:
                if not self.alive:
                    raise NodeFailed(self._complaint())
                with contextlib.suppress(aiohttp.ClientError, TimeoutError, ValueError):
                    answer = await _ask(session, self.url, "eth_chainId")
                    if int(answer, 16) == CHAIN_ID and self.alive:
                        return
                await asyncio.sleep(0.02)
        raise NodeFailed(f"no answer within {_START_SECONDS:.0f} seconds")

    async def _save_first(self) -> None:
        """Write down the empty chain, so that there is always one to fall back to."""
        timeout = aiohttp.ClientTimeout(total=5)
        with contextlib.suppress(aiohttp.ClientError, TimeoutError, ValueError, EOFError):
            async with aiohttp.ClientSession(timeout=timeout) as session:
                dump = await _ask(session, self.url, "anvil_dumpState")
            node_state.begin(self._folder, gzip.decompress(bytes.fromhex(dump.removeprefix("0x"))))

    def _complaint(self) -> str:
        text = (self._folder / "node.log").read_text(encoding="utf-8", errors="replace")
        if "--load-state" in text:
            state = self._folder / node_state.STATE
            return f"it cannot read {state}; another version of anvil may have written it"
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return lines[0] if lines else "it ended without a word"

    def _write_note(self) -> None:
        note = json.dumps({"rpcUrl": self.url, "pid": self.pid})
        temporary = self._folder / "node.json.tmp"
        temporary.write_text(note + "\n", encoding="utf-8")
        temporary.replace(self._folder / "node.json")


def _loopback(path: Path) -> str:
    """The folder's loopback address, chosen by chance the first time."""
    if sys.platform != "linux":
        return "127.0.0.1"
    try:
        address = ipaddress.IPv4Address(path.read_text(encoding="ascii").strip())
        if address.is_loopback:
            return str(address)
    except (OSError, ValueError):
        pass
    # neither the first nor the last 65,536, so that it is no one's network or broadcast address
    address = ipaddress.IPv4Address("127.1.0.0") + secrets.randbelow(254 << 16)
    path.write_text(f"{address}\n", encoding="ascii")
    path.chmod(0o600)
    return str(address)


def _free_port(host: str, wanted: int) -> int:
    """`wanted`, or some free port if it is 0.  Raises NodeFailed if it is taken.

    Asked before the start, since a node that is there already would answer in place of ours.
    """
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, wanted))
        except OSError:
            raise NodeFailed(f"port {wanted} is in use") from None
        port: int = listener.getsockname()[1]
        return port


async def _ask(session: aiohttp.ClientSession, url: str, method: str) -> str:
    question = {"jsonrpc": "2.0", "id": 1, "method": method, "params": []}
    async with session.post(url, json=question) as response:
        answer: dict[str, Any] = await response.json()
        return str(answer.get("result"))
