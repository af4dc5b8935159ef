"""The fault campaign: games are played while everything that can fail does, at random from a seed.

A real server, real provers and a real chain; between server and chain a proxy that misbehaves.
Players with keys of their own open games, play legal moves at random, and come back whenever they
are cut off; each game has a spectator as well.  In the end each game is audited by the command
that anybody would use.  Ctrl-C ends the play; what was played is judged all the same.

    moves         plies that the chain holds in the end
    faults        how many of each kind
    lost_games, wrong_states   see server/bench/judge.py; each has a line in `findings`
    stuck         games that did not go on within a bound after a fault was over, or do not show in
                  the end what the chain holds
    recovery_s    from the end of a fault's cause (a server, killed, is started at once) until every
                  game that was going on has one more verified move
    audits        how many games the audit found clean, and how many not
    acknowledged, corrections, waits   moves that the server said yes to; what players were told
    reverted      transactions that the chain holds and that did nothing, such as a second one
"""

import asyncio
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp

from engine.game import Reason, Result
from proofs.chain import Chain
from proofs.deploy import read_deployment
from proofs.records import LogEvent
from proofs.sender import LOCAL_KEY
from proofs.signing import Domain
from server.bench.host import Host
from server.bench.injure import Injuries, Node, Say
from server.bench.judge import Case, Truth, judge, unsettled
from server.bench.reader import Reader
from server.bench.rpc_proxy import RpcProxy
from server.bench.script import KINDS, Fault, script
from server.bench.wanderer import Ground, Player

_LOOK_SECONDS: Final = 0.1
_GAP_SECONDS: Final = 20.0
_AUDITS_AT_ONCE: Final = 2


@dataclass(frozen=True)
class Plan:
    """`every` is about how many plies lie between two faults, `bound` how long, in seconds, a game
    may take to go on after one; `haste` shortens the faults.  Keys are taken from the store `keys`.
    """

    moves: int
    seed: int
    keys: Path
    games: int = 3
    workers: int = 2
    every: int = 5
    bound: float = 180.0
    haste: float = 1.0
    kinds: tuple[str, ...] = tuple(KINDS)
    bot: str = "pawn"


@dataclass
class Outcome:
    """What a campaign came to."""

    moves: int = 0
    games: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)
    oddities: list[str] = field(default_factory=list)
    unclean: list[str] = field(default_factory=list)
    recoveries: list[float] = field(default_factory=list)
    clean_audits: int = 0
    corrections: int = 0
    waits: int = 0
    reverted: int = 0
    acks: int = 0
    seconds: float = 0.0

    @property
    def findings(self) -> list[str]:
        """Everything that should not have been, a line each."""
        named = {
            "lost": self.lost,
            "wrong": self.wrong,
            "stuck": self.stuck,
            "crash": self.crashes,
            "refused": self.oddities,
            "audit": self.unclean,
        }
        return [f"{name}: {line}" for name, lines in named.items() for line in lines]

    def is_good(self, plan: Plan) -> bool:
        return not self.findings and self.moves >= plan.moves

    def as_json(self, plan: Plan) -> dict[str, Any]:
        return {
            "moves": self.moves,
            "faults": {kind: self.faults[kind] for kind in KINDS},
            "lost_games": len(self.lost),
            "wrong_states": len(self.wrong),
            "stuck": len(self.stuck),
            "recovery_s": {
                "p50": percentile(self.recoveries, 50),
                "p95": percentile(self.recoveries, 95),
            },
            "games": self.games,
            "acknowledged": self.acks,
            "corrections": self.corrections,
            "waits": self.waits,
            "reverted": self.reverted,
            "crashes": len(self.crashes),
            "audits": {"clean": self.clean_audits, "unclean": len(self.unclean)},
            "findings": self.findings,
            "seed": plan.seed,
            "seconds": round(self.seconds, 1),
        }


def percentile(values: list[float], percent: int) -> float | None:
    """The smallest value that so many percent do not exceed, None of none."""
    if not values:
        return None
    ordered = sorted(values)
    return round(ordered[max(0, -(-len(ordered) * percent // 100) - 1)], 2)


def bench_faults(plan: Plan, *, say: Say, folder: Path | None = None) -> Outcome:
    """Run a campaign; what it leaves behind lies in `folder`, or nowhere without one.

    Raises HostFailed, NodeError, ChainDown when it cannot be run at all.
    """
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        return asyncio.run(_run(plan, folder, say))
    with tempfile.TemporaryDirectory(prefix="checkproof-") as name:
        return asyncio.run(_run(plan, Path(name), say))


async def _run(plan: Plan, folder: Path, say: Say) -> Outcome:
    begun = time.monotonic()
    async with AsyncExitStack() as stack:
        node = Node(folder / "chain")
        stack.push_async_callback(node.stop)
        await node.start()
        proxy = await stack.enter_async_context(RpcProxy(node.url, seed=plan.seed))
        host = await Host.fresh(
            folder,
            keys=plan.keys,
            bot=plan.bot,
            options=("--rpc", proxy.url, "--workers", str(plan.workers)),
            environment={"CHECKPROOF_KEY": LOCAL_KEY},
        )
        say("starting the server")
        await stack.enter_async_context(host)
        campaign = Campaign(plan, Site(host, node, proxy, await _ground(host)), say)
        stack.push_async_callback(campaign.close)
        loop = asyncio.get_running_loop()
        with suppress(RuntimeError):  # signals come to the main thread only
            loop.add_signal_handler(signal.SIGINT, campaign.call_off)
        stack.callback(loop.remove_signal_handler, signal.SIGINT)
        outcome = await campaign.run()
    outcome.seconds = time.monotonic() - begun
    return outcome


async def _ground(host: Host) -> Ground:
    async with aiohttp.ClientSession() as http, http.get(f"{host.url}/api/config") as response:
        config = await response.json()
    (bot,) = config["bots"]
    domain = Domain(config["chainId"], config["arena"])
    return Ground(lambda: host.url, domain, bytes.fromhex(bot["version"][2:]))


@dataclass(frozen=True)
class Site:
    """The parts of an arena, within reach."""

    host: Host
    node: Node
    proxy: RpcProxy
    ground: Ground


class Campaign:
    """One campaign on an arena that is up."""

    def __init__(self, plan: Plan, site: Site, say: Say) -> None:
        self._plan = plan
        self._host = site.host
        self._node = site.node
        self._ground = site.ground
        self._say = say
        self._players: list[Player] = []
        self._outcome = Outcome()
        self._to_come = set(plan.kinds)
        self._is_called_off = False
        self._told = 0
        self._injuries = Injuries(site.host, site.node, site.proxy, self._readers, say)
        self._tasks: list[asyncio.Task[None]] = []

    async def run(self) -> Outcome:
        seats = [asyncio.create_task(self._seat(seat)) for seat in range(self._plan.games)]
        self._tasks += [*seats, asyncio.create_task(self._injuries.keep_up())]
        await self._all_faults(seats)
        await asyncio.wait(seats, timeout=self._plan.bound)
        truths = await self._settle()
        self._conclude(truths)
        self._outcome.reverted = await self._node.reverted()
        await self._audit(list(truths))
        return self._outcome

    async def close(self) -> None:
        for player in self._players:
            await player.leave()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- games ----------------------------------------------------------------------------------

    async def _seat(self, seat: int) -> None:
        """One game after another."""
        number = 0
        while self._wants_more():
            seed = f"{self._plan.seed} {seat} {number}"
            player = Player(self._ground, seed, self._wants_more)
            self._players.append(player)
            await player.play()
            number += 1

    def call_off(self) -> None:
        """Play no more; what was played is judged all the same."""
        self._is_called_off = True
        self._say("called off: what was played is judged")

    def _wants_more(self) -> bool:
        if self._is_called_off:
            return False
        return bool(self._to_come) or self._verified() < self._plan.moves

    def _verified(self) -> int:
        return sum(player.screen.verified for player in self._players if player.case)

    def _readers(self) -> list[Reader]:
        return [reader for player in self._players for reader in player.readers]

    def _cases(self) -> list[Case]:
        return [player.case for player in self._players if player.case is not None]

    # --- faults ---------------------------------------------------------------------------------

    async def _all_faults(self, seats: list[asyncio.Task[None]]) -> None:
        """One after another until enough was played; an early end of a seat is raised."""
        recoveries: list[asyncio.Task[None]] = []
        plan = self._plan
        for fault in script(plan.seed, every=plan.every, haste=plan.haste, kinds=plan.kinds):
            if not self._wants_more():
                break
            for seat in seats:
                if seat.done():
                    seat.result()
            await self._let_play(fault.gap)
            self._tell_faults()
            self._say(self._progress(fault))
            gone = await self._injuries.inflict(fault)
            if gone is None:
                self._say(f"{fault.kind}: nothing to hit")
                continue
            self._outcome.faults[fault.kind] += 1
            self._to_come.discard(fault.kind)
            task = asyncio.create_task(self._recovery(fault, gone))
            recoveries.append(task)
            if not fault.overlaps:
                await task
        await asyncio.gather(*recoveries)

    def _tell_faults(self) -> None:
        """Say at once what the screens have found."""
        found = [fault for case in self._cases() for s in case.screens for fault in s.faults]
        if len(found) > self._told:
            self._say(f"{len(found)} wrong so far, such as {found[-1]}")
        self._told = len(found)

    def _progress(self, fault: Fault) -> str:
        done, wanted = self._verified(), self._plan.moves
        return f"{done}/{wanted} moves, fault {self._outcome.faults.total() + 1}: {fault.kind}"

    async def _let_play(self, plies: int) -> None:
        """Wait until so many more plies are verified, or for a while at least."""
        enough, end = self._verified() + plies, _now() + _GAP_SECONDS
        while self._verified() < enough and _now() < end:  # noqa: ASYNC110 on many screens
            await asyncio.sleep(_LOOK_SECONDS)

    async def _recovery(self, fault: Fault, gone: float) -> None:
        """Wait until every game that goes on now has got further."""
        waiting = {player: player.screen.verified for player in self._players if player.case}
        while waiting:
            for player, before in list(waiting.items()):
                if player.screen.verified > before or player.is_done:
                    del waiting[player]
            if _now() > gone + self._plan.bound:
                for player in waiting:
                    line = f"{player.screen.game[:10]} did not go on after {fault.kind}"
                    self._outcome.stuck.append(f"{line}; it waits for: {player.screen.waiting}")
                    self._say(self._outcome.stuck[-1])
                return
            await asyncio.sleep(_LOOK_SECONDS)
        self._outcome.recoveries.append(_now() - gone)
        self._say(f"  recovered from {fault.kind} in {_now() - gone:.1f} s")

    # --- the end --------------------------------------------------------------------------------

    async def _settle(self) -> dict[str, Truth]:
        """The chain's word, once all see exactly that; what does not get there is stuck."""
        self._say("waiting until nothing is owed")
        end = _now() + self._plan.bound
        while True:
            truths = await self._truths()
            behind = set(unsettled(self._cases(), truths))
            behind |= {p.screen.game for p in self._players if p.case and not p.is_settled}
            if not behind:
                return truths
            if _now() > end:
                self._outcome.stuck += [f"{game[:10]} is not settled" for game in sorted(behind)]
                return truths
            await asyncio.sleep(1)

    async def _truths(self) -> dict[str, Truth]:
        addresses = read_deployment(self._host.data)
        chain = await Chain.connect(self._node.url, addresses=addresses)
        try:
            found = {case.game: await _truth(chain, case.game) for case in self._cases()}
        finally:
            await chain.close()
        return {game: truth for game, truth in found.items() if truth is not None}

    def _conclude(self, truths: dict[str, Truth]) -> None:
        outcome, cases = self._outcome, self._cases()
        verdict = judge(cases, truths)
        outcome.lost, outcome.wrong = verdict.lost, verdict.wrong
        outcome.moves = sum(len(truth.moves) for truth in truths.values())
        outcome.games = len(cases)
        outcome.acks = sum(len(case.acks) for case in cases)
        outcome.corrections = sum(len(case.player.corrections) for case in cases)
        outcome.waits = sum(len(case.player.waits) for case in cases)
        outcome.crashes = self._injuries.crashes
        outcome.oddities = [line for player in self._players for line in player.oddities]

    async def _audit(self, games: list[str]) -> None:
        self._say(f"auditing {len(games)} games")
        at_once = asyncio.Semaphore(_AUDITS_AT_ONCE)
        await asyncio.gather(*(self._audit_one(game, at_once) for game in games))

    async def _audit_one(self, game: str, at_once: asyncio.Semaphore) -> None:
        where = ("--rpc", self._node.url, "--data", str(self._host.data), "--json")
        async with at_once:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "server", "audit", game, *where),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            try:
                out, err = await process.communicate()
            finally:
                with suppress(ProcessLookupError):
                    process.kill()
        if process.returncode == 0:
            self._outcome.clean_audits += 1
        else:
            words = " ".join((out + err).decode(errors="replace").split())
            self._outcome.unclean.append(f"{game}: status {process.returncode}: {words[-400:]}")


async def _truth(chain: Chain, game: str) -> Truth | None:
    """What the logs say of a game, None if they know nothing of it."""
    logs = await chain.logs(bytes.fromhex(game[2:]))
    if not any(log.name == "GameOpened" for log in logs):
        return None
    moves = tuple(log.args["index"] for log in logs if log.name in ("PlayerMoved", "BotMoved"))
    return Truth(moves, next(filter(None, map(_result, logs)), None))


def _result(log: LogEvent) -> tuple[str, str] | None:
    if log.name != "GameEnded":
        return None
    return str(Result(log.args["result"])), str(Reason(log.args["reason"]))


def _now() -> float:
    return asyncio.get_running_loop().time()
