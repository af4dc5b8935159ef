"""One game before many spectators: how soon each sees a move, and what a frame costs the server.

A real server in a process of its own, with its provers and its chain; the spectators are a second
process, the player a third.  Two runs of the same kind: every spectator reads; then some more are
there who never do.

    delay_ms           from before a move is signed until a spectator has its frame; over all
                       spectators that read, and all moves of the player
    frames_per_s_core  frames that spectators got, by the processor time of the server's own process
                       in the same time: its work for the game, the chain and the store is in it
    bytes_per_socket   growth of the server's resident memory with the spectators that came
"""

import asyncio
import json
import sys
import tempfile
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlsplit

from proofs.node import dying_with_us
from server.bench.figures import machine, percentile
from server.bench.host import Host, cpu_of, rss_of
from server.bench.opponent import Opponent, Venue, told_by
from server.client import Client
from server.errors import HostFailed

TARGET_FRAMES: Final = 50_000
TARGET_P99_MS: Final = 100.0

_READY_SECONDS: Final = 240.0
_MOVE_SECONDS: Final = 120.0
_SETTLE_SECONDS: Final = 20.0
_ROOT: Final = Path(__file__).parents[2]

Say = Callable[[str], None]


class Spectators:
    """A crowd in its own process; each order is answered when it is done."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    @asynccontextmanager
    async def of(cls, url: str, game: str) -> AsyncIterator[Self]:
        where = urlsplit(url)
        process = await asyncio.create_subprocess_exec(
            *dying_with_us([sys.executable, "-m", "server.bench.crowd"]),
            *(where.hostname or "", str(where.port), game),
            stdin=PIPE,
            stdout=PIPE,
            limit=1 << 26,  # a report is one line
            cwd=_ROOT,
        )
        try:
            yield cls(process)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def tell(self, line: str) -> dict[str, Any]:
        """Raises HostFailed when the crowd has ended: the server did not take it on."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line.encode() + b"\n")
        async with asyncio.timeout(_READY_SECONDS):
            answer = await self._process.stdout.readline()
        if not answer:
            raise HostFailed("did not take all spectators on", "")
        told: dict[str, Any] = json.loads(answer)
        return told


@dataclass
class Run:
    """What one run showed; `sent` are the times at which the player's plies began."""

    sent: dict[int, float] = field(default_factory=dict)
    cpu: float = 0.0
    frames: int = 0
    bytes: int = 0
    moves: dict[int, list[float]] = field(default_factory=dict)

    def delays_ms(self) -> list[float]:
        return [
            1000 * (at - begun)
            for ply, begun in self.sent.items()
            for at in self.moves.get(ply, [])
        ]

    def take(self, report: dict[str, Any]) -> None:
        self.frames, self.bytes = report["frames"], report["bytes"]
        self.moves = {int(ply): times for ply, times in report["moves"].items()}


def bench_fanout(
    bot: str, sockets: int, *, moves: int, stalled: int, keys: Path, seed: int, say: Say
) -> dict[str, Any]:
    """Play `moves` moves before `sockets` spectators, then as many with `stalled` more.

    Raises HostFailed, ConnectionError, TimeoutError.
    """
    before = machine()
    return asyncio.run(
        _measure(bot, sockets, moves=moves, stalled=stalled, keys=keys, seed=seed, say=say)
    ) | {"machine": before}


async def _measure(
    bot: str, sockets: int, *, moves: int, stalled: int, keys: Path, seed: int, say: Say
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="checkproof-fanout-") as folder:
        say("starting a server")
        room = str(sockets + stalled + 10)
        host = await Host.fresh(
            Path(folder),
            keys=keys,
            bot=bot,
            options=("--workers", "1"),
            environment={"CHECKPROOF_SOCKETS": room, "CHECKPROOF_SOCKETS_PER_ADDRESS": room},
        )
        async with host, told_by(host):
            player = Opponent("fanout", await Venue.at(host.url, bot), seed=seed)
            say("waiting for the prover")
            async with _game(host, player) as client:
                await _play(client, player, 1)
            quiet, memory, _ = await _watched(host, player, sockets, moves, stalled=0, say=say)
            held, _, lost = await _watched(host, player, sockets, moves, stalled=stalled, say=say)
    return figures(quiet, held, sockets, memory) | {
        "moves": moves,
        "stalled": {"sockets": stalled, "readers_lost": lost},
    }


async def _watched(
    host: Host, player: Opponent, sockets: int, moves: int, *, stalled: int, say: Say
) -> tuple[Run, float, int]:
    """One run: what it showed, bytes a socket, and how many that read were let go."""
    run = Run()
    async with _game(host, player) as client, Spectators.of(host.url, client.game) as crowd:
        before = rss_of(host.pid)
        say(f"{sockets} spectators come" + (f", and {stalled} that never read" * bool(stalled)))
        if stalled:
            await crowd.tell(f"stall {stalled}")
        await crowd.tell(f"join {sockets}")
        # their number is told half a second after the last came
        await client.wait_until(lambda: client.view.spectators >= sockets, seconds=_MOVE_SECONDS)
        memory = (rss_of(host.pid) - before) / sockets
        await crowd.tell("mark")
        used = cpu_of(host.pid)
        run.sent = await _play(client, player, moves)
        told = await _settled(crowd)
        run.cpu = cpu_of(host.pid) - used
        run.take(told)
        return run, memory, told["lost"]


async def _settled(crowd: Spectators) -> dict[str, Any]:
    """The report, when no more frames come."""
    told = await crowd.tell("report")
    async with asyncio.timeout(_SETTLE_SECONDS):
        while True:
            await asyncio.sleep(0.3)
            last, told = told, await crowd.tell("report")
            if told["frames"] == last["frames"]:
                return told


class _Watched(Client):
    """A player's client that knows its game."""

    @property
    def game(self) -> str:
        assert self.snapshot is not None
        return self.snapshot.game


@asynccontextmanager
async def _game(host: Host, player: Opponent) -> AsyncIterator[_Watched]:
    """A new game, when the contract holds it."""
    async with await Client.connect(host.url) as lobby:
        game = await player.open(lobby)
    async with await _Watched.connect(host.url, game=game, player=player.address) as client:
        await client.ready()
        await client.wait_until(lambda: client.view.is_open)
        yield client


async def _play(client: Client, player: Opponent, moves: int) -> dict[int, float]:
    """Play until the bot's answers are verified: when each of the player's plies began."""
    loop, sent = asyncio.get_running_loop(), dict[int, float]()
    for _ in range(moves):
        begun = loop.time()
        ply = await player.move(client)
        if ply is None:
            break
        sent[ply] = begun
        if not await client.wait_verified(ply + 1, seconds=_MOVE_SECONDS):
            break
    return sent


def figures(quiet: Run, held: Run, sockets: int, memory: float) -> dict[str, Any]:
    """The runs as numbers; memory in bytes a socket."""
    frames, cpu = quiet.frames + held.frames, quiet.cpu + held.cpu
    return {
        "sockets": sockets,
        "frames_per_s_core": round(frames / cpu) if cpu else 0,
        "delay_ms": _middle_and_end(quiet.delays_ms()),
        "stalled_delay_ms": _middle_and_end(held.delays_ms()),
        "bytes_per_socket": round(memory),
        "frames": frames,
        "bytes_per_frame": round((quiet.bytes + held.bytes) / max(1, frames)),
        "server_cpu_s": round(cpu, 2),
        "target": {"frames_per_s_core": TARGET_FRAMES, "p99_ms": TARGET_P99_MS},
    }


def _middle_and_end(delays: list[float]) -> dict[str, float] | None:
    if not delays:
        return None
    return {"p50": round(percentile(delays, 0.5), 1), "p99": round(percentile(delays, 0.99), 1)}
