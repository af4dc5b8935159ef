"""How many small faults in the contracts do their tests notice?

    python -m tests.contracts.mutate                      all faults
    python -m tests.contracts.mutate --sample 100         a hundred of them, drawn by --seed
    python -m tests.contracts.mutate ChessRules Material  only faults in these sources
    python -m tests.contracts.mutate --again              once more those that survived
    python -m tests.contracts.mutate --replay             the rules' faults that are noticed at once
    python -m tests.contracts.mutate --report             write docs/mutants.md from what is known

Each fault is put into a copy of the sources, which is compiled and tested there (mutant_bench.py).
Results are added to a file, one JSON object a line, and what is in it is not done again; interrupt
and go on at will.  Faults are taken in an order drawn by --seed, so that those done are always a
sample of all.

    killed      a test failed, or ran for too long
    survived    no test failed
    same        the compiler made the same code of it
    broken      the compiler refused it
    undecided   a replay alone did not notice it; a campaign with tests takes it up again
"""

import argparse
import json
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.contracts.mutant_bench import ROOT, SOURCES, Bench
from tests.contracts.mutant_report import REPORT, counted, report
from tests.contracts.mutators import Mutant, mutants

RESULTS: Final = Path(".cache/mutants.jsonl")

_FIRST: Final = 12
"""So many tests that killed neighbours are tried before all others."""


@dataclass(frozen=True)
class Entry:
    """What is known of one fault, a line of the results."""

    id: str
    result: str
    by: str
    fault: str
    seconds: float = 0.0

    @property
    def file(self) -> str:
        return self.fault.partition(":")[0]

    @property
    def line(self) -> int:
        return int(self.fault.split(":")[1])


def chosen(names: Sequence[str], sample: int | None, seed: int) -> list[Mutant]:
    """The faults of these sources (default: all), or so many of them, in an order by chance."""
    files = sorted((ROOT / SOURCES).glob("*.sol"))
    files = [path for path in files if not names or path.stem in names]
    found = [m for path in files for m in mutants(path.name, path.read_text(encoding="utf-8"))]
    random.Random(seed).shuffle(found)
    return found[:sample]


def read_results(path: Path) -> dict[str, Entry]:
    """What is known, by the faults' ids; of several lines about one the last counts."""
    if not path.exists():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    return {entry.id: entry for entry in (Entry(**json.loads(line)) for line in lines)}


def likely_killers(mutant: Mutant, known: Iterable[Entry]) -> list[str]:
    """Tests that killed faults of the same source, those of the nearest lines first."""
    killed = [e for e in known if e.result == "killed" and e.file == mutant.file]
    killed.sort(key=lambda entry: abs(entry.line - mutant.line))
    return list(dict.fromkeys(entry.by for entry in killed))[:_FIRST]


def run(
    todo: Sequence[Mutant], results: Path, *, again: bool = False, replay_only: bool = False
) -> Iterator[Entry]:
    """What became of each fault, known ones first; new results are added to the file."""
    known = read_results(results)
    open_ = {"survived"} if again else set()
    open_ |= set() if replay_only else {"undecided"}
    done = {i for i, entry in known.items() if entry.result not in open_}
    yield from (known[mutant.id] for mutant in todo if mutant.id in done)
    new = [mutant for mutant in todo if mutant.id not in done]
    new.sort(key=lambda mutant: mutant.id not in known)  # what was tried before comes first
    if not new:
        return
    results.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="checkproof-") as name,
        Bench(Path(name), replay_only) as bench,
    ):
        for mutant in new:
            start = time.monotonic()
            verdict = bench.judge(mutant, likely_killers(mutant, known.values()))
            spent = round(time.monotonic() - start, 2)
            entry = Entry(mutant.id, verdict.result, verdict.by, str(mutant), spent)
            known[mutant.id] = entry
            with results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(vars(entry)) + "\n")
            yield entry


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.contracts.mutate")
    parser.add_argument("source", nargs="*", help="a source's name, such as ChessRules")
    parser.add_argument("--sample", type=int, help="only so many faults, drawn by chance")
    parser.add_argument("--seed", type=int, default=1, help="which ones, and in which order")
    parser.add_argument("--again", action="store_true", help="try those that survived again")
    parser.add_argument(
        "--replay", action="store_true", help="run no tests, only the rules' replay"
    )
    parser.add_argument("--report", action="store_true", help=f"write {REPORT}")
    parser.add_argument("--results", type=Path, default=RESULTS, help=f"default: {RESULTS}")
    options = parser.parse_args()
    if options.report:
        known = read_results(options.results)
        results = {i: entry.result for i, entry in known.items()}
        (ROOT / REPORT).write_text(report(chosen([], None, 0), results), encoding="utf-8")
        return
    for number in (signal.SIGINT, signal.SIGTERM):  # either ends the campaign, and its nodes
        signal.signal(number, lambda *_: sys.exit("interrupted"))
    counts: Counter[str] = Counter()
    todo = chosen(options.source, options.sample, options.seed)
    for entry in run(todo, options.results, again=options.again, replay_only=options.replay):
        counts[entry.result] += 1
        print(f"{entry.result:8}  {entry.fault}  {entry.by}", flush=True)
    print(counted(counts))


if __name__ == "__main__":
    main()
