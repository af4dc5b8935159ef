"""What an audit found."""

from dataclasses import dataclass, field
from typing import Any, Final, Literal

VERIFIED: Final = 0
FAILED: Final = 3
INCOMPLETE: Final = 4

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
    checks: dict[str, Mark] = field(default_factory=dict)


@dataclass(frozen=True)
class SideReport:
    """Who plays a colour: a player's address, or a bot's version id with its metadata."""

    kind: Literal["player", "bot", "unknown"]
    id: str
    metadata: str = ""
    circuit: Mark | None = None
    setup: str | None = None


@dataclass(frozen=True)
class Report:
    """A whole audit.  `status` says how the game stands in words."""

    game: str
    chain_id: int
    arena: str
    white: SideReport
    black: SideReport
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
            "moves": [vars(row) for row in self.rows],
        }


class Ledger:
    """Where checks are written down as they are made."""

    def __init__(self) -> None:
        self.failures: list[Finding] = []
        self.undecided: list[Finding] = []
        self.rows: list[Row] = []

    def expect(self, ok: bool, ply: int | None, check: str, what: str) -> bool:
        """Write down one check, on its ply's row if there is one; `what` if it failed."""
        if not ok:
            self.failures.append(Finding(ply, check, what))
        self._mark(ply, check, "ok" if ok else "failed")
        return ok

    def leave(self, ply: int | None, check: str, what: str) -> None:
        """Write down what could not be decided."""
        self.undecided.append(Finding(ply, check, what))
        self._mark(ply, check, "unchecked")

    def _mark(self, ply: int | None, check: str, mark: Mark) -> None:
        row = self.rows[-1] if self.rows else None
        if row is None or row.ply != ply or row.checks.get(check) == "failed":
            return
        row.checks[check] = mark
