"""What an audit found."""

from dataclasses import dataclass, field
from typing import Any, Final, Literal

VERIFIED: Final = 0
FAILED: Final = 3
INCOMPLETE: Final = 4

SCHEMA: Final = "checkproof-audit/1"
"""Names the form of the JSON (docs/audit.md); a change that a reader could trip over changes it."""

DEV_SETUP: Final = "DEV SETUP: whoever ran it can forge"
"""Said of every key for which no ceremony is on record, which so far is every key."""

Mark = Literal["ok", "failed", "unchecked"]


@dataclass(frozen=True)
class Finding:
    """One check that failed or could not be decided; `ply` is None before the first move."""

    ply: int | None
    check: str
    what: str

    def __str__(self) -> str:
        where = "opening" if self.ply is None else f"ply {self.ply}"
        return f"{where}: {self.check}: {self.what}"


@dataclass
class Part:
    """What is not a move, such as a contract, a bot or the opening, and its checks."""

    subject: str
    checks: dict[str, Mark] = field(default_factory=dict)


@dataclass
class Row:
    """One move and its checks."""

    ply: int
    side: str
    by: str
    index: int
    uci: str
    san: str
    tx: str
    gas: int | None
    fen: str = ""
    """The position after the move, empty where there is none."""
    checks: dict[str, Mark] = field(default_factory=dict)


@dataclass(frozen=True)
class SideReport:
    """Who plays a colour: a player's address, or a bot's version id with its metadata."""

    kind: Literal["player", "bot", "unknown"]
    id: str
    metadata: str = ""
    circuit: Mark | None = None
    setup: str | None = None
    recomputed: str | None = None


@dataclass(frozen=True)
class Report:
    """A whole audit.  `status` says how the game stands in words."""

    game: str
    chain_id: int
    arena: str
    white: SideReport
    black: SideReport
    parts: tuple[Part, ...]
    rows: tuple[Row, ...]
    failures: tuple[Finding, ...]
    undecided: tuple[Finding, ...]
    status: str
    result: str

    @property
    def exit_code(self) -> int:
        if self.failures:
            return FAILED
        return INCOMPLETE if self.undecided else VERIFIED

    @property
    def verdict(self) -> str:
        return {VERIFIED: "verified", FAILED: "failed", INCOMPLETE: "incomplete"}[self.exit_code]

    def as_json(self) -> dict[str, Any]:
        """The report for machines."""
        return {
            "schema": SCHEMA,
            "game": self.game,
            "chainId": self.chain_id,
            "arena": self.arena,
            "verdict": self.verdict,
            "exitCode": self.exit_code,
            "status": self.status,
            "result": self.result,
            "white": vars(self.white),
            "black": vars(self.black),
            "failures": [vars(finding) for finding in self.failures],
            "undecided": [vars(finding) for finding in self.undecided],
            "parts": [vars(part) for part in self.parts],
            "moves": [vars(row) for row in self.rows],
        }


class Ledger:
    """Where checks are written down as they are made.

    A check of a ply is marked on that move's row.  All others are marked on a part: `subject`, else
    "opening" before the first move and "end" after the last.
    """

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._failures: list[Finding] = []
        self._undecided: list[Finding] = []
        self._parts: dict[str, Part] = {}

    @property
    def failures(self) -> tuple[Finding, ...]:
        """In the order of the plies."""
        return tuple(sorted(self._failures, key=_place))

    @property
    def undecided(self) -> tuple[Finding, ...]:
        """In the order of the plies."""
        return tuple(sorted(self._undecided, key=_place))

    @property
    def parts(self) -> tuple[Part, ...]:
        return tuple(self._parts.values())

    def expect(
        self, ok: bool, ply: int | None, check: str, what: str, *, subject: str | None = None
    ) -> bool:
        """Write down one check, with `what` is wrong if it failed."""
        if not ok:
            self._failures.append(Finding(ply, check, what))
        self._mark(ply, check, "ok" if ok else "failed", subject)
        return ok

    def leave(self, ply: int | None, check: str, what: str, *, subject: str | None = None) -> None:
        """Write down what could not be decided."""
        self._undecided.append(Finding(ply, check, what))
        self._mark(ply, check, "unchecked", subject)

    def _mark(self, ply: int | None, check: str, mark: Mark, subject: str | None) -> None:
        row: Row | Part | None = None
        if subject is None and ply is not None:
            row = next((row for row in reversed(self.rows) if row.ply == ply), None)
        if row is None:
            name = subject or ("opening" if ply is None else "end")
            row = self._parts.setdefault(name, Part(name))
        if _WEIGHT[mark] >= _WEIGHT[row.checks.get(check, "ok")]:
            row.checks[check] = mark


_WEIGHT: Final = {"ok": 0, "unchecked": 1, "failed": 2}


def _place(finding: Finding) -> int:
    return -1 if finding.ply is None else finding.ply
