"""What a Prometheus scrapes from /metrics.

Counters are fed by the arena's events as they happen; everything that is a state is looked up at
the moment of the scrape, so that nothing can drift away from the truth.
"""

import time
from collections import Counter as Tally
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from server import messages as m
from server.lag import BOUNDS, RECENT_SECONDS, TICK, LoopLag

if TYPE_CHECKING:
    from server.arena import Arena
    from server.health import Vitals
    from server.hosted import Hosted
    from server.site import Site

disable_created_metrics()  # type: ignore[no-untyped-call]  # the process' own start says as much
CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
_PROOF_SECONDS: Final = (0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 6, 8, 12, 20, 40, 80)
_MOVE_SECONDS: Final = (0.1, 0.25, 0.5, 1, 1.5, 2, 3, 4, 6, 8, 12, 20, 40, 80, 160, 320)
_STAGES: Final = ("proposed", "queued", "proving", "proved", "submitted")
_STATES: Final = ("opening", "playing", "ended")


class Metrics:
    """One registry of one server."""

    def __init__(self) -> None:
        self._counted = CollectorRegistry()
        ProcessCollector(registry=self._counted)
        self._stages = Counter(
            "checkproof_stages",
            "Stages that plies came to (ply -1 is an opening).",
            ("by", "stage"),
            registry=self._counted,
        )
        self._proofs = Histogram(
            "checkproof_proof_seconds",
            "Wall seconds of a proof, in its prover.",
            buckets=_PROOF_SECONDS,
            registry=self._counted,
        )
        self._proof_cpu = Counter(
            "checkproof_proof_cpu_seconds", "Processor time of all proofs.", registry=self._counted
        )
        self._verified = Histogram(
            "checkproof_verified_seconds",
            "Seconds from a ply's first being shown to its being verified by the contract.",
            ("by",),
            buckets=_MOVE_SECONDS,
            registry=self._counted,
        )
        self._ends = Counter(
            "checkproof_games_ended", "Games that the contract ended.", ("reason",),
            registry=self._counted,
        )  # fmt: skip
        self._corrections = Counter(
            "checkproof_corrections",
            "Times that something shown did not hold.",
            ("cause",),
            registry=self._counted,
        )

    def saw(self, hosted: "Hosted", event: m.GameEvent) -> None:
        """Count an event of a game."""
        match event:
            case m.MoveEvent(d=d):
                self._stages.labels(d.by, "proposed").inc()
            case m.ProofEvent(d=d) if d.stage != "queued":  # told again as the queue moves
                self._stages.labels("bot", d.stage).inc()
                if d.prove_seconds is not None:
                    self._proofs.observe(d.prove_seconds)
                    self._proof_cpu.inc(d.cpu_seconds or 0)
            case m.ChainEvent(d=d) if d.reason is None or d.stage != "submitted":
                self._chain(hosted, d)
            case m.EndEvent(d=d):
                self._ends.labels(d.reason).inc()
            case m.CorrectionEvent(d=d):
                self._corrections.labels(d.cause).inc()

    def _chain(self, hosted: "Hosted", d: m.ChainData) -> None:
        ply = hosted.session.line.at(d.ply)
        by = "opening" if d.ply < 0 else ply.by if ply is not None else "unknown"
        self._stages.labels(by, d.stage).inc()
        if d.stage == "verified" and ply is not None and "proposed" in ply.at:
            self._verified.labels(by).observe(max(0.0, d.at - ply.at["proposed"]))

    def text(self, site: "Site") -> bytes:
        """All that is known of a site now."""
        now = CollectorRegistry()
        now.register(_Now(site))
        return generate_latest(self._counted) + generate_latest(now)


class _Now(Collector):
    """The states of one moment."""

    def __init__(self, site: "Site") -> None:
        self._site = site

    def collect(self) -> Iterator[Metric]:
        site, vitals = self._site, self._site.vitals
        yield _gauge("up", "Whether games can be played.", int(site.is_open))
        yield _gauge("sockets", "Open websockets.", len(site.sockets))
        yield _gauge("streams", "Open NDJSON streams.", site.streams)
        yield _counter("dropped_readers", "Readers that were too slow.", site.dropped)
        if site.arena is not None:
            yield from _games(site.arena)
        yield _gauge("store_up", "Whether the store can be written.", int(not vitals.store_fault))
        yield from _chain(vitals)
        yield from _spending(vitals)
        yield from _provers(vitals)
        yield from _lag(vitals.lag)

    def describe(self) -> list[Metric]:
        return []


def _games(arena: "Arena") -> Iterator[Metric]:
    states: Tally[str] = Tally()
    stages: Tally[str] = Tally()
    watching = 0
    for hosted in arena.games():
        session, line = hosted.session, hosted.session.line
        states["ended" if session.is_over else session.status] += 1
        if not session.is_over:  # most are, and none of their plies waits
            stages.update(ply.stage for ply in line.pending if ply.stage is not None)
        watching += hosted.room.spectators
    yield _by("games", "Games that are hosted here.", "state", {s: states[s] for s in _STATES})
    about = "Plies that the contract has not verified yet."
    yield _by("plies", about, "stage", {s: stages[s] for s in _STAGES})
    yield _gauge("spectators", "Readers that look at a game without playing.", watching)


def _chain(vitals: "Vitals") -> Iterator[Metric]:
    yield _gauge("chain_up", "Whether the chain answers.", int(vitals.look_fault is None))
    if vitals.look is not None:
        look, left = vitals.look, vitals.look.moves_left
        yield _gauge("chain_block", "The chain's latest block.", look.block)
        yield _gauge("balance_wei", "What the relayer's key holds.", look.balance)
        yield _gauge("gas_price_wei", "What a unit of gas costs now.", look.gas_price)
        if left is not None:
            yield _gauge("balance_moves", "Bot moves that the balance pays for.", left)
    yield _gauge("balance_low", "Whether that is below the warning.", int(vitals.is_low))


def _spending(vitals: "Vitals") -> Iterator[Metric]:
    spending = vitals.spending
    about = "Our transactions that a block holds."
    made = CounterMetricFamily("checkproof_transactions", about, labels=("outcome",))
    for outcome, count in spending.transactions.items():
        made.add_metric((outcome,), count)
    yield made
    yield _counter("gas", "Gas of our transactions.", spending.gas)
    yield _counter("spent_wei", "What they cost.", spending.wei)
    yield _gauge("gas_today", "Gas since midnight UTC.", spending.gas_today)
    if spending.gas_per_day is not None:
        yield _gauge("gas_per_day", "The budget of a day.", spending.gas_per_day)


def _provers(vitals: "Vitals") -> Iterator[Metric]:
    if vitals.provers is None:
        return
    state = vitals.provers()
    yield _gauge("provers", "Prover processes that are ready.", state.workers)
    yield _gauge("provers_busy", "Those that prove.", state.busy)
    yield _gauge("proof_queue", "Proofs that wait for a prover.", state.queued)
    yield _counter("prover_restarts", "Provers that ended or were stuck.", state.restarts)


def _lag(lag: LoopLag) -> Iterator[Metric]:
    about = f"How late the event loop is for what is due, looked at every {TICK * 1000:g} ms."
    counts, seen = [], 0
    for bound, count in zip((*map(str, BOUNDS), "+Inf"), lag.counts, strict=True):
        seen += count
        counts.append((bound, float(seen)))
    late = HistogramMetricFamily("checkproof_loop_lag_seconds", about)
    late.add_metric((), counts, lag.total)
    yield late
    yield _gauge("loop_lag_max_seconds", "The largest lateness since the start.", lag.largest)
    recent = lag.recent_largest(time.monotonic())
    yield _gauge(
        "loop_lag_recent_max_seconds", f"The same of the last {RECENT_SECONDS:g} s.", recent
    )


# --- small change -------------------------------------------------------------------------------


def _gauge(name: str, about: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"checkproof_{name}", about, value=value)


def _counter(name: str, about: str, value: float) -> CounterMetricFamily:
    return CounterMetricFamily(f"checkproof_{name}", about, value=value)


def _by(name: str, about: str, label: str, values: dict[str, Any]) -> GaugeMetricFamily:
    found = GaugeMetricFamily(f"checkproof_{name}", about, labels=(label,))
    for value, count in values.items():
        found.add_metric((value,), count)
    return found
