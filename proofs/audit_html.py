"""A report as one page of HTML: boards as SVG, no script, nothing fetched.

Every text that is not ours (a bot's metadata, what a check says of it) is escaped.
"""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

import chess
import chess.svg

from proofs.audit_report import Finding, Mark, Part, Report, Row, SideReport

_SIGNS: Final[dict[Mark, str]] = {"ok": "✓", "failed": "✗", "unchecked": "?"}
_SQUARE: Final = 45
"""The side of a piece's drawing in chess.svg."""

_STYLE: Final = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif;
  --good: #1a7f37; --bad: #d1242f; --open: #9a6700; }
body { max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; }
h2 { font-size: 1.15rem; overflow-wrap: anywhere; }
.verified, .ok { color: var(--good); }
.failed { color: var(--bad); }
.incomplete, .unchecked { color: var(--open); }
table { border-collapse: collapse; }
td, th { padding: .1rem .8rem .1rem 0; text-align: left; vertical-align: top;
  overflow-wrap: anywhere; }
.boards { display: grid; gap: 1rem; padding: 0; list-style: none;
  grid-template-columns: repeat(auto-fill, minmax(10rem, 1fr)); }
.boards figure { margin: 0; }
figcaption { font-size: .85rem; }
svg.board { width: 100%; height: auto; }
@media (prefers-color-scheme: dark) {
  :root { --good: #3fb950; --bad: #f85149; --open: #d29922; }
}
"""


def page(reports: Sequence[Report]) -> str:
    """The whole page."""
    counts = {word: sum(r.verdict == word for r in reports) for word in _WORDS}
    summary = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    title = f"Audit of {len(reports)} game{'' if len(reports) == 1 else 's'}"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">"
        f"<title>{title}</title><style>{_STYLE}</style></head><body>"
        f"{_pieces()}<h1>{title}: {summary or 'nothing to check'}</h1>"
        f"{''.join(map(_game, reports))}</body></html>\n"
    )


_WORDS: Final = ("verified", "failed", "incomplete")


def _game(report: Report) -> str:
    return (
        f'<section><h2>{escape(report.game)}</h2><p><strong class="{report.verdict}">'
        f"{report.verdict.upper()}</strong> {escape(report.result)} ({escape(report.status)}), "
        f"{len(report.rows)} moves. Arena {escape(report.arena)} on chain {report.chain_id}.</p>"
        f"<p>White: {_side(report.white)}<br/>Black: {_side(report.black)}</p>"
        f"{_findings('Failed', 'failed', report.failures)}"
        f"{_findings('Undecided', 'unchecked', report.undecided)}"
        f"<table><tr><th>part</th><th>checks</th></tr>{''.join(map(_part, report.parts))}</table>"
        f'<ol class="boards">{"".join(_boards(report))}</ol></section>'
    )


def _side(side: SideReport) -> str:
    told = [side.kind, side.id, side.metadata, side.setup or ""]
    return escape(" ".join(text for text in told if text))


def _findings(title: str, kind: str, findings: Iterable[Finding]) -> str:
    items = "".join(f'<li class="{kind}">{escape(str(finding))}</li>' for finding in findings)
    return f"<h3>{title}</h3><ul>{items}</ul>" if items else ""


def _part(part: Part) -> str:
    return f"<tr><td>{escape(part.subject)}</td><td>{_checks(part)}</td></tr>"


def _checks(part: Part | Row) -> str:
    return " ".join(
        f'<span class="{mark}">{_SIGNS[mark]} {escape(check)}</span>'
        for check, mark in part.checks.items()
    )


def _boards(report: Report) -> Iterable[str]:
    """A board after each move; none where the report has no position."""
    for row in report.rows:
        if not row.fen:
            continue
        number = f"{row.ply // 2 + 1}{'.' if row.side == 'white' else '...'}"
        text = f"ply {row.ply}: {number} {row.san} by the {row.by}"
        yield (
            f'<li id="{report.game}-{row.ply}"><figure>{_board(row)}'
            f"<figcaption><strong>{escape(text)}</strong><br/>{_checks(row)}</figcaption>"
            "</figure></li>"
        )


def _board(row: Row) -> str:
    board = chess.Board(row.fen)
    move = chess.Move.from_uci(row.uci)
    marked = "".join(_square(square, "#cdd26a") for square in (move.from_square, move.to_square))
    men = "".join(
        f'<use href="#{_name(piece)}" x="{_x(square)}" y="{_y(square)}"/>'
        for square, piece in board.piece_map().items()
    )
    label = escape(f"the board after {row.san}: {row.fen}")
    size = 8 * _SQUARE
    return (
        f'<svg class="board" viewBox="0 0 {size} {size}" role="img" aria-label="{label}">'
        f'<use href="#squares"/>{marked}{men}</svg>'
    )


def _pieces() -> str:
    """What all boards share: the squares, and chess.svg's pieces."""
    dark = "".join(
        _square(
            square, "#b58863" if chess.BB_SQUARES[square] & chess.BB_DARK_SQUARES else "#f0d9b5"
        )
        for square in chess.SQUARES
    )
    return (
        '<svg width="0" height="0" aria-hidden="true"><defs>'
        f'<g id="squares">{dark}</g>{"".join(chess.svg.PIECES.values())}</defs></svg>'
    )


def _square(square: int, colour: str) -> str:
    place = f'x="{_x(square)}" y="{_y(square)}"'
    return f'<rect {place} width="{_SQUARE}" height="{_SQUARE}" fill="{colour}"/>'


def _x(square: int) -> int:
    return chess.square_file(square) * _SQUARE


def _y(square: int) -> int:
    return (7 - chess.square_rank(square)) * _SQUARE


def _name(piece: chess.Piece) -> str:
    return f"{chess.COLOR_NAMES[piece.color]}-{chess.PIECE_NAMES[piece.piece_type]}"
