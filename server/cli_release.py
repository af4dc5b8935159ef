"""`checkproof audit --release`: whether this installation is what the release says it is."""

from collections.abc import Callable

from rich.text import Text

from proofs.audit_report import FAILED, INCOMPLETE, VERIFIED
from proofs.release import FORMAT, Check, check_release
from server.cli_out import console, print_json, table

_SIGNS = {"ok": "✓", "failed": "✗", "unchecked": "?"}
_COLOURS = {"ok": "green", "failed": "bold red", "unchecked": "yellow"}


def run_release(*, as_json: bool, say: Callable[[str], None]) -> int:
    """Check, print and return the exit code.  Raises ProofError."""
    checks = check_release(say)
    marks = {check.mark for check in checks}
    code = FAILED if "failed" in marks else INCOMPLETE if "unchecked" in marks else VERIFIED
    if as_json:
        print_json({"format": FORMAT, "exitCode": code, "checks": [c._asdict() for c in checks]})
    else:
        console().print(table(("check", "of", "", "what"), map(_row, checks)))
    return code


def _row(check: Check) -> tuple[str | Text, ...]:
    sign = Text(_SIGNS[check.mark], style=_COLOURS[check.mark])
    return (check.check, check.subject, sign, check.what)
