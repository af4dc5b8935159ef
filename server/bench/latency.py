"""How long a person waits: from a signed move to the bot's answer shown, and to it verified.

Through a real server process, its provers, its chain and a websocket.  The next move is made only
when the last is verified: nothing queues.
"""

import asyncio
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final

from server import messages as m
from server.bench.figures import machine, middle_and_tail
from server.bench.host import Host
from server.bench.opponent import Opponent, Venue, told_by
from server.client import Client

Say = Callable[[str], None]
_MOVE_SECONDS: Final = 120.0


@dataclass
class Latencies:
    """Seconds from each move of the player's on; of the proofs, as the server tells them."""

    proposed: list[float] = field(default_factory=list)
    verified: list[float] = field(default_factory=list)
    prove_wall: list[float] = field(default_factory=list)
    prove_cpu: list[float] = field(default_factory=list)


def bench_latency(
    bot: str, moves: int, *, keys: Path, workers: int, seed: int, say: Say
) -> dict[str, Any]:
    """Play until `moves` of the bot's are verified, and say how long they took.  Seconds.

    Raises HostFailed, ConnectionError, TimeoutError.
    """
    before = machine()
    found = asyncio.run(_measure(bot, moves, keys=keys, workers=workers, seed=seed, say=say))
    return {
        "proposed_s": middle_and_tail(found.proposed),
        "verified_s": middle_and_tail(found.verified),
        "moves": len(found.verified),
        "proof": {
            "wall_s": round(median(found.prove_wall), 3),
            "cpu_s": round(median(found.prove_cpu), 3),
        },
        "workers": workers,
        "machine": before,
    }


async def _measure(
    bot: str, moves: int, *, keys: Path, workers: int, seed: int, say: Say
) -> Latencies:
    found = Latencies()
    with tempfile.TemporaryDirectory(prefix="checkproof-latency-") as folder:
        say("starting a server")
        host = await Host.fresh(
            Path(folder), keys=keys, bot=bot, options=("--workers", str(workers))
        )
        async with host, told_by(host):
            player = Opponent("latency", await Venue.at(host.url, bot), seed=seed)
            say("waiting for the prover")
            await _play(host.url, player, 1, Latencies())
            while (missing := moves - len(found.verified)) > 0:
                await _play(host.url, player, missing, found, say)
    return found


async def _play(
    url: str, player: Opponent, moves: int, found: Latencies, say: Say | None = None
) -> None:
    """One game, until it ends or has shown enough."""
    loop, heard = asyncio.get_running_loop(), dict[tuple[str, int], float]()

    def hear(event: m.GameEvent) -> None:
        if isinstance(event, m.MoveEvent):
            heard["proposed", event.d.ply] = loop.time()
        elif isinstance(event, m.ChainEvent) and event.d.stage == "verified":
            heard["verified", event.d.ply] = loop.time()

    async with await Client.connect(url) as lobby:
        game = await player.open(lobby)
    async with await Client.connect(url, game=game, player=player.address, heard=hear) as client:
        await client.ready()
        await client.wait_until(lambda: client.view.is_open)
        for _ in range(moves):
            begun = loop.time()
            ply = await player.move(client)
            if ply is None or not await client.wait_verified(ply + 1, seconds=_MOVE_SECONDS):
                return
            found.proposed.append(heard["proposed", ply + 1] - begun)
            found.verified.append(heard["verified", ply + 1] - begun)
            record = client.moves[ply + 1]
            found.prove_wall.append(record.prove_seconds or 0.0)
            found.prove_cpu.append(record.cpu_seconds or 0.0)
            if say is not None:
                say(f"move {len(found.verified)}: verified in {found.verified[-1]:.2f} s")
