"""Many games at once, as fast as the proofs come: throughput, the event loop's lateness, memory.

Each of `games` players has a key and a socket of its own and moves as soon as the last of the
bot's moves is verified, so the provers always have work.  What is measured begins when every game
has a verified move and lasts `seconds`; then the server is ended with its games.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median
from typing import Any, Final

from proofs.memory import peak_rss_mb
from server import messages as m
from server.arena_http import ArenaHttp
from server.bench.figures import cores, machine, middle_and_tail
from server.bench.host import Host
from server.bench.opponent import Opponent, Venue, told_by
from server.bench.readings import Cpu, Lag, Memory
from server.client import Client

TARGET: Final = 0.85
"""The share of the processors' time that is to go into proofs."""

_SAMPLE_SECONDS: Final = 3.0
_WARM_UP_SECONDS: Final = 240.0
_MOVE_SECONDS: Final = 240.0

Say = Callable[[str], None]


@dataclass
class Tally:
    """What the players saw, and what was read beside them while `is_open`."""

    started: set[str] = field(default_factory=set)
    is_open: bool = False
    moves: int = 0
    verified: int = 0
    verified_s: list[float] = field(default_factory=list)
    prove_cpu: list[float] = field(default_factory=list)
    memory: list[Memory] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)
    games_ended: int = 0
    seconds: float = 0.0
    late: Lag = field(default_factory=Lag)
    used: Cpu = field(default_factory=Cpu)


def bench_load(
    bot: str, games: int, *, seconds: float, keys: Path, workers: int, seed: int, say: Say
) -> dict[str, Any]:
    """Let `games` games go on for `seconds`.

    Returns throughput of verified bot moves, milliseconds of lateness of the server's loop, and
    MiB of the server with its provers.  Raises HostFailed.
    """
    before = machine()
    return asyncio.run(
        _measure(bot, games, seconds=seconds, keys=keys, workers=workers, seed=seed, say=say)
    ) | {"machine": before}


async def _measure(
    bot: str, games: int, *, seconds: float, keys: Path, workers: int, seed: int, say: Say
) -> dict[str, Any]:
    tally = Tally()
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="checkproof-load-"))
        say("starting a server")
        limits = ("--workers", str(workers))
        host = await Host.fresh(Path(folder), keys=keys, bot=bot, options=limits)
        await stack.enter_async_context(host)
        await stack.enter_async_context(told_by(host))
        venue = await Venue.at(host.url, bot)
        http = await stack.enter_async_context(ArenaHttp(host.url))
        say(f"opening {games} games and waiting for a proof in each")
        players = [Opponent(f"player {k}", venue, seed=seed) for k in range(games)]
        async with _playing(host.url, players, tally) as going:
            await going(lambda: len(tally.started) == games, _WARM_UP_SECONDS)
            say(f"measuring for {seconds:g} s")
            lag, cpu = Lag.of(await http.text("/metrics")), Cpu.of(host)
            tally.is_open = True
            tally.seconds = await _sample(host, http, tally, seconds, going)
            tally.is_open = False
            tally.late = Lag.of(await http.text("/metrics")).since(lag)
            tally.used = Cpu.of(host).since(cpu)
    return _figures(tally, games, workers)


# --- playing ------------------------------------------------------------------------------------

Going = Callable[[Callable[[], bool], float], Any]


@asynccontextmanager
async def _playing(url: str, players: list[Opponent], tally: Tally) -> AsyncIterator[Going]:
    """All players at play; the function given waits until something is so, or a player fails."""
    tasks = [asyncio.create_task(_play_on(url, player, tally)) for player in players]

    async def going(is_so: Callable[[], bool], seconds: float) -> None:
        async with asyncio.timeout(seconds):
            while not is_so():
                done, _ = await asyncio.wait(
                    tasks, timeout=0.1, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    task.result()

    try:
        yield going
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _play_on(url: str, player: Opponent, tally: Tally) -> None:
    """Game after game."""
    async with await Client.connect(url) as lobby:
        while True:
            game = await player.open(lobby)
            await _play(url, game, player, tally)
            tally.games_ended += tally.is_open


async def _play(url: str, game: str, player: Opponent, tally: Tally) -> None:
    loop = asyncio.get_running_loop()
    async with await Client.connect(url, game=game, player=player.address) as client:
        await client.ready()
        while True:
            begun = loop.time()
            ply = await player.move(client)
            if ply is None or not await client.wait_verified(ply + 1, seconds=_MOVE_SECONDS):
                return
            tally.started.add(player.address)
            if tally.is_open:
                _count(tally, client.moves[ply + 1], loop.time() - begun)


def _count(tally: Tally, answer: m.MoveRecord, seconds: float) -> None:
    tally.moves += 2
    tally.verified += 1
    tally.verified_s.append(seconds)
    if answer.cpu_seconds is not None:
        tally.prove_cpu.append(answer.cpu_seconds)


# --- measuring ----------------------------------------------------------------------------------


async def _sample(host: Host, http: ArenaHttp, tally: Tally, seconds: float, going: Going) -> float:
    """Read memory and lateness again and again; returns for how long, in seconds."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    while (now := loop.time()) < begun + seconds:
        tally.memory.append(Memory.of(host))
        tally.lags.append(Lag.recent_of(await http.text("/metrics")))
        until = min(now + _SAMPLE_SECONDS, begun + seconds)
        await going(lambda until=until: loop.time() >= until, 2 * _SAMPLE_SECONDS)  # type: ignore[misc]
    return loop.time() - begun


def _figures(tally: Tally, games: int, workers: int) -> dict[str, Any]:
    per_minute = 60 * tally.verified / tally.seconds
    cpu = median(tally.prove_cpu) if tally.prove_cpu else 0.0
    most = 60 * cores() / cpu if cpu else 0.0
    third = max(1, len(tally.memory) // 3)
    return {
        "games": games,
        "moves": tally.moves,
        "verified_per_min": round(per_minute, 1),
        "loop_stall_ms": {
            "p99": round(1000 * min(tally.late.quantile(0.99), max(tally.lags)), 1),
            "max": round(1000 * max(tally.lags), 1),
        },
        "rss_mb": round(tally.memory[-1].rss_mb, 1),
        "seconds": round(tally.seconds, 1),
        "games_ended": tally.games_ended,
        "workers": workers,
        "proofs": {
            "cpu_s": round(cpu, 3),
            "most_per_min": round(most, 1),
            "share": round(per_minute / most, 3) if most else 0.0,
            "target_share": TARGET,
        },
        "verified_s": middle_and_tail(tally.verified_s) if tally.verified_s else None,
        "memory_mb": {
            "first_third": _memory(tally.memory[:third]),
            "last_third": _memory(tally.memory[-third:]),
        },
        "cpu_per_proof_s": tally.used.per(tally.verified),
        "server_waited_for_cpu_s": round(tally.used.waited, 2),
        "client_peak_mb": peak_rss_mb(),
    }


def _memory(samples: list[Memory]) -> dict[str, float]:
    return {
        "rss": round(mean(s.rss_mb for s in samples), 1),
        "server": round(mean(s.server_mb for s in samples), 1),
        "pss": round(mean(s.pss_mb for s in samples), 1),
    }
