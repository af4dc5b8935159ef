"""docs/mutants.md: what the tests notice, and why the rest stands."""

import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
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
    killed, tested = _share(counts)
    share = f" ({killed / tested:.1%})" if tested else ""
    open_ = f", {counts['undecided']} of them undecided" if counts.get("undecided") else ""
    return (
        f"{killed} of {tested} killed{share}{open_}; {counts.get('same', 0)} same, "
        f"{counts.get('broken', 0)} broken"
    )


def _share(counts: Mapping[str, int]) -> tuple[int, int]:
    """Faults killed, and those that could be; what is undecided counts as not killed."""
    killed = counts.get("killed", 0)
    return killed, killed + counts.get("survived", 0) + counts.get("undecided", 0)


def interval(sources: Iterable[tuple[int, int, int]]) -> tuple[float, float] | None:
    """95 % limits of the share killed among all, where each source has a sample of its own.

    `sources` are (killed, tested, not tried yet); None if one has faults and none is tested.
    Shares are Agresti's and Coull's, (killed + 2) / (tested + 4), where not all are tried.
    """
    sizes = [(killed, tested, tested + untried) for killed, tested, untried in sources]
    total = sum(size for _, _, size in sizes)
    middle = variance = 0.0
    for killed, tested, size in sizes:
        if size and not tested:
            return None
        if size > tested:
            share = (killed + 2) / (tested + 4)
            left = (size - tested) / size
            variance += (size / total) ** 2 * share * (1 - share) / (tested + 4) * left
        middle += killed / tested * size / total if size else 0.0
    width = _Z * variance**0.5
    return max(0.0, middle - width), min(1.0, middle + width)


def report(population: Sequence[Mutant], results: Mapping[str, str]) -> str:
    """The page; `results` are what became of faults, by id."""
    by_file: dict[str, Counter[str]] = defaultdict(Counter)
    for mutant in population:
        by_file[mutant.file][results.get(mutant.id, "untried")] += 1
    survivors = [mutant for mutant in population if results.get(mutant.id) == "survived"]
    survivors.sort(key=lambda mutant: (mutant.file, mutant.start, mutant.after))
    lines = [_HEAD, _summary(by_file.values()), "", _TABLE_HEAD]
    lines += [_row(file, by_file[file]) for file in sorted(by_file)]
    lines += [_row("**all**", sum(by_file.values(), Counter()))]
    lines += ["", "## What no test notices", ""]
    lines += _listed(survivors)
    return "\n".join(lines) + "\n"


def _summary(sources: Iterable[Counter[str]]) -> str:
    listed = list(sources)
    counts = sum(listed, Counter[str]())
    tried = counts.total() - counts["untried"]
    if tried == 0:
        return "None of them has been tried yet."
    said = f"Of {counts.total():,} faults {tried:,} were tried: {counted(counts)}."
    limits = interval((*_share(one), one["untried"]) for one in listed)
    if counts["untried"] and limits:
        said += (
            " Those of each source are a sample drawn by chance; of all faults between"
            f" {limits[0]:.1%} and {limits[1]:.1%} would be killed (95 %)."
        )
    return said


def _row(file: str, counts: Mapping[str, int]) -> str:
    killed, tested = _share(counts)
    share = f"{killed / tested:.1%}" if tested else "–"
    kinds = ("killed", "survived", "undecided", "same", "broken", "untried")
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
it; neither counts. What is *undecided* has been held against the rules' questions alone, and counts
as not killed.

Tests that only watch prices take no part, nor do those that make a house net's whole proof. Code is
compiled without the optimizer while tests look for a fault; one that they miss is compiled once
more as it is deployed, to see whether there is a difference at all. Rules of chess are first asked
what `test_rules_arePythonChess` asks, without python-chess at hand.
"""
_TABLE_HEAD: Final = """\
| source | killed | survived | undecided | same | broken | untried | share killed |
| --- | --- | --- | --- | --- | --- | --- | --- |"""
