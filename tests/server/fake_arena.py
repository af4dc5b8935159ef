"""An arena with a fake prover and a fake chain, to look at the page without waiting for proofs.

    python -m tests.server.fake_arena --port 8000

Nothing that it shows is proven.
"""

import argparse
import asyncio
import time
from pathlib import Path

from aiohttp import web

from server.arena import Arena
from server.info import ArenaInfo, BotInfo
from server.messages import ClockTerms
from server.site import Site
from server.web_app import make_app
from tests.server.fakes import BOTS, DOMAIN, GRACE, PAYEE, FakeChain, FakeProver

PAGE = Path(__file__).parents[2] / "web"


def fake_info() -> ArenaInfo:
    return ArenaInfo(
        version="0",
        chain_id=DOMAIN.chain_id,
        arena=DOMAIN.arena,
        registry="0x" + "b6" * 20,
        rpc_url=None,
        clocks=ClockTerms(base_seconds=600, increment_seconds=5, delay_seconds=0),
        grace_seconds=GRACE,
        payee=f"0x{PAYEE:040x}",
        bots=[
            BotInfo(
                name=bot.name,
                version="0x" + version.hex(),
                net_hash="0x" + "11" * 32,
                circuit_hash="0x" + "22" * 32,
                key_hash="0x" + "33" * 32,
                setup="development",
                custom=bot.choose is None,
                constraints=60_000,
                prove_seconds=None,
                verifier="0x" + "c7" * 20,
            )
            for version, bot in BOTS.items()
        ],
    )


def fake_site(
    *, chain: FakeChain | None = None, prover: FakeProver | None = None, page: Path = PAGE
) -> Site:
    chain = chain or FakeChain(now=time.time)
    arena = Arena(chain, prover or FakeProver(), BOTS)
    return Site(page=page, arena=arena, info=fake_info())


async def serve(port: int) -> None:
    chain = FakeChain(now=time.time)
    chain.delay = 0.4
    runner = web.AppRunner(make_app(fake_site(chain=chain, prover=FakeProver(delay=1.5))))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    print(f"Fake arena at {runner.addresses}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8000)
    asyncio.run(serve(parser.parse_args().port))
