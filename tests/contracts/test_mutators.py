"""The faults that the mutation runner puts into sources, and how it tells what became of them."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from proofs.abi import load_artifact
from tests.contracts.mutant_bench import ROOT, Worker, compiled_of
from tests.contracts.mutant_report import answers, counted, interval, report
from tests.contracts.mutate import Entry, chosen, likely_killers, read_results, run
from tests.contracts.mutators import Mutant, mutants
from tests.contracts.rules import rules_node
from tests.contracts.rules_replay import Replay

SOURCES = Path(__file__).parents[2] / "proofs" / "contracts" / "src"


def _changes(source: str) -> set[tuple[str, str]]:
    return {(mutant.before, mutant.after) for mutant in mutants("A.sol", source)}


@pytest.mark.parametrize(
    ("source", "changes"),
    [
        ("return a <= b;", {("<=", "<")}),
        ("return !a && b;", {("!", ""), ("&&", "||")}),
        ("return x >> 10 & 255;", {(">>", "<<"), ("&", "|"), ("10", "11"), ("255", "256")}),
        ("return 0xf0;", {("0xf0", "0xf1")}),
        ("return f(true);", {("true", "false")}),
        ("{ x = y; }", {("x = y;", "{}")}),
        ("{ g.play(x); }", {("g.play(x);", "{}")}),
        ("{ mask[k] |= w; }", {("|=", "&="), ("mask[k] |= w;", "{}")}),
        ("{ if (a) revert B(x); }", {("a", "true"), ("a", "false"), ("revert B(x);", "{}")}),
        ("{ emit Moved(id); }", {("emit Moved(id);", "{}")}),
        ("{ s := shl(x, y) }", {("shl", "shr")}),
        ("{ uint256 x = y; }", set()),
        ("{ Game memory g = h; }", set()),
        ("{ uint256[8] memory g = h; }", {("8", "9")}),
        ("{ for (; x != 0; x = y) {} }", {("!=", "=="), ("0", "1")}),
        ("// a < b\n/* c + d */\n/// e == f", set()),
        ('import {A} from "./A.sol";\npragma solidity ^0.8.28;', set()),
        ("using Bitboard for uint256;", set()),
        ("tables.add(x);", set()),
    ],
)
def test_faults_of_a_line(source: str, changes: set[tuple[str, str]]) -> None:
    assert _changes(source) == changes


def test_one_bit_of_a_table_changes() -> None:
    (change,) = _changes("return 0x00112233445566778899;")
    assert len(change[1]) == len(change[0])
    assert (int(change[0], 16) ^ int(change[1], 16)).bit_count() == 1


def test_every_source_has_faults_each_in_one_place() -> None:
    for path in SOURCES.glob("*.sol"):
        source = path.read_text(encoding="utf-8")
        found = mutants(path.name, source)
        assert len({mutant.id for mutant in found}) == len(found)
        for mutant in found:
            changed = mutant.apply(source)
            assert changed != source
            line = source.splitlines()[mutant.line - 1].strip()
            assert mutant.before.splitlines()[0].strip() in line
            assert not line.startswith(("import", "pragma", "//", "using"))


def test_a_fault_keeps_its_name_while_its_function_stays() -> None:
    source = "library L {{ function f(uint x) {{ return {f}; }} function g() {{ return {g}; }} }}"
    usual = mutants("L.sol", source.format(f="x + 1", g="2"))
    moved = mutants("L.sol", "// a word\n" + source.format(f="x  +  1 /* sum */", g="20"))
    names, others = ([mutant.id for mutant in found] for found in (usual, moved))
    assert [mutant.before for mutant in usual] == ["+", "1", "2"]
    assert names[:2] == others[:2]
    assert names[2] != others[2]


def test_a_sample_is_the_same_for_the_same_seed() -> None:
    assert chosen(["Material"], 5, 1) == chosen(["Material"], 5, 1) != chosen(["Material"], 5, 2)
    assert chosen(["Material"], 5, 1) == chosen(["Material"], None, 1)[:5]
    assert {mutant.file for mutant in chosen(["Material", "Clock"], None, 1)} == {
        "Clock.sol",
        "Material.sol",
    }


def test_what_is_known_is_not_done_again(tmp_path: Path) -> None:
    results = tmp_path / "mutants.jsonl"
    todo = chosen(["Clock"], 3, 1)
    entries = [Entry(mutant.id, "killed", "a test", str(mutant)) for mutant in todo]
    results.write_text("".join(json.dumps(vars(entry)) + "\n" for entry in entries))
    assert list(run(todo, results)) == entries
    assert list(run(todo, results, again=True)) == entries


def test_the_last_line_about_a_fault_counts(tmp_path: Path) -> None:
    results = tmp_path / "mutants.jsonl"
    lines = [Entry("a", kind, "", "A.sol:1:1  x  ->  y") for kind in ("survived", "killed")]
    results.write_text("".join(json.dumps(vars(line)) + "\n" for line in lines))
    assert read_results(results) == {"a": lines[1]}
    assert read_results(tmp_path / "none") == {}


def test_tests_that_killed_neighbours_come_first() -> None:
    (mutant,) = mutants("A.sol", "\n" * 9 + "return a < b;")
    known = [
        Entry("1", "killed", "far", "A.sol:90:1  a  ->  b"),
        Entry("2", "killed", "near", "A.sol:12:1  a  ->  b"),
        Entry("3", "killed", "near", "A.sol:14:1  a  ->  b"),
        Entry("4", "survived", "", "A.sol:10:1  a  ->  b"),
        Entry("5", "killed", "elsewhere", "B.sol:10:1  a  ->  b"),
    ]
    assert likely_killers(mutant, known) == ["near", "far"]


def test_every_source_with_code_is_compiled_and_tested() -> None:
    assert compiled_of("Clock.sol") == ["Arena"]
    assert compiled_of("Bitboard.sol")[0] == "ChessRulesHarness"
    for path in SOURCES.glob("*.sol"):
        if mutants(path.name, path.read_text(encoding="utf-8")):
            assert compiled_of(path.name), path.name


# ---- telling what became of them ----


def _compile(*questions: dict[str, Any]) -> list[dict[str, Any]]:
    lines = "".join(json.dumps(question) + "\n" for question in questions)
    command = ["node", "tests/contracts/mutant_compiler.mjs"]
    done = subprocess.run(
        command, input=lines, capture_output=True, text=True, check=True, cwd=ROOT, timeout=280
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_compiler_answers_line_by_line() -> None:
    usual, none = _compile(
        {"source": "Groth16MoveVerifier", "quick": False}, {"source": "Nothing", "quick": True}
    )
    assert set(none) == {"error"}
    code = usual["artifacts"]["Groth16MoveVerifier"]["bytecode"]
    assert bytes.fromhex(code[2:]) == load_artifact("Groth16MoveVerifier").bytecode


def test_the_replay_tells_right_rules_from_wrong_ones() -> None:
    """Quickly compiled rules cost more, and are right all the same."""
    replay = Replay.recorded(positions=40)
    (answer,) = _compile({"source": "ChessRulesHarness", "quick": True})
    code = bytes.fromhex(answer["artifacts"]["ChessRulesHarness"]["deployedBytecode"][2:])
    assert code != load_artifact("ChessRulesHarness").deployed
    with rules_node() as rules:
        assert replay.holds(rules.url, code)
        assert not replay.holds(rules.url, b"\x00" + code)


SOME_TESTS: Final = """
import subprocess, time

def test_good(): pass
def test_bad(): assert 1 == 2, "they differ"
def test_worse(): raise ValueError("worse")
def test_hangs():
    subprocess.Popen(["sleep", "600"])
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    folder = tmp_path_factory.mktemp("worker")
    (folder / "test_some.py").write_text(SOME_TESTS, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    with Worker(folder, ["test_some.py"], path=ROOT) as started:
        yield started


def _named(*names: str) -> list[str]:
    return [f"test_some.py::test_{name}" for name in names]


def test_a_worker_runs_up_to_the_first_failure(worker: Worker) -> None:
    assert worker.tests == _named("good", "bad", "worse", "hangs")
    told = worker.run(_named("good", "bad", "worse"), every=False, seconds=60)
    (why,) = told["failed"].items()
    assert why[0] == "test_some.py::test_bad"
    assert "they differ" in why[1]
    assert list(told["seconds"]) == _named("good", "bad")


def test_a_worker_runs_all_if_told(worker: Worker) -> None:
    told = worker.run(_named("worse", "bad", "good"), every=True, seconds=60)
    assert list(told["failed"]) == _named("worse", "bad")
    assert list(told["seconds"]) == _named("worse", "bad", "good")


def test_a_worker_ends_what_takes_too_long(worker: Worker) -> None:
    told = worker.run(_named("hangs"), every=False, seconds=0.5)
    assert list(told["failed"]) == ["too long"]
    assert worker.run(_named("good"), every=False, seconds=60)["failed"] == {}


# ---- the page about them ----


def _mutant(id_: str, line: int) -> Mutant:
    return Mutant(id_, "A.sol", line, 5, 100 * line, 100 * line + 1, "|", "&")


def test_the_report_lists_survivors_with_their_reasons() -> None:
    population = [_mutant(name, line) for line, name in enumerate("abcdef", 1)]
    kinds = {"a": "killed", "b": "survived", "c": "same", "d": "broken", "e": "undecided"}
    page = report(population, kinds)
    assert (
        "Of 6 faults 5 were tried: 1 of 3 killed (33.3%), 1 of them undecided; 1 same, 1 broken."
        in page
    )
    assert "| A.sol | 1 | 1 | 1 | 1 | 1 | 1 | 33.3% |" in page
    assert "| A.sol:2:5 | `\\|` → `&` | not explained yet |" in page
    assert "A.sol:1:5" not in page


def test_the_report_of_all_has_no_interval() -> None:
    page = report([_mutant("a", 1)], {"a": "killed"})
    assert "1 of 1 killed (100.0%); 0 same, 0 broken.\n" in page
    assert "There is none." in page
    assert "None of them has been tried yet." in report([_mutant("a", 1)], {})


def test_the_interval_is_that_of_samples_of_each_source() -> None:
    """The first by hand: 90 / 100 ± 1.96 standard deviations, these of 92 / 104 in 104 draws.

    Where all are tried nothing is left to chance, and only the sample's share of all counts.
    """
    assert interval([(90, 100, 10**9)]) == pytest.approx((0.8386, 0.9614), abs=1e-4)
    assert interval([(90, 100, 0)]) == (0.9, 0.9)
    low, high = interval([(90, 100, 100), (100, 200, 0)]) or (0, 0)
    assert low + high == pytest.approx(2 * (0.9 + 0.5) / 2)
    assert 0 < high - low < 0.06
    assert interval([(90, 100, 0), (0, 0, 3)]) is None


def test_counts_are_told_in_a_line() -> None:
    assert counted({}) == "0 of 0 killed; 0 same, 0 broken"


def test_every_answer_says_something() -> None:
    assert all(why for why in answers().values())
