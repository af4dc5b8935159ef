"""The local chain: one anvil process on the loopback interface, kept in a folder.

    FOLDER/state.json       the chain, read at start, written every few seconds and at the end
    FOLDER/state.prev.json  the chain as it was at the last good start
    FOLDER/host             the loopback address that the node of this folder listens on
    FOLDER/node.json        {"rpcUrl", "pid"} while the node runs
    FOLDER/node.log         what the node complained about

Nothing is turned off that a real chain has: contracts at most 24,576 bytes (EIP-170), blocks of
30 million gas, transactions of at most 2^24 gas (EIP-7825).

Web pages of other origins get no CORS header, and anvil takes no JSON under a content type that a
browser would send without asking first.  But it lets any page open a websocket, and asks nobody for
the name that it was reached by.  So where the system has more than one loopback address (Linux
has 2^24), the node gets one that no page can guess, the same for as long as the folder lives.
"""

import asyncio
import contextlib
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
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import aiohttp

from proofs.errors import NodeFailed, NodeMissing

CHAIN_ID: Final = 31337
BLOCK_GAS: Final = 30_000_000
STATE_INTERVAL: Final = 5
"""Seconds between two writings of the state file: what a killed node can lose."""

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
    def state_file(self) -> Path:
        return self._folder / "state.json"

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
        await asyncio.to_thread(self._secure_state)
        host = _loopback(self._folder / "host")
        self._spawn(program, host, _free_port(host, self._port))
        try:
            await self._ready()
        except NodeFailed:
            await self.stop()
            raise
        self._write_note()

    async def stop(self) -> None:
        """End the node and wait until it has written its state."""
        process, self._process = self._process, None
        if process is None:
            return
        (self._folder / "node.json").unlink(missing_ok=True)
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(process.wait, _STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            await asyncio.to_thread(process.wait)

    def _spawn(self, program: Path, host: str, port: int) -> None:
        command = dying_with_us([str(program), *self._options(host, port)])
        self.url = f"http://{host}:{port}"
        with (self._folder / "node.log").open("wb") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                process_group=0,  # Ctrl-C must reach the server first, which still has work for it
            )

    def _options(self, host: str, port: int) -> list[str]:
        origin = ["--no-cors"] if self._origin is None else ["--allow-origin", self._origin]
        return [
            *("--host", host, "--port", str(port), *origin),
            *("--chain-id", str(CHAIN_ID), "--hardfork", "osaka"),
            *("--gas-limit", str(BLOCK_GAS), "--enable-tx-gas-limit"),
            *("--state", str(self.state_file), "--state-interval", str(STATE_INTERVAL)),
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
                    if await _chain_id(session, self.url) == CHAIN_ID and self.alive:
                        return
                await asyncio.sleep(0.02)
        raise NodeFailed(f"no answer within {_START_SECONDS:.0f} seconds")

    def _complaint(self) -> str:
        text = (self._folder / "node.log").read_text(encoding="utf-8", errors="replace")
        if "--state" in text:
            return f"it cannot read {self.state_file}; another version of anvil may have written it"
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return lines[0] if lines else "it ended without a word"

    def _secure_state(self) -> None:
        """Keep a copy of a good state file, and fall back to it from a half-written one."""
        previous = self.state_file.with_name("state.prev.json")
        if not self.state_file.exists():
            return
        if _is_json(self.state_file):
            shutil.copyfile(self.state_file, previous.with_suffix(".tmp"))
            previous.with_suffix(".tmp").replace(previous)
        elif previous.exists():
            self.state_file.replace(self.state_file.with_name("state.broken.json"))
            shutil.copyfile(previous, self.state_file)

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


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_bytes())
    except ValueError:
        return False
    return True


async def _chain_id(session: aiohttp.ClientSession, url: str) -> int:
    question = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
    async with session.post(url, json=question) as response:
        answer: dict[str, Any] = await response.json()
        return int(answer.get("result", "0x0"), 16)
