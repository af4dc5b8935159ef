"""A copy of the project to put faults into, and a quick way to tell what becomes of each.

Everything that takes long is done once: the compiler, pytest with all tests collected, and a chain
for the rules stay at hand.  A fault goes through

    1   the quick compiler (see mutant_compiler.mjs).  Same code: nobody can notice it
    2   for the rules of chess: the questions of the comparison with python-chess (rules_replay.py)
    3   the tests that killed the faults around it
    4   the compiler as it is used for what is deployed.  Same code: nobody can notice it
    5   all other tests of the contracts that changed, the quickest files first
    6   tests that watch prices among other things, with the code of step 4

Tests that only watch prices are left out: a fault counts as killed if somebody could have been hurt
by it.  A machine that is too busy fails tests too, so that only what fails twice is believed.
"""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from proofs.node import anvil_program
from tests.contracts.mutators import Mutant
from tests.contracts.rules import Rules, rules_node
from tests.contracts.rules_replay import TEST as REPLAYED
from tests.contracts.rules_replay import Replay

ROOT: Final = Path(__file__).parents[2]
SOURCES: Final = Path("proofs/contracts/src")

_ABI: Final = Path("proofs/contracts/abi")
_TESTS: Final = Path("tests/contracts")
_ROOMS: Final = ("engine", "proofs", "server", "tests")
_HARNESS: Final = "ChessRulesHarness"
_RUN_SECONDS: Final = 900.0
_END_SECONDS: Final = 30.0
_PERFT_LEAVES: Final = "2000"
_CODE_BYTES: Final = 40_000  # what the quick compiler makes is larger than a contract may be

# The tests of each compiled contract.
_TESTS_OF: Final = {
    _HARNESS: ("test_rules", "test_perft", "test_drawing", "test_start"),
    "LibraryHarness": ("test_shortcuts", "test_quiet_moves", "test_verifier"),
    "Groth16MoveVerifier": ("test_verifier", "test_registry", "test_arena_proofs"),
    "BotRegistry": ("test_registry", "test_arena_open", "test_arena_moves", "test_arena_proofs"),
    "EzklMoveVerifier": ("test_ezkl_verifier",),
    "ProofPurse": ("test_purse",),
    "Arena": ("test_arena_*", "test_quiet_moves", "test_shortcuts", "test_start"),
}
_LEFT_OUT: Final = re.compile(
    "[Cc]heap|command|golden|python_|drawing_|testPoints|perft.py::test_b"  # nothing of contracts
    "|SoLong.24576"  # nodes here allow more
    "|Pawn"  # proofs that take seconds; test_verifier.py holds the same numbers against Python's
)


@dataclass(frozen=True)
class Verdict:
    """What became of a fault."""

    result: str
    """killed, survived, same (code), broken (not accepted by the compiler), undecided."""
    by: str = ""
    """The test that killed it."""


@dataclass
class Bench:
    """Use it as a context manager; `folder` must be empty."""

    folder: Path
    replay_only: bool = False
    """No pytest: stop after step 2."""
    priced: frozenset[str] = frozenset()
    """Tests that watch prices too, and so fail with quickly compiled code."""

    def __enter__(self) -> Self:
        self._copy()
        with contextlib.ExitStack() as stack:
            self._compiler = stack.enter_context(_Lines(self._compile_command(), self.folder))
            if not self.replay_only:
                self._worker = stack.enter_context(self._started_worker())
            self._rules: Rules = stack.enter_context(rules_node())
            self._replay = Replay.recorded()
            self._prepare()
            self._open = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    # ---- one fault ----

    def judge(self, mutant: Mutant, killers: Sequence[str]) -> Verdict:
        """Whether the tests notice it; those of `killers` are run first.

        Undecided if only the replay was asked, and had nothing to say.
        """
        target = self.folder / SOURCES / mutant.file
        source = target.read_text(encoding="utf-8")
        target.write_text(mutant.apply(source), encoding="utf-8")
        try:
            changed = self._compiled(mutant.file)
            if isinstance(changed, Verdict):
                return changed
            return Verdict("undecided") if self.replay_only else self._tested(changed, killers)
        finally:
            target.write_text(source, encoding="utf-8")
            self._restore()

    def _compiled(self, file: str) -> list[str] | Verdict:
        """The contracts that have changed code and right rules for all that is known by now."""
        changed = []
        for name in compiled_of(file):
            compiled = self._compile(name)
            if compiled is None:
                return Verdict("broken")
            if compiled != self._quick[name]:
                changed.append(name)
                self._write(compiled)
            if name == _HARNESS and name in changed and not self._replays(compiled):
                return Verdict("killed", REPLAYED)
        return changed or Verdict("same")

    def _tested(self, changed: Sequence[str], killers: Sequence[str]) -> Verdict:
        tests = self._tests_of(changed)
        first = [name for name in killers if name in tests]
        if failed := self.failing(first):
            return Verdict("killed", failed)
        if self._is_the_same(changed):
            return Verdict("same")
        failed = self.failing([name for name in tests if name not in first])
        failed = failed or self._failing_as_deployed(changed)
        return Verdict("killed", failed) if failed else Verdict("survived")

    def failing(self, tests: Sequence[str]) -> str:
        """The first of these tests that fails, and fails again when it is run alone."""
        left = list(tests)
        while left:
            failed = next(iter(self._run(left)), "")
            if failed not in left:  # nothing failed, or the run came to no end
                return failed and next(iter(self._run(left)), "")
            if self._run([failed]):
                return failed
            left = left[left.index(failed) + 1 :]
        return ""

    def _failing_as_deployed(self, changed: Iterable[str]) -> str:
        """The same of the tests that watch prices too, with code as it is deployed."""
        for name in _TESTS_OF:
            compiled = self._compile(name, quick=False) if name in changed else self._usual_of(name)
            self._write(compiled or {})
        return self.failing([test for test in self._tests(changed) if test in self.priced])

    def _run(self, tests: Sequence[str], *, every: bool = False) -> dict[str, str]:
        """The tests that fail, and why: all, or the first."""
        if not tests:
            return {}
        told = self._worker.run(tests, every=every, seconds=_RUN_SECONDS)
        self._seconds |= told["seconds"]
        failed: dict[str, str] = told["failed"]
        return failed

    def _replays(self, compiled: dict[str, Any]) -> bool:
        code = compiled[_HARNESS]["deployedBytecode"]
        return self._replay.holds(self._rules.url, bytes.fromhex(code[2:]))

    def _is_the_same(self, changed: Iterable[str]) -> bool:
        """Whether the contracts are the same when compiled as they are deployed."""
        return all(self._compile(name, quick=False) == self._usual_of(name) for name in changed)

    def _usual_of(self, name: str) -> dict[str, Any]:
        files = {made: ROOT / _ABI / f"{made}.json" for made in self._quick[name]}
        return {made: json.loads(file.read_text("utf-8")) for made, file in files.items()}

    # ---- tests ----

    def _tests_of(self, contracts: Iterable[str]) -> list[str]:
        """The same but for those that watch prices."""
        return [test for test in self._tests(contracts) if test not in self.priced]

    def _tests(self, contracts: Iterable[str]) -> list[str]:
        """The tests of these contracts, the quickest files first, long ones at the end."""
        globs = [f"{_TESTS}/{glob}.py" for name in contracts for glob in _TESTS_OF[name]]
        by_file: dict[str, list[str]] = {}
        for test in self._worker.tests:
            file = test.partition("::")[0]
            if any(Path(file).match(glob) for glob in globs) and not _LEFT_OUT.search(test):
                by_file.setdefault(file, []).append(test)
        if _HARNESS in contracts:
            by_file["tests/contracts/test_rules.py"].remove(REPLAYED)
        files = sorted(by_file.values(), key=lambda tests: sum(map(self._cost, tests)))
        return sorted((test for tests in files for test in tests), key=lambda t: self._cost(t) > 1)

    def _cost(self, test: str) -> float:
        return self._seconds.get(test, 0.1)

    # ---- the copy ----

    def _copy(self) -> None:
        for room in _ROOMS:
            ignored = shutil.ignore_patterns("__pycache__", "node_modules")
            shutil.copytree(ROOT / room, self.folder / room, ignore=ignored)
        shutil.copy(ROOT / "pyproject.toml", self.folder)
        _link_all(ROOT / "web", self.folder / "web", but="node_modules")
        modules = self.folder / "web" / "node_modules"
        _link_all(ROOT / "web" / "node_modules", modules, but="@foundry-rs")
        # What the quick compiler makes may be larger than a contract may be.
        program = anvil_program()
        ours = modules / "@foundry-rs" / program.parents[1].name / "bin" / program.name
        ours.parent.mkdir(parents=True)
        ours.write_text(
            f'#!/bin/sh\nexec "{program}" --code-size-limit {_CODE_BYTES} "$@"\n', "utf-8"
        )
        ours.chmod(0o755)
        kept = ROOT / ".cache"  # keys, and what ezkl made
        if kept.exists():
            (self.folder / ".cache").symlink_to(kept)

    def _prepare(self) -> None:
        """Compile all quickly; what the tests say of that must be good."""
        self._quick: dict[str, dict[str, Any]] = {}
        self._seconds: dict[str, float] = {}
        for name in _TESTS_OF:
            compiled = self._compile(name)
            assert compiled is not None, f"{name} cannot be compiled"
            self._quick[name] = compiled
        self._restore()
        harness = self._quick[_HARNESS]
        if not self._replays(harness):
            raise SystemExit("without any fault the rules are not python-chess's")
        if self.replay_only:
            return
        failed = self._run(self._tests(_TESTS_OF), every=True)
        self.priced = frozenset(test for test, why in failed.items() if "gas" in why)
        for test in failed.keys() - self.priced:
            why = f"without any fault {test} fails ({failed[test]}); nothing can be told then"
            raise SystemExit(why)

    def _restore(self) -> None:
        for compiled in self._quick.values():
            self._write(compiled)

    def _write(self, compiled: dict[str, Any]) -> None:
        for name, artifact in compiled.items():
            path = self.folder / _ABI / f"{name}.json"
            path.write_text(json.dumps(artifact), encoding="utf-8")

    def _compile(self, source: str, *, quick: bool = True) -> dict[str, Any] | None:
        """The artifacts of a source, or None if the compiler refuses it."""
        answer = self._compiler.ask({"source": source, "quick": quick})
        if quick and "Stack too deep" in answer.get("error", ""):
            answer = self._compiler.ask({"source": source, "quick": False})
        artifacts: dict[str, Any] | None = answer.get("artifacts")
        return artifacts

    def _started_worker(self) -> "Worker":
        names = {f"{name}.py" for names in _TESTS_OF.values() for name in names}
        files = {path for name in names for path in (self.folder / _TESTS).glob(name)}
        relative = sorted(str(path.relative_to(self.folder)) for path in files)
        return Worker(self.folder, relative, path=self.folder)

    @staticmethod
    def _compile_command() -> list[str]:
        return ["node", str(_TESTS / "mutant_compiler.mjs")]


class _Lines:
    """A process that answers lines of JSON with lines of JSON."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self._process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


class Worker:
    """tests/contracts/mutant_worker.py in `folder`; `tests` are the ids that it collected.

    Its modules are those of the project at `path`.  Use it as a context manager.
    """

    def __init__(self, folder: Path, files: Sequence[str], *, path: Path) -> None:
        ours, theirs = socket.socketpair()
        program = [sys.executable, "-m", "tests.contracts.mutant_worker", str(theirs.fileno())]
        self._process = subprocess.Popen(
            [*program, *files],
            cwd=folder,
            env={**os.environ, "CHECKPROOF_PERFT": _PERFT_LEAVES, "PYTHONPATH": str(path)},
            pass_fds=[theirs.fileno()],
            stdout=subprocess.DEVNULL,
        )
        theirs.close()
        with ours:
            self._lines = ours.makefile("rw", encoding="utf-8")
        self.tests: list[str] = self._answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lines.close()  # it ends by itself
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_SECONDS)
        self._process.kill()
        self._process.wait()

    def run(self, tests: Sequence[str], *, every: bool, seconds: float) -> dict[str, Any]:
        asked = {"tests": list(tests), "all": every, "seconds": seconds}
        self._lines.write(json.dumps(asked) + "\n")
        self._lines.flush()
        told: dict[str, Any] = self._answer()
        return told

    def _answer(self) -> Any:
        line = self._lines.readline()
        assert line, "the tests cannot be collected"
        return json.loads(line)


def compiled_of(file: str) -> list[str]:
    """The contracts that have code of a source, the rules' harness first."""
    paths = {path.stem: path for path in (ROOT / SOURCES).rglob("*.sol")}
    return [name for name in _TESTS_OF if _uses(paths[name], file)]


def _uses(path: Path, file: str) -> bool:
    """Whether a source is `file` or imports it, by however many steps."""
    if path.name == file:
        return True
    imported = re.findall(r'^(?:import|} from)[^;"]*"([^"]+)"', path.read_text("utf-8"), re.M)
    return any(_uses((path.parent / name).resolve(), file) for name in imported)


def _link_all(source: Path, target: Path, *, but: str) -> None:
    """Make a folder of links to everything in another one but one thing."""
    target.mkdir(parents=True)
    for path in source.iterdir():
        if path.name != but:
            (target / path.name).symlink_to(path)
