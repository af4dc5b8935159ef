"""Two pictures as SVG: strength over constraints, and a training's way.

Drawn by hand, since one line, some dots and their errors need no library.
"""

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape

_WIDTH, _HEIGHT = 760, 460
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 30, 40, 60
_LIMITS: Final = {"pawn 2^16": 2**16, "knight 2^17": 2**17, "queen 2^19": 2**19}
_STYLE: Final = (
    "text{font:13px sans-serif;fill:#333}.small{font-size:11px;fill:#666}"
    ".axis{stroke:#999;fill:none}.grid{stroke:#ddd}.error{stroke:#2a6fb0}.dot{fill:#2a6fb0}"
    ".front{stroke:#c0392b;fill:none;stroke-dasharray:5 4}.limit{stroke:#bbb;stroke-dasharray:2 4}"
    ".loss{stroke:#2a6fb0;fill:none}.held{stroke:#c0392b;fill:none}"
    "@media(prefers-color-scheme:dark){svg{background:#1b1b1b}text{fill:#ddd}.small{fill:#aaa}"
    ".grid{stroke:#333}}"
)

Scale = Callable[[float], float]


def pareto(rows: Sequence[dict[str, Any]]) -> str:
    """Elo over constraints: dots with errors, and the line that no net lies above and left of."""
    rated = [row for row in rows if row["elo"] is not None]
    if not rated:
        raise ValueError("no net has a rating")
    low = min(row["elo"] - row["plus_minus"] for row in rated)
    high = max(row["elo"] + row["plus_minus"] for row in rated)
    costs = [row["constraints"] for row in rated]
    x = _logarithmic(min(costs) * 0.8, max(*costs, *_LIMITS.values()) * 1.2)
    y = _linear(low - 20, high + 20, _HEIGHT - _BOTTOM, _TOP)
    parts = [*_grid_y(y, low, high), *_limits(x)]
    parts.append(_path("front", _staircase(rated, x, y)))
    for row in rated:
        at = x(row["constraints"]), y(row["elo"])
        ends = y(row["elo"] - row["plus_minus"]), y(row["elo"] + row["plus_minus"])
        parts.append(_line("error", at[0], ends[0], at[0], ends[1]))
        parts.append(f'<circle class="dot" cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="4"/>')
        parts.append(_text(at[0] + 7, at[1] - 6, row["name"]))
    title = "Elo of nets (no search) over the constraints of a proof"
    return _picture(title, "constraints (logarithmic)", parts)


def training(lines: Sequence[dict[str, Any]]) -> str:
    """The loss over the steps, and that on positions held out."""
    seen = [(line["step"], line["loss"]) for line in lines if "loss" in line]
    held = [(line["step"], line["held_out"]) for line in lines if "held_out" in line]
    if len(seen) < 2:
        raise ValueError("the curve has fewer than two points")
    losses = [loss for _, loss in seen + held]
    x = _linear(0, max(step for step, _ in seen), _LEFT, _WIDTH - _RIGHT)
    y = _linear(min(losses) - 0.02, max(losses), _HEIGHT - _BOTTOM, _TOP)
    parts = [*_grid_y(y, min(losses), max(losses), step=0.1)]
    parts.append(_path("loss", [(x(step), y(loss)) for step, loss in seen]))
    parts.append(_path("held", [(x(step), y(loss)) for step, loss in held]))
    agreed = [(line["step"], line["agreement"]) for line in lines if "agreement" in line]
    for step, share in agreed[:: max(1, len(agreed) // 8)]:
        parts.append(_text(x(step) - 12, _HEIGHT - _BOTTOM - 8, f"{share:.1%}", "small"))
    title = "Loss while training (blue), on held-out positions (red), and agreement there"
    return _picture(title, "steps", parts)


def draw(sources: Sequence[Path], out: Path) -> None:
    """The picture of files of rows (.json), or of a curve (.jsonl).  Raises OSError, ValueError."""
    texts = [source.read_text("utf-8") for source in sources]
    if sources[0].suffix == ".jsonl":
        picture = training([json.loads(line) for line in texts[0].splitlines()])
    else:
        picture = pareto([row for text in texts for row in json.loads(text)["nets"]])
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(picture, "utf-8")


def _staircase(rows: Sequence[dict[str, Any]], x: Scale, y: Scale) -> list[tuple[float, float]]:
    """The corners of the front: each net that is stronger than all cheaper ones."""
    corners: list[tuple[float, float]] = []
    best = -math.inf
    for row in sorted(rows, key=lambda row: (row["constraints"], -row["elo"])):
        if row["elo"] > best:
            if corners:
                corners.append((x(row["constraints"]), corners[-1][1]))
            best = row["elo"]
            corners.append((x(row["constraints"]), y(best)))
    return corners


def _limits(x: Scale) -> list[str]:
    parts = []
    for name, limit in _LIMITS.items():
        parts.append(_line("limit", x(limit), _TOP, x(limit), _HEIGHT - _BOTTOM))
        parts.append(_text(x(limit), _HEIGHT - _BOTTOM + 16, name, "small", anchor="middle"))
    return parts


def _grid_y(y: Scale, low: float, high: float, *, step: float = 100) -> list[str]:
    parts = []
    for k in range(math.ceil(low / step), math.floor(high / step) + 1):
        parts.append(_line("grid", _LEFT, y(k * step), _WIDTH - _RIGHT, y(k * step)))
        parts.append(_text(_LEFT - 8, y(k * step) + 4, f"{k * step:g}", "small", anchor="end"))
    return parts


def _picture(title: str, below: str, parts: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">'
    axes = [(_LEFT, _TOP), (_LEFT, _HEIGHT - _BOTTOM), (_WIDTH - _RIGHT, _HEIGHT - _BOTTOM)]
    lines = [
        head,
        f"<title>{escape(title)}</title><style>{_STYLE}</style>",
        _text(_LEFT, 22, title),
        *parts,
        _path("axis", axes),
        _text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 14, below, "small", anchor="middle"),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _linear(low: float, high: float, start: float, end: float) -> Scale:
    return lambda value: start + (value - low) / (high - low) * (end - start)


def _logarithmic(low: float, high: float) -> Scale:
    line = _linear(math.log(low), math.log(high), _LEFT, _WIDTH - _RIGHT)
    return lambda value: line(math.log(value))


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _path(kind: str, points: Sequence[tuple[float, float]]) -> str:
    places = " L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return f'<path class="{kind}" d="M{places}"/>'


def _text(x: float, y: float, text: str, kind: str = "", *, anchor: str = "start") -> str:
    classed = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{classed}>{escape(text)}</text>'
