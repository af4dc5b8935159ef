"""How strong a bot is: games against opponents of known strength, and one fit over all of them.

The bot meets each rung, and each rung the next, in pairs of games: both begin after the same few
random plies, each side has White once.  A draw that could be claimed is one.  Every finished pair
is a line of a file, so that a run that was stopped goes on, and the rungs' own games serve every
bot:

    {"a": identity, "b": identity, "seed": 1, "pair": 17, "results": [1, 0]}

Results are a's: 1, 0 or -1, as White and as Black.
"""

import json
import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import chess

from engine.bradley_terry import Pairing, Rating, fit
from engine.errors import LadderStopped
from engine.game import ONGOING, Result
from engine.ladder_players import ANCHOR_ELO, Entrant, Rungs, Seat
from engine.player import LONGEST_MATCH_GAME, opened

NICENESS: Final = 10
_TOLD: Final = 20  # lines about progress in a whole run

Say = Callable[[str], None]
Results = tuple[int, int]


@dataclass(frozen=True)
class Job:
    """One pair of games: the same opening, colours swapped."""

    a: Entrant
    b: Entrant
    seed: int
    pair: int

    @property
    def key(self) -> tuple[str, str, int, int]:
        return (self.a.identity, self.b.identity, self.seed, self.pair)


@dataclass(frozen=True)
class Options:
    """How much is played: pairs of games in each pairing, which openings, by how many processes."""

    pairs: int = 100
    seed: int = 1
    workers: int = 1


def measure(
    bot: Entrant,
    rungs: Rungs,
    *,
    options: Options,
    file: Path,
    begin_worker: Callable[[int], None] | None = None,
    say: Say,
) -> dict[str, Any]:
    """Play what the file lacks, and report.

    `begin_worker` is called in each process with the id of this one.
    Raises LadderStopped, NoFit, OSError, and what the players raise.
    """
    jobs = _jobs(bot, rungs.entrants, options)
    known = read_pairs(file)
    missing = [job for job in jobs if job.key not in known]
    say(f"{2 * len(jobs)} games, {2 * len(missing)} of them to be played")
    with Ledger(file) as ledger:
        for done, (job, results) in enumerate(_played(missing, options, begin_worker), start=1):
            ledger.add(job, results)
            known[job.key] = results
            if done % max(1, len(missing) // _TOLD) == 0:
                say(f"{2 * done} of {2 * len(missing)} games played")
    return report(bot, rungs, _pairings(jobs, known))


def report(bot: Entrant, rungs: Rungs, pairings: list[Pairing]) -> dict[str, Any]:
    """The bot's rating and those it was measured by; null where nothing anchors them."""
    ratings = {} if rungs.anchor is None else fit(pairings, anchor=rungs.anchor, elo=ANCHOR_ELO)
    own = [pairing for pairing in pairings if pairing.a == bot.identity]
    opponents = [
        {
            "name": rung.name,
            **_rated(ratings.get(rung.identity)),
            "games": pairing.games,
            "points": pairing.points,
            "wins": pairing.wins,
            "draws": pairing.draws,
            "losses": pairing.losses,
        }
        for rung, pairing in zip(rungs.entrants, own, strict=True)
    ]
    return {
        "bot": bot.name,
        **_rated(ratings.get(bot.identity)),
        "games": sum(pairing.games for pairing in own),
        "opponents": opponents,
        "identity": bot.identity,
        "anchor": None if rungs.anchor is None else {"is": rungs.anchor, "elo": ANCHOR_ELO},
        "rung_games": sum(pairing.games for pairing in pairings) - sum(p.games for p in own),
        "left_out": [{"name": name, "why": why} for name, why in rungs.left_out],
    }


def play_pair(a: Seat, b: Seat, *, seed: int, pair: int) -> Results:
    """What `a` made of both games, first as White."""
    first, second = (
        _play(white, black, opening=f"{seed}/{pair}", colour=colour)
        for colour, (white, black) in enumerate(((a, b), (b, a)))
    )
    return first, -second


class Ledger:
    """The file of finished pairs, to be added to; a line is written at once or not at all."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path

    def __enter__(self) -> "Ledger":
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            os.write(self._file, b"\n")  # what a killed run left half-written stays a line alone
        return self

    def __exit__(self, *ignored: object) -> None:
        os.close(self._file)

    def add(self, job: Job, results: Results) -> None:
        a, b, seed, pair = job.key
        entry = {"a": a, "b": b, "seed": seed, "pair": pair, "results": results}
        os.write(self._file, (json.dumps(entry) + "\n").encode())


def read_pairs(path: Path) -> dict[tuple[str, str, int, int], Results]:
    """All whole lines of the file; the first of those that speak of the same games."""
    found: dict[tuple[str, str, int, int], Results] = {}
    if path.exists():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            for key, results in _entry(line):
                found.setdefault(key, results)
    return found


def _entry(line: str) -> Iterator[tuple[tuple[str, str, int, int], Results]]:
    try:
        entry = json.loads(line)
        first, second = entry["results"]
        key = (str(entry["a"]), str(entry["b"]), int(entry["seed"]), int(entry["pair"]))
    except (ValueError, KeyError, TypeError):
        return
    if all(result in (-1, 0, 1) for result in (first, second)):
        yield key, (int(first), int(second))


def _jobs(bot: Entrant, entrants: Iterable[Entrant], options: Options) -> list[Job]:
    """The bot against all and all against their neighbours, pairing by pairing."""
    known = list(entrants)
    meetings = [(bot, rung) for rung in known] + list(zip(known[1:], known, strict=False))
    return [Job(a, b, options.seed, pair) for a, b in meetings for pair in range(options.pairs)]


def _pairings(jobs: list[Job], known: dict[tuple[str, str, int, int], Results]) -> list[Pairing]:
    counts: dict[tuple[str, str], Counter[int]] = {}
    for job in jobs:
        counts.setdefault(job.key[:2], Counter()).update(known[job.key])
    return [Pairing(a, b, n[1], n[0], n[-1]) for (a, b), n in counts.items()]


def _rated(rating: Rating | None) -> dict[str, int | None]:
    if rating is None:
        return {"elo": None, "plus_minus": None}
    return {"elo": round(rating.elo), "plus_minus": round(rating.plus_minus)}


def _played(
    jobs: list[Job], options: Options, begin_worker: Callable[[int], None] | None
) -> Iterator[tuple[Job, Results]]:
    """The jobs with their results, as they are done."""
    if not jobs:
        return
    pool = ProcessPoolExecutor(
        min(options.workers, len(jobs)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(begin_worker, os.getpid()),
    )
    try:
        futures: dict[Future[Results], Job] = {pool.submit(_run, job): job for job in jobs}
        for future in as_completed(futures):
            yield futures[future], future.result()
    except BrokenProcessPool:
        raise LadderStopped() from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_seats: dict[str, Seat] = {}
_open = ExitStack()
"""A worker's players, kept from one pair to the next of the same pairing."""


def _begin(begin_worker: Callable[[int], None] | None, parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever is asked to stop asks the workers
    os.nice(NICENESS)
    if begin_worker is not None:
        begin_worker(parent)


def _run(job: Job) -> Results:
    wanted = {entrant.identity: entrant for entrant in (job.a, job.b)}
    if _seats.keys() != wanted.keys():
        _open.close()
        _seats.clear()
        for identity, entrant in wanted.items():
            _seats[identity] = _open.enter_context(entrant.open())
    seats = [_seats[entrant.identity] for entrant in (job.a, job.b)]
    return play_pair(seats[0], seats[1], seed=job.seed, pair=job.pair)


def _play(white: Seat, black: Seat, *, opening: str, colour: int) -> int:
    """1, 0 or -1 for White."""
    game = opened(opening)
    for side, seat in (("white", white), ("black", black)):
        seat.begin(f"{opening}/{colour}/{side}")
    while (outcome := game.outcome()) == ONGOING and game.claim() == ONGOING:
        if game.ply >= LONGEST_MATCH_GAME:
            return 0
        game.play((white if game.turn == chess.WHITE else black).move(game))
    return {Result.WHITE_WINS: 1, Result.BLACK_WINS: -1}.get(outcome.result, 0)
