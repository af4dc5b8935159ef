"""docs/mutants.md: what the tests notice, and why the rest stands."""

import tomllib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.contracts.mutators import Mutant

REPORT: Final = Path("docs/mutants.md")
ANSWERS: Final = Path(__file__).with_name("mutants.toml")

_NOT_ANSWERED: Final = "not explained yet"
_Z: Final = 1.96  # 95 % of a normal distribution


def answers(path: Path = ANSWERS) -> dict[str, str]:
    """Why faults may survive, by id.  The file: [[answer]] with `why` and `ids`."""
    listed = tomllib.loads(path.read_text(encoding="utf-8"))["answer"]
    return {name: " ".join(one["why"].split()) for one in listed for name in one["ids"]}


def counted(counts: Mapping[str, int]) -> str:
    """A line about so many faults of each kind."""
    tested = counts.get("killed", 0) + counts.get("survived", 0)
    share = f" ({counts.get('killed', 0) / tested:.1%})" if tested else ""
    return (
        f"{counts.get('killed', 0)} of {tested} killed{share}; {counts.get('same', 0)} same, "
        f"{counts.get('broken', 0)} broken"
    )


def interval(hits: int, tried: int) -> tuple[float, float]:
    """Wilson's interval of 95 % for a share of which `hits` of `tried` were seen."""
    share, square = hits / tried, _Z * _Z / tried
    middle = (share + square / 2) / (1 + square)
    width = _Z * (share * (1 - share) / tried + square / tried / 4) ** 0.5 / (1 + square)
    return middle - width, middle + width


def report(population: Sequence[Mutant], results: Mapping[str, tuple[str, str]]) -> str:
    """The page; `results` are the verdict and the killing test by the fault's id."""
    known = [mutant for mutant in population if mutant.id in results]
    counts = Counter(results[mutant.id][0] for mutant in known)
    by_file: dict[str, Counter[str]] = defaultdict(Counter)
    for mutant in population:
        by_file[mutant.file][results.get(mutant.id, ("untried", ""))[0]] += 1
    survivors = [mutant for mutant in known if results[mutant.id][0] == "survived"]
    survivors.sort(key=lambda mutant: (mutant.file, mutant.start, mutant.after))
    lines = [_HEAD, _summary(len(population), len(known), counts), "", _TABLE_HEAD]
    lines += [_row(file, by_file[file]) for file in sorted(by_file)]
    lines += [_row("**all**", counts + Counter(untried=len(population) - len(known)))]
    lines += ["", "## What no test notices", ""]
    lines += _listed(survivors)
    return "\n".join(lines) + "\n"


def _summary(population: int, tried: int, counts: Mapping[str, int]) -> str:
    if tried == 0:
        return "None of them has been tried yet."
    tested = counts.get("killed", 0) + counts.get("survived", 0)
    said = f"Of {population:,} faults {tried:,} were tried: {counted(counts)}."
    if tried < population and tested:
        low, high = interval(counts.get("killed", 0), tested)
        said += (
            " They are a sample drawn by chance; of all faults between"
            f" {low:.1%} and {high:.1%} would be killed (Wilson's interval of 95 %)."
        )
    return said


def _row(file: str, counts: Mapping[str, int]) -> str:
    tested = counts.get("killed", 0) + counts.get("survived", 0)
    share = f"{counts.get('killed', 0) / tested:.1%}" if tested else "–"
    kinds = ("killed", "survived", "same", "broken", "untried")
    cells = [file, *(str(counts.get(kind, 0)) for kind in kinds), share]
    return f"| {' | '.join(cells)} |"


def _listed(survivors: Sequence[Mutant]) -> list[str]:
    if not survivors:
        return ["There is none."]
    why = answers()
    rows = ["| place | fault | why it may stand |", "| --- | --- | --- |"]
    for mutant in survivors:
        before, after = _code(mutant.before), _code(mutant.after or "nothing")
        place = f"{mutant.file}:{mutant.line}:{mutant.column}"
        rows.append(f"| {place} | {before} → {after} | {why.get(mutant.id, _NOT_ANSWERED)} |")
    return rows


def _code(text: str) -> str:
    short = " ".join(text.split())
    return "`" + (short[:57] + "..." if len(short) > 60 else short).replace("|", "\\|") + "`"


_HEAD: Final = """# Faults in the contracts that their tests notice

Written by `python -m tests.contracts.mutate --report`. A campaign puts one small fault at a time
into the contracts' sources: another operator, a number one higher, a bit of a table, a condition
that is always true or false, a statement left out. A fault is *killed* when a test fails twice. It
is the *same* when the compiler makes the same code of it, and *broken* when the compiler refuses
it; neither counts.

Tests that only watch prices take no part, nor do those that make a house net's whole proof. Code is
compiled without the optimizer while tests look for a fault; one that they miss is compiled once
more as it is deployed, to see whether there is a difference at all. Rules of chess are first asked
what `test_rules_arePythonChess` asks, without python-chess at hand.
"""
_TABLE_HEAD: Final = """| source | killed | survived | same | broken | untried | share killed |
| --- | --- | --- | --- | --- | --- | --- |"""
