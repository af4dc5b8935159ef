"""The whole server: from the data folder's lock to the last process ended.

run(config)   serve until SIGINT or SIGTERM
"""

import asyncio
import signal
import socket
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AsyncExitStack
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from aiohttp import web

from engine.net import house_net
from proofs.chain import Chain
from proofs.deploy import ensure_contracts
from proofs.keys import KeyStore
from proofs.prover import ProverPool
from proofs.sender import LOCAL_KEY
from server import log
from server.adapters import ArenaChain, PoolProver
from server.arena import Arena
from server.config import Config, hold_folder, listen, shown_url
from server.errors import KeyMissing, PageMissing
from server.house import Tell, open_house
from server.info import ArenaInfo
from server.local_node import LocalNode
from server.messages import ClockTerms
from server.rebuild import rebuild as restore_games
from server.site import KeyFiles, Site
from server.web_app import close_sockets, make_app

GRACE_SECONDS: Final = 60
DEFAULT_CLOCKS: Final = ClockTerms(base_seconds=600, increment_seconds=5, delay_seconds=0)
_LOG: Final = log.logger(__name__)


def run(config: Config, *, rebuild: bool = False) -> None:
    """Serve until told to stop.

    Raises ServerError, ProofError or EngineError, one clear line each, when it cannot start.
    """
    log.set_up(config.log, config.log_level, hidden=config.secrets)
    for name in config.bots:
        house_net(name)  # a wrong name is told before anything is made
    with hold_folder(config.data):
        asyncio.run(_serve(config, rebuild=rebuild))


async def _serve(config: Config, *, rebuild: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        work = asyncio.create_task(start(config, stack, rebuild=rebuild))
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait((work, stopped), return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            _tell("stopping")
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            return
        stopped_early = work.exception()
        if stopped_early is not None:
            stopped.cancel()
            raise stopped_early
        await stopped
        _tell("stopping")


async def start(config: Config, stack: AsyncExitStack, *, rebuild: bool = False) -> str:
    """Start everything in order; the stack ends it in the reverse order.  Returns the URL."""
    _ = rebuild  # the store is made from the logs on every start so far
    site = Site(page=page_folder(), origins=frozenset(config.origins))
    listener = listen(config.host, config.port)
    url = f"http://{config.host}:{listener.getsockname()[1]}"
    await _open_site(site, listener, stack)

    def tell(line: str) -> None:
        site.warming = line
        _tell(line)

    tell(f"warming up at {url}")
    chain = await _open_chain(config, url, stack, tell)
    store = KeyStore(config.data / "keys")
    house = await open_house(chain, store, config.bots, tell)
    pool = ProverPool(store.root, config.workers)
    stack.push_async_callback(asyncio.to_thread, pool.close)
    pool.start()
    pool.ready.add_done_callback(_tell_of_prover)

    game_chain = ArenaChain(chain)
    arena = Arena(game_chain, PoolProver(pool, house.keys), house.players)
    stack.push_async_callback(arena.close)
    tell("reading the chain's games")
    count = await restore_games(arena, game_chain)
    tell(f"{count} games are known")
    arena.watch()
    site.find_key = _key_finder(store)
    site.info = ArenaInfo(
        version=_version(),
        chain_id=chain.chain_id,
        arena=chain.addresses.arena,
        registry=chain.addresses.registry,
        rpc_url=None,
        clocks=DEFAULT_CLOCKS,
        grace_seconds=GRACE_SECONDS,
        payee=chain.address,
        bots=house.infos,
    )
    site.arena = arena
    stack.push_async_callback(_close_doors, site)
    print(f"Arena ready at {url}", flush=True)
    return url


async def _open_site(site: Site, listener: socket.socket, stack: AsyncExitStack) -> None:
    runner = web.AppRunner(make_app(site), access_log=None, shutdown_timeout=2)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.SockSite(runner, listener).start()


async def _close_doors(site: Site) -> None:
    """First of all: nobody comes in, and who is here is sent away."""
    site.arena, site.warming = None, "closing"
    await close_sockets(site)


async def _open_chain(config: Config, url: str, stack: AsyncExitStack, tell: Tell) -> Chain:
    rpc, key = config.rpc, config.key.get_secret_value() if config.key else None
    if rpc is None:
        tell("starting the local chain")
        node = LocalNode(config.data / "chain", allowed_origin=url, tell=_tell)
        stack.push_async_callback(node.stop)
        await node.start()
        rpc, key = node.url, key or LOCAL_KEY
    if key is None:
        raise KeyMissing(shown_url(rpc))
    chain = await Chain.connect(rpc, key)
    stack.push_async_callback(chain.close)
    return chain.at(await ensure_contracts(chain, config.data, progress=tell))


def _tell_of_prover(ready: Future[None]) -> None:
    if not ready.cancelled() and ready.exception() is None:
        _tell("the prover is ready")


def page_folder() -> Path:
    """The page's files: beside the packages in a checkout, inside this one in a wheel."""
    here = Path(__file__).parent
    for folder in (here / "_web", here.parent / "web"):
        if (folder / "index.html").is_file():
            return folder
    raise PageMissing(here / "_web")


def _key_finder(store: KeyStore) -> Callable[[str], KeyFiles | None]:
    def find(key_hash: str) -> KeyFiles | None:
        record = store.find(key_hash)
        if record is None:
            return None
        return KeyFiles(
            record.key_hash, record.circuit_hash, record.kind, record.vk, record.proving_key
        )

    return find


def _version() -> str:
    try:
        return version("checkproof")
    except PackageNotFoundError:
        return "0"


def _tell(line: str) -> None:
    _LOG.info(line)
