"""The whole server: from the data folder's lock to the last process ended.

run(config)   serve until SIGINT or SIGTERM
"""

import asyncio
import gc
import logging
import signal
import socket
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from aiohttp import web

from engine.net import house_net, house_nets
from proofs.chain import Chain
from proofs.deploy import ensure_contracts
from proofs.errors import shown_url
from proofs.ezkl_bots import SHIPPED
from proofs.ezkl_chooser import Choosers
from proofs.keys import KeyStore
from proofs.prover import HouseNetKey, ProverPool
from proofs.sender import LOCAL_KEY
from server import log
from server.adapters import ArenaChain, PoolProver
from server.arena import Arena
from server.budget import FILE_NAME, Doors, Spending
from server.chronicle import Chronicle
from server.config import Config, hold_folder, listen, unknown_variables
from server.errors import KeyMissing, PageMissing
from server.exhibition import Exhibited, Exhibition, fit_to_play
from server.expected import expected_seconds
from server.guests import Allowance, Guests
from server.health import Vitals
from server.hosted import Limits
from server.house import House, Tell, open_house
from server.house_bots import HouseBots
from server.info import ArenaInfo, BotInfo, offered_endpoint
from server.local_node import LocalNode
from server.memory import MB, Memory
from server.messages import ClockTerms
from server.onnx_bots import OnnxBots
from server.open_files import make_room
from server.rebuild import open_store, take_up
from server.site import KeyFiles, Site
from server.store import Store
from server.tasks import Tasks
from server.web_app import close_sockets, make_app

GRACE_SECONDS: Final = 60
FINISHING: Final = "stopping, after the moves in hand (the same again stops at once)"
DEFAULT_CLOCKS: Final = ClockTerms(base_seconds=600, increment_seconds=5, delay_seconds=0)
_LOG: Final = log.logger(__name__)


def run(config: Config, *, rebuild: bool = False) -> None:
    """Serve until told to stop.

    Raises ServerError, ProofError or EngineError, one clear line each, when it cannot start.
    """
    log.set_up(config.log, config.log_level, hidden=config.secrets)
    for name in unknown_variables():
        _LOG.warning(f"{name} is no setting, and is ignored")
    for name in config.bots:
        if name not in (*SHIPPED, *house_nets()):
            house_net(name)  # a wrong name is told before anything is made
    if (room := make_room(config.sockets)) < config.sockets:
        _LOG.warning(f"the limit of open files (ulimit -n) has room for {room} sockets only")
    with hold_folder(config.data):
        asyncio.run(_serve(config, rebuild=rebuild))


class _Signals:
    """SIGINT and SIGTERM: the first asks for the end, the second for the end at once."""

    def __init__(self) -> None:
        self.first, self.second = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._came)

    def _came(self) -> None:
        if self.first.is_set():
            self.second.set()
        self.first.set()


async def _serve(config: Config, *, rebuild: bool) -> None:
    signals = _Signals()
    async with AsyncExitStack() as stack:
        work = asyncio.create_task(open_server(config, stack, rebuild=rebuild))
        stopped = asyncio.create_task(signals.first.wait())
        await asyncio.wait((work, stopped), return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            _tell("stopping")
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            return
        if (failed := work.exception()) is not None:
            stopped.cancel()
            raise failed
        # All of it lives as long as the server; to look through it took 75 ms each time, at once
        gc.collect()
        gc.freeze()
        await stopped
        await _finish(work.result(), config.drain_seconds, signals.second)


async def _finish(running: "Running", seconds: float, at_once: asyncio.Event) -> None:
    """Let the proofs in hand be finished and their moves land, for a while."""
    running.site.is_closing, running.site.warming = True, "closing"
    _tell(FINISHING if running.arena.is_busy else "stopping")
    drain = asyncio.create_task(running.arena.drain(seconds))
    hurry = asyncio.create_task(at_once.wait())
    done, _ = await asyncio.wait((drain, hurry), return_when=asyncio.FIRST_COMPLETED)
    for task in (drain, hurry):
        task.cancel()
    await asyncio.gather(drain, hurry, return_exceptions=True)
    if drain not in done:
        _tell("stopping at once")


@dataclass(frozen=True)
class Running:
    """A server that is open."""

    url: str
    arena: Arena
    site: Site


async def start(config: Config, stack: AsyncExitStack) -> str:
    """Open a server; the stack ends it.  Returns the URL."""
    return (await open_server(config, stack)).url


async def open_server(config: Config, stack: AsyncExitStack, *, rebuild: bool = False) -> Running:
    """Start everything in order; the stack ends it in the reverse order."""
    site = Site(
        page=page_folder(),
        origins=frozenset(config.origins),
        max_sockets=config.sockets,
        guests=Guests(
            Allowance(sockets=config.sockets_per_address), behind_proxy=config.behind_proxy
        ),
        vitals=_vitals(config),
    )
    site.vitals.dearest = site.gas.dearest
    listener = listen(config.host, config.port)
    url = f"http://{config.host}:{listener.getsockname()[1]}"
    await _open_site(site, listener, stack)
    tasks = Tasks()
    stack.push_async_callback(tasks.cancel)
    tasks.spawn(site.vitals.lag.run())
    tell = _teller(site)
    tell(f"warming up at {url}")
    store = open_store(config.data, anew=rebuild)
    stack.callback(store.close)
    site.vitals.check_store = store.check
    chain = await _open_chain(config, site, url, store, stack)
    keys = KeyStore(config.data / "keys")
    bots = await _open_bots(chain, config, keys, tell, stack)
    house, onnx = bots.house, bots.onnx
    pool = _open_pool(keys, config.workers, bots.first, stack)
    site.vitals.provers = pool.state

    game_chain = ArenaChain(chain)
    limits = Limits(games=config.games, games_per_opener=config.games_per_player)
    prover = PoolProver(pool, house.keys)
    arena = Arena(game_chain, prover, house.players, limits=limits, store=store)
    moves = logging.INFO if config.log == "json" else logging.DEBUG
    arena.observe = Chronicle(site.metrics, gas=site.gas, moves=moves).saw
    stack.push_async_callback(arena.close)
    bringing = Tasks()  # what brings bots and games to it ends before it does
    stack.push_async_callback(bringing.cancel)
    tell("reading the chain's games")
    taken = await take_up(arena, game_chain)
    tell(f"{taken.games} games are known")
    if taken.is_anew and taken.games:
        tell(
            "the store was made anew from the chain's logs: all games of bots that play here go on"
        )
    arena.watch(taken.since)
    _guard_budget(site, arena, chain, tasks)
    find_key = _key_finder(keys)
    site.find_key = lambda name: find_key(name) or onnx.find_key(name)
    site.find_file = onnx.find_file

    def show_bots() -> None:
        site.info = _info(chain, [*bots.ours.infos(), *onnx.infos()])
        arena.bots_changed()

    show_bots()
    bots.ours.on_change = onnx.on_change = show_bots
    bringing.spawn(bots.bring(pool))
    if config.exhibition:
        bringing.spawn(_exhibition(site, arena, game_chain, config.workers).run())
    site.arena = arena
    stack.push_async_callback(_close_doors, site)
    print(f"Arena ready at {url}", flush=True)
    return Running(url, arena, site)


def _guard_budget(site: Site, arena: Arena, chain: Chain, tasks: Tasks) -> None:
    doors = Doors(site.vitals.spending, arena.pause_openings)
    site.vitals.spending.on_change = doors.look
    doors.look()  # a restart does not refill the budget
    tasks.spawn(site.vitals.watch(chain, each=doors.look))


@dataclass(frozen=True)
class _Bots:
    """All bots of an arena; `first` are the keys that its provers begin with."""

    house: House
    ours: HouseBots
    onnx: OnnxBots
    first: list[HouseNetKey]

    async def bring(self, pool: ProverPool) -> None:
        """Make what is missing, one bot after the other, lest they all take long."""
        await self.ours.run(pool)
        await self.onnx.run()


async def _open_bots(
    chain: Chain, config: Config, keys: KeyStore, tell: Tell, stack: AsyncExitStack
) -> _Bots:
    shipped = tuple(name for name in config.bots if name in SHIPPED)
    names = tuple(name for name in config.bots if name not in SHIPPED)
    house = await open_house(chain)
    memory = Memory(None if config.memory_mb is None else config.memory_mb * MB)
    ours = HouseBots(chain, keys, names, house, memory=memory, workers=config.workers)
    first = await ours.open_first(tell)
    choosers = Choosers()
    stack.push_async_callback(asyncio.to_thread, choosers.close)
    onnx = OnnxBots(chain, config.data, shipped, house, choosers)
    await onnx.open_known()
    return _Bots(house, ours, onnx, first)


def _open_pool(
    keys: KeyStore, workers: int, first: list[HouseNetKey], stack: AsyncExitStack
) -> ProverPool:
    pool = ProverPool(keys.root, workers, keys=first)
    stack.push_async_callback(asyncio.to_thread, pool.close)
    pool.start()
    pool.ready.add_done_callback(_tell_of_prover)
    return pool


def _exhibition(site: Site, arena: Arena, chain: ArenaChain, workers: int) -> Exhibition:
    def bots() -> list[Exhibited]:
        shown = site.info.bots if site.info is not None else []
        return fit_to_play(shown, expected_seconds(shown, arena.proof_seconds), workers)

    return Exhibition(arena, chain.domain, bots=bots, is_watched=lambda: bool(site.sockets))


def _vitals(config: Config) -> Vitals:
    spending = Spending(gas_per_day=config.gas_per_day, file=config.data / FILE_NAME)
    return Vitals(spending=spending, low_balance_moves=config.low_balance_moves)


def _info(chain: Chain, bots: list[BotInfo]) -> ArenaInfo:
    return ArenaInfo(
        version=_version(),
        chain_id=chain.chain_id,
        arena=chain.addresses.arena,
        registry=chain.addresses.registry,
        rpc_url=offered_endpoint(chain.rpc.url),
        clocks=DEFAULT_CLOCKS,
        grace_seconds=GRACE_SECONDS,
        payee=chain.address,
        bots=bots,
    )


async def _open_site(site: Site, listener: socket.socket, stack: AsyncExitStack) -> None:
    runner = web.AppRunner(make_app(site), access_log=None, shutdown_timeout=2)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.SockSite(runner, listener).start()


async def _close_doors(site: Site) -> None:
    """First of all: nobody comes in, and who is here is sent away."""
    site.arena, site.warming = None, "closing"
    await close_sockets(site)


async def _open_chain(
    config: Config, site: Site, url: str, store: Store, stack: AsyncExitStack
) -> Chain:
    tell = _teller(site)
    rpc, key = config.rpc, config.key.get_secret_value() if config.key else None
    if rpc is None:
        tell("starting the local chain")
        node = LocalNode(config.data / "chain", allowed_origin=url, tell=_tell)
        stack.push_async_callback(node.stop)
        await node.start()
        rpc, key = node.url, key or LOCAL_KEY
    if key is None:
        raise KeyMissing(shown_url(rpc))
    chain = await Chain.connect(rpc, key, outbox_of=store.outbox)
    stack.push_async_callback(chain.close)
    chain.on_receipt(site.vitals.spending.receipt)
    if lost := await chain.recover():  # before anything is asked of contracts that may be lost
        tell(f"{lost} transactions that the chain had lost, or never got, are there again")
    return chain.at(await ensure_contracts(chain, config.data, progress=tell))


def _teller(site: Site) -> Tell:
    """Tells the operator, and who comes too early, how far the start has come."""

    def tell(line: str) -> None:
        site.warming = line
        _tell(line)

    return tell


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
