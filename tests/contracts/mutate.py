"""How many small faults in the contracts do their tests notice?

    python -m tests.contracts.mutate                      all faults, days of work for one core
    python -m tests.contracts.mutate --sample 100         a hundred of them, drawn by --seed
    python -m tests.contracts.mutate ChessRules Material  only faults in these sources

Each fault is put into a copy of the sources, which is compiled and tested there until the first
test that fails.  Results are added to a file, one JSON object a line, and what is in it is not done
again; interrupt and go on at will.  Tests that only watch prices are left out: a fault counts as
killed if somebody could have been hurt by it.

    killed      a test failed, or ran for too long
    survived    no test failed
    same        the compiler made the same code of it
    broken      the compiler refused it
"""

import argparse
import contextlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.contracts.mutators import Mutant, mutants

ROOT: Final = Path(__file__).parents[2]
RESULTS: Final = Path(".cache/mutants.jsonl")

_SOURCES: Final = Path("proofs/contracts/src")
_ABI: Final = Path("proofs/contracts/abi")
_TESTS: Final = Path("tests/contracts")
_ROOMS: Final = ("engine", "proofs", "server", "tests")
_COMPILE_SECONDS: Final = 300.0
_TEST_SECONDS: Final = 600.0
_END_SECONDS: Final = 30.0

_RULES: Final = ("test_rules.py", "test_perft.py", "test_drawing.py", "test_shortcuts.py")
_GAMES: Final = ("test_quiet_moves.py", "test_arena_*.py")
_BOTS: Final = ("test_registry.py", "test_verifier.py", "test_ezkl_verifier.py")
_LEFT_OUT: Final = "not cheap and not Cheap and not command and not golden and not mutators"
# Warnings stop the compiler; what a fault leaves unused shall not.
_STOPS: Final = "filter((problem) => !isJustified(problem))"
_STOPS_AT_ERRORS: Final = 'filter((problem) => problem.severity === "error")'
_ENVIRONMENT: Final = {"CHECKPROOF_PERFT": "2000"}


@dataclass(frozen=True)
class Stage:
    """Contracts to compile, and the tests that use them."""

    contracts: tuple[str, ...]
    tests: tuple[str, ...]


class Bench:
    """A copy of the project to put faults into."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for room in _ROOMS:
            ignored = shutil.ignore_patterns("__pycache__", "node_modules")
            shutil.copytree(ROOT / room, folder / room, ignore=ignored)
        shutil.copy(ROOT / "pyproject.toml", folder)
        (folder / "web").symlink_to(ROOT / "web")
        self._compiler = folder / "proofs" / "contracts" / "compile.mjs"
        script = self._compiler.read_text(encoding="utf-8")
        assert script.count(_STOPS) == 1
        self._compiler.write_text(script.replace(_STOPS, _STOPS_AT_ERRORS), encoding="utf-8")

    def test(self, stages: Sequence[Stage]) -> tuple[str, str]:
        """What becomes of the sources as they are now, and the test that failed first."""
        changed = False
        for stage in stages:
            before = self._artifacts()
            if not self._compiles(stage.contracts):
                return "broken", ""
            if self._artifacts() == before:
                continue
            changed = True
            if failed := self.failing(stage.tests):
                return "killed", failed
        return ("survived" if changed else "same"), ""

    def restore(self, file: str) -> None:
        shutil.copy(ROOT / _SOURCES / file, self.folder / _SOURCES / file)
        shutil.copytree(ROOT / _ABI, self.folder / _ABI, dirs_exist_ok=True)

    def failing(self, tests: Sequence[str]) -> str:
        """The first of these tests that fails, or nothing."""
        paths = [str(p) for name in tests for p in sorted((self.folder / _TESTS).glob(name))]
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
        done, output = self._run([*command, "-k", _LEFT_OUT, *paths], _TEST_SECONDS)
        if done:
            return ""
        named = re.search(r"^(?:FAILED|ERROR) (\S+)", output, re.MULTILINE)
        return named[1] if named else "too long"

    def _compiles(self, contracts: Sequence[str]) -> bool:
        return self._run(["node", str(self._compiler), *contracts], _COMPILE_SECONDS)[0]

    def _artifacts(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (self.folder / _ABI).glob("*.json")}

    def _run(self, command: Sequence[str], seconds: float) -> tuple[bool, str]:
        """Whether a command succeeds in time, and what it said."""
        environment = {**os.environ, **_ENVIRONMENT, "PYTHONPATH": str(self.folder)}
        with tempfile.TemporaryFile() as said:
            with subprocess.Popen(
                command,
                cwd=self.folder,
                env=environment,
                stdout=said,
                stderr=subprocess.DEVNULL,
            ) as process:
                try:
                    process.wait(seconds)
                except subprocess.TimeoutExpired:
                    process.send_signal(signal.SIGINT)  # so that pytest ends its nodes
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        process.wait(_END_SECONDS)
                    process.kill()
            said.seek(0)
            return process.returncode == 0, said.read().decode(errors="replace")


def stages_of(file: str) -> list[Stage]:
    """What to compile and to run for a fault in `file`, the quickest first."""
    users = [path for path in sorted((ROOT / _SOURCES).rglob("*.sol")) if _uses(path, file)]
    names = [path.stem for path in users if f"{path.stem}.json" in _artifact_names()]
    stages = []
    if "ChessRulesHarness" in names:
        stages.append(Stage(("ChessRulesHarness",), _RULES[:3]))
    rest = tuple(name for name in names if name != "ChessRulesHarness")
    if rest:
        tests = (*_BOTS, *_GAMES) if "BotRegistry" in rest and "Arena" not in rest else ()
        stages.append(Stage(rest, tests or (*_RULES[3:], *_GAMES, *_BOTS)))
    return stages


def _artifact_names() -> set[str]:
    return {path.name for path in (ROOT / _ABI).glob("*.json")}


def _uses(path: Path, file: str) -> bool:
    """Whether a source is `file` or imports it, by however many steps."""
    if path.name == file:
        return True
    source = path.read_text(encoding="utf-8")
    lines = (line for line in source.splitlines() if line.startswith(("import", "} from")))
    imported = [line.split('"')[1] for line in lines if '"' in line]
    return any(_uses((path.parent / name).resolve(), file) for name in imported)


def chosen(names: Sequence[str], sample: int | None, seed: int) -> list[Mutant]:
    """The faults of these sources (default: all), or so many of them by chance."""
    files = sorted((ROOT / _SOURCES).glob("*.sol"))
    files = [path for path in files if not names or path.stem in names]
    found = [m for path in files for m in mutants(path.name, path.read_text(encoding="utf-8"))]
    if sample is None or sample >= len(found):
        return found
    return random.Random(seed).sample(found, sample)


def _known(results: Path) -> dict[str, str]:
    if not results.exists():
        return {}
    lines = results.read_text(encoding="utf-8").splitlines()
    return {entry["id"]: entry["result"] for entry in map(json.loads, lines)}


def _judge(bench: Bench, mutant: Mutant) -> tuple[str, str]:
    source = (ROOT / _SOURCES / mutant.file).read_text(encoding="utf-8")
    target = bench.folder / _SOURCES / mutant.file
    target.write_text(mutant.apply(source), encoding="utf-8")
    try:
        return bench.test(stages_of(mutant.file))
    finally:
        bench.restore(mutant.file)


def run(todo: Sequence[Mutant], results: Path) -> Iterator[tuple[Mutant, str]]:
    """The faults and what became of each; new results are added to the file."""
    known = _known(results)
    yield from ((mutant, known[mutant.id]) for mutant in todo if mutant.id in known)
    new = [mutant for mutant in todo if mutant.id not in known]
    if not new:
        return
    results.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="checkproof-") as name:
        bench = Bench(Path(name))
        if failed := bench.failing(_RULES + _GAMES):
            raise SystemExit(f"without any fault {failed} fails; nothing can be told then")
        for mutant in new:
            result, failed = _judge(bench, mutant)
            entry = {"id": mutant.id, "result": result, "by": failed, "fault": str(mutant)}
            with results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")
            yield mutant, result


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.contracts.mutate")
    parser.add_argument("source", nargs="*", help="a source's name, such as ChessRules")
    parser.add_argument("--sample", type=int, help="only so many faults, drawn by chance")
    parser.add_argument("--seed", type=int, default=1, help="which ones")
    parser.add_argument("--results", type=Path, default=RESULTS, help=f"default: {RESULTS}")
    options = parser.parse_args()
    counts: Counter[str] = Counter()
    todo = chosen(options.source, options.sample, options.seed)
    for mutant, result in run(todo, options.results):
        counts[result] += 1
        print(f"{result:8}  {mutant}", flush=True)
    tested = counts["killed"] + counts["survived"]
    share = f" ({counts['killed'] / tested:.1%})" if tested else ""
    print(
        f"{counts['killed']} of {tested} killed{share}; {counts['same']} same, "
        f"{counts['broken']} broken"
    )


if __name__ == "__main__":
    main()
