"""A real server in a process of its own, and what can be seen and done to it from outside.

    host = await Host.fresh(folder, keys=Path("data/keys"), options=("--workers", "2"))
    async with host:
        ...                       # host.url answers
        await host.kill()         # as by a power cut
        await host.start()        # again, on the same folder and port

The server and whatever it starts end with this process, however it ends.
"""

import asyncio
import os
import random
import shutil
import signal
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from proofs.keys import KeyStore
from proofs.node import dying_with_us
from server.errors import HostFailed

READY_SECONDS: Final = 180.0
STOP_SECONDS: Final = 60.0

_READY: Final = "Arena ready at "
_PROVER: Final = "proofs.prover_process"
_ROOT: Final = Path(__file__).parents[2]
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_TAIL_LINES: Final = 5
_PORTS: Final = range(20_000, 32_768)
"""Linux gives those above to whoever asks for any port, and to each line that goes out."""


class Host:
    """`python -m server serve` on a data folder; `url` is where it listens.

    What the server says goes to `log`, a file beside the folder.  Its settings are the options and
    `environment` alone: an operator's own, around here, could name another chain and its key.
    """

    def __init__(
        self,
        data: Path,
        *,
        options: tuple[str, ...] = (),
        environment: Mapping[str, str] | None = None,
        port: int = 0,
    ) -> None:
        self.data = data.absolute()
        self.log = self.data.with_name(f"{data.name}.log")
        self.url = ""
        self.starts = 0
        self._port = port or free_port()
        self._options = options
        # one bot is measured: no other is imported meanwhile
        self._environment = {"CHECKPROOF_BOTS": "pawn", **(environment or {})}
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None

    @classmethod
    async def fresh(
        cls,
        folder: Path,
        *,
        keys: Path,
        bot: str = "pawn",
        options: tuple[str, ...] = (),
        environment: Mapping[str, str] | None = None,
    ) -> Self:
        """A host on the new folder `folder`/data, which gets the bot's key out of the store `keys`.

        The key is made there first if it is missing, which takes some seconds.
        """
        await asyncio.to_thread(lend_key, keys, folder / "data" / "keys", bot)
        return cls(folder / "data", options=(*options, "--bot", bot), environment=environment)

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.kill()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.kill()

    # --- starting and ending --------------------------------------------------------------------

    async def start(self, *, seconds: float = READY_SECONDS) -> None:
        """Start the server and wait until games can be played.  Raises HostFailed."""
        assert not self.alive, "one at a time"
        command = [sys.executable, "-m", "server", "serve"]
        where = ["--data", str(self.data), "--port", str(self._port)]
        path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
        ours = {k: v for k, v in os.environ.items() if not k.startswith("CHECKPROOF_")}
        self.data.mkdir(parents=True, exist_ok=True)
        self.starts += 1
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *dying_with_us([*command, *where, *self._options]),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env={**ours, "PYTHONPATH": path, **self._environment},
                cwd=self.data,  # a checkproof.toml of where we are is not for this one
                start_new_session=True,  # Ctrl-C is the bench's to handle
            )
        ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._reader = asyncio.create_task(_read(self._process, ready))
        try:
            async with asyncio.timeout(seconds):
                self.url = await ready
        except TimeoutError:
            await self.kill()
            raise HostFailed(f"was not ready within {seconds:.0f} s", self.tail()) from None
        if not self.url:
            status = await self._process.wait()
            raise HostFailed(f"ended with status {status} before it was ready", self.tail())

    async def stop(
        self, number: int = signal.SIGTERM, *, seconds: float = STOP_SECONDS
    ) -> int | None:
        """Send a signal and wait for the end; the exit status, None if it had to be killed."""
        assert self._process is not None
        with suppress(ProcessLookupError):
            self._process.send_signal(number)
        try:
            async with asyncio.timeout(seconds):
                return await self._process.wait()
        except TimeoutError:
            await self.kill()
            return None

    async def kill(self) -> None:
        """SIGKILL, and wait until nothing of it is left.  Nothing to do if it does not run."""
        if self._process is None:
            return
        family = children_of(self._process.pid)
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        if self._reader is not None:
            await self._reader
        await wait_gone(family)

    # --- looking --------------------------------------------------------------------------------

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def status(self) -> int | None:
        """The exit status, None while it runs."""
        return self._process.returncode if self._process is not None else None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def family(self) -> list[int]:
        """The server's process and all its descendants."""
        return [self.pid, *sorted(children_of(self.pid))] if self.alive else []

    def foreman(self) -> int | None:
        """The process that loads the first keys and forks the provers, or who takes its place."""
        provers = self._provers()
        return next((pid for pid in provers if parent_of(pid) not in provers), None)

    def workers(self) -> list[int]:
        """The processes that prove, or wait for something to prove."""
        provers = self._provers()
        parents = {parent_of(pid) for pid in provers}
        return sorted(pid for pid in provers - parents if parent_of(pid) in provers)

    def _provers(self) -> set[int]:
        return {pid for pid in self.family() if _PROVER in command_of(pid)}

    def rss_mb(self) -> float:
        """Memory of the server and its provers, in MiB; what they share counts once for each."""
        ours = [self.pid, *self._provers()] if self.alive else []
        return sum(map(rss_of, ours)) / 2**20

    def cpu_seconds(self) -> float:
        """Processor time of the server and its living descendants."""
        return sum(map(cpu_of, self.family()))

    def tail(self) -> str:
        """The last lines that the server wrote, as one."""
        try:
            text = self.log.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        return " | ".join([line for line in text.splitlines() if line.strip()][-_TAIL_LINES:])


async def _read(process: asyncio.subprocess.Process, ready: asyncio.Future[str]) -> None:
    """Read stdout to its end; `ready` gets the URL, or "" when there was none."""
    assert process.stdout is not None
    while line := (await process.stdout.readline()).decode(errors="replace").strip():
        if line.startswith(_READY) and not ready.done():
            ready.set_result(line.removeprefix(_READY))
    if not ready.done():
        ready.set_result("")


def lend_key(store: Path, into: Path, bot: str) -> None:
    """Put the development key of a house net into another store, making it first if need be."""
    from engine.net import house_net  # noqa: PLC0415  numpy, which nothing else here needs

    record = KeyStore(store).ensure_dev_key(house_net(bot))
    target = into / record.key_hash
    if not target.exists():
        shutil.copytree(store / record.key_hash, target, copy_function=_link)


def _link(source: str, target: str) -> str:
    """A key is never changed, so one copy on the disk will do."""
    try:
        os.link(source, target)
    except OSError:  # another disk
        shutil.copy(source, target)
    return target


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on now, nor gets by chance before it is listened on, or again.

    Raises OSError.
    """
    for port in random.sample(_PORTS, 20):
        with socket.socket() as listener, suppress(OSError):
            listener.bind((host, port))
            return port
    raise OSError(f"no port is free on {host}")


# --- /proc ----------------------------------------------------------------------------------------


def children_of(pid: int) -> set[int]:
    """All living descendants of a process."""
    found: set[int] = set()
    with suppress(OSError):  # it may end while its threads are listed
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in _children_of_thread(task):
                found |= {child} | children_of(child)
    return found


def _children_of_thread(task: Path) -> list[int]:
    try:
        return [int(child) for child in (task / "children").read_text().split()]
    except OSError:
        return []


def parent_of(pid: int) -> int:
    """The parent's process id, 0 for a process that is gone."""
    stat = _stat(pid)
    return int(stat[1]) if stat else 0


def is_alive(pid: int) -> bool:
    stat = _stat(pid)
    return bool(stat) and stat[0] not in "ZX"


def command_of(pid: int) -> str:
    """The command line, "" for a process that is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def rss_of(pid: int) -> int:
    """Resident memory in bytes."""
    stat = _stat(pid)
    return int(stat[21]) * _PAGE if stat else 0


def cpu_of(pid: int) -> float:
    """Seconds of processor time so far."""
    stat = _stat(pid)
    return (int(stat[11]) + int(stat[12])) / _TICKS if stat else 0.0


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on; none for a process that is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return []


async def wait_gone(pids: set[int], *, seconds: float = 60.0) -> set[int]:
    """Those of `pids` that still live after at most `seconds`."""
    end = asyncio.get_running_loop().time() + seconds
    while living := {pid for pid in pids if is_alive(pid)}:
        if asyncio.get_running_loop().time() > end:
            return living
        await asyncio.sleep(0.02)
    return set()
