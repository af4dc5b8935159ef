"""How `checkproof audit` writes what came out: a table, JSON, NDJSON, a page of HTML."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from rich.text import Text

from proofs.audit_report import FAILED, INCOMPLETE, SCHEMA, VERIFIED, Part, Report, Row, SideReport
from server.cli_out import console, print_json, printable, table

Form = Literal["table", "json", "ndjson"]

SCHEMA_OF_MANY: Final = "checkproof-audits/1"
_COLOURS: Final = {"verified": "bold green", "failed": "bold red", "incomplete": "bold yellow"}
_SIGNS: Final = {"ok": "✓", "failed": "✗", "unchecked": "?"}


class Output:
    """Takes reports one by one; `close` ends the output and gives the exit code.

    `about` is said of the audit as a whole: where it read, and which programs verified proofs.
    """

    def __init__(
        self, form: Form, *, many: bool, about: dict[str, Any], html: Path | None = None
    ) -> None:
        self._form = form
        self._many = many
        self._about = about
        self._html = html
        self._kept: list[Report] = []
        self._codes: Counter[int] = Counter()

    def take(self, report: Report) -> None:
        self._codes[report.exit_code] += 1
        if self._form == "ndjson":
            for line in _lines(report):
                print(json.dumps(line), flush=True)
        elif self._form == "table" and not self._many:
            _print_report(report, from_file=self._about["source"] == "file")
        if self._html is not None or self._many or self._form == "json":
            self._kept.append(report)

    def close(self) -> int:
        """Write what is left to write.  Raises OSError."""
        code = exit_code(self._codes)
        if self._html is not None:
            from proofs.audit_html import page  # noqa: PLC0415  its pieces are large

            # a saved game may hold what no encoding can write
            self._html.write_text(page(self._kept), encoding="utf-8", errors="replace")
        if self._form == "ndjson":
            print(json.dumps({"type": "audit", **self._summary(code)}))
        elif self._form == "json" and self._many:
            games = [report.as_json() for report in self._kept]
            print_json({"schema": SCHEMA_OF_MANY, **self._summary(code), "games": games})
        elif self._form == "json":
            print_json({**self._kept[0].as_json(), **self._about})
        elif self._many:
            _print_many(self._kept)
        return code

    def _summary(self, code: int) -> dict[str, Any]:
        words = {"verified": VERIFIED, "failed": FAILED, "incomplete": INCOMPLETE}
        counts = {word: self._codes[number] for word, number in words.items()}
        verdict = next(word for word, number in words.items() if number == code)
        return {"verdict": verdict, "exitCode": code, **counts, **self._about}


def exit_code(codes: Iterable[int]) -> int:
    """That of an audit whose games have these: a failure counts more than what is undecided."""
    found = {code for code in codes if not isinstance(codes, Counter) or codes[code]}
    return FAILED if FAILED in found else INCOMPLETE if INCOMPLETE in found else VERIFIED


def _lines(report: Report) -> Iterable[dict[str, Any]]:
    """A report as lines: parts and moves with their checks, findings, then the game."""
    whole = report.as_json()
    kinds = {"parts": "part", "moves": "move", "failures": "failure", "undecided": "undecided"}
    for key, kind in kinds.items():
        for item in whole.pop(key):
            yield {"type": kind, "game": report.game, **item}
    yield {"type": "game", **whole, "schema": SCHEMA}


def _print_report(report: Report, *, from_file: bool) -> None:
    out = console()
    out.print(Text(f"game   {report.game}"))
    out.print(Text(f"arena  {report.arena} on chain {report.chain_id}"))
    out.print(Text(f"white  {_side(report.white)}"))
    out.print(Text(f"black  {_side(report.black)}"))
    out.print(table(("part", "checks"), map(_part, report.parts)))
    out.print(table(("ply", "side", "move", "by", "checks", "gas", "tx"), map(_row, report.rows)))
    if from_file:
        out.print(Text("read from a file: blocks, transactions, times and gas are what it says"))
    for setup in sorted({s.setup for s in (report.white, report.black) if s.setup}):
        out.print(Text(setup, style="bold yellow"))
    _print_findings([report])
    proofs = _proofs(report)
    counts = f"{len(report.rows)} moves, {proofs} proofs hold"
    out.print(_verdict(report), Text(f"{report.result} ({report.status}); {counts}"))


def _print_many(reports: Sequence[Report]) -> None:
    out = console()
    columns = ("game", "moves", "proofs", "result", "end", "verdict")
    out.print(table(columns, map(_game, reports)))
    for setup in sorted({s.setup for r in reports for s in (r.white, r.black) if s.setup}):
        out.print(Text(setup, style="bold yellow"))
    _print_findings(reports)
    counts = Counter(report.verdict for report in reports)
    told = ", ".join(f"{count} {word}" for word, count in counts.items())
    games = "1 game" if len(reports) == 1 else f"{len(reports)} games"
    out.print(Text(f"{games}: {told or 'nothing to check'}"))


def _print_findings(reports: Sequence[Report]) -> None:
    out = console()
    for report in reports:
        game = f"{report.game[:10]} " if len(reports) > 1 else ""
        for finding in report.failures:
            out.print(Text(printable(f"FAILED     {game}{finding}"), style="red"))
        for finding in report.undecided:
            out.print(Text(printable(f"undecided  {game}{finding}"), style="yellow"))


def _game(report: Report) -> tuple[str | Text, ...]:
    counts = (str(len(report.rows)), str(_proofs(report)))
    return (report.game, *counts, report.result, report.status, _verdict(report))


def _verdict(report: Report) -> Text:
    return Text(report.verdict.upper(), style=_COLOURS[report.verdict])


def _proofs(report: Report) -> int:
    return sum(row.checks.get("proof") == "ok" for row in report.rows)


def _part(part: Part) -> tuple[str | Text, ...]:
    return (part.subject, _checks(part))


def _row(row: Row) -> tuple[str | Text, ...]:
    gas = "" if row.gas is None else f"{row.gas:,}"
    move = row.san or f"#{row.index}"
    return (str(row.ply), row.side, move, row.by, _checks(row), gas, row.tx[:10])


def _checks(of: Part | Row) -> Text:
    groups = {mark: [c for c, m in of.checks.items() if m == mark] for mark in _SIGNS}
    checks = Text()
    for mark, style in (("failed", "bold red"), ("unchecked", "yellow"), ("ok", "green")):
        if groups[mark]:
            checks.append(f"{_SIGNS[mark]} {', '.join(groups[mark])}  ", style=style)
    return checks


def _side(side: SideReport) -> str:
    if side.kind == "bot":
        circuit = f", circuit {side.circuit}" if side.circuit else ""
        recomputed = f", {side.recomputed}" if side.recomputed else ""
        return printable(f"bot {side.id} {side.metadata}{circuit}{recomputed}")
    return f"{side.kind} {side.id}"
