"""The faults that the mutation runner puts into sources."""

import json
from pathlib import Path

import pytest

from tests.contracts.mutate import chosen, run, stages_of
from tests.contracts.mutators import mutants

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


def test_a_sample_is_the_same_for_the_same_seed() -> None:
    assert chosen(["Material"], 5, 1) == chosen(["Material"], 5, 1) != chosen(["Material"], 5, 2)
    assert {mutant.file for mutant in chosen(["Material", "Clock"], None, 1)} == {
        "Clock.sol",
        "Material.sol",
    }


def test_what_is_known_is_not_done_again(tmp_path: Path) -> None:
    results = tmp_path / "mutants.jsonl"
    todo = chosen(["Clock"], 3, 1)
    lines = [{"id": mutant.id, "result": "killed", "fault": str(mutant)} for mutant in todo]
    results.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert list(run(todo, results)) == [(mutant, "killed") for mutant in todo]


def test_every_source_with_code_is_compiled_and_tested() -> None:
    assert stages_of("Clock.sol")[-1].contracts == ("Arena",)
    assert [stage.contracts[0] for stage in stages_of("Bitboard.sol")] == [
        "ChessRulesHarness",
        "Arena",
    ]
    for path in SOURCES.glob("*.sol"):
        if mutants(path.name, path.read_text(encoding="utf-8")):
            assert stages_of(path.name), path.name
