"""A game in words and figurines: what `checkproof watch` writes.

Names and reasons come from strangers: they become text, without what a terminal would obey.
"""

from typing import Final

import chess
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from server import messages as m
from server.cli_out import printable
from server.view import View

MOVES_SHOWN: Final = 10

_FIGURINES: Final = dict(zip("KQRBNPkqrbnp", "♔♕♖♗♘♙♚♛♜♝♞♟", strict=True))
# On coloured squares both sides wear the full figurine: the outlines are too thin to be seen.
_FULL: Final = dict(zip("KQRBNP", "♚♛♜♝♞♟", strict=True))
_DARK, _LIGHT, _LAST_DARK, _LAST_LIGHT = "#6f8a99", "#9fb4c0", "#a59a4c", "#c4b968"
_STAGES: Final = {
    "proposed": "yellow",
    "queued": "yellow",
    "proving": "cyan",
    "proved": "cyan",
    "submitted": "blue",
    "verified": "green",
    "rejected": "bold red",
}


# --- lines --------------------------------------------------------------------------------------


def line_of(event: m.GameEvent, view: View) -> str | None:  # noqa: PLR0911  one a kind
    """One event as a line for a log; None for what needs none."""
    match event:
        case m.FullEvent(d=d):
            return headline(d)
        case m.MoveEvent(d=d):
            return f"{name_of(d):<14}{d.by} plays"
        case m.ProofEvent(d=d):
            is_told_soon = d.stage == "queued" and d.queue_position is None
            return None if is_told_soon else f"{_named(view, d.ply):<14}{_proof(d)}"
        case m.ChainEvent(d=d):
            is_told_soon = d.stage == "submitted" and d.tx is None and d.reason is None
            return None if is_told_soon else f"{_named(view, d.ply):<14}{_chain(d)}"
        case m.EndEvent(d=d):
            return f"ended: {d.result}, {d.reason}"
        case m.CorrectionEvent(d=d):
            return f"CORRECTED from {_named(view, d.ply)} on: {printable(d.message)}"
        case m.WaitingEvent(d=d):
            return "goes on" if d.reason is None else f"waits: {printable(d.reason)}"
        case _:
            return None


def headline(told: m.Snapshot) -> str:
    verified = sum(move.stage == "verified" for move in told.moves)
    moves = f"{len(told.moves)} moves, {verified} verified"
    result = f", {told.result.result} {told.result.reason}" if told.result else ""
    return f"game {told.game}: {side_name(told.white)} – {side_name(told.black)}, {moves}{result}"


def side_name(side: m.Side) -> str:
    if isinstance(side, m.BotSide):
        return f"bot {printable(side.name)}"
    return f"{side.address[:8]}…{side.address[-4:]}"


def name_of(move: m.MoveRecord) -> str:
    """Such as 3. Nf3, or 3... Nc6."""
    dots = "." if move.color == "white" else "..."
    return f"{move.ply // 2 + 1}{dots} {printable(move.san)}"


def _named(view: View, ply: int) -> str:
    if ply < 0:
        return "opening"
    move = view.at(ply)
    return f"ply {ply}" if move is None else name_of(move)


def _proof(data: m.ProofData | m.MoveRecord) -> str:
    if data.stage == "queued":
        place = "" if data.queue_position is None else f", place {data.queue_position}"
        return f"queued{place}{_about(data.wait_seconds)}"
    if data.stage == "proving":
        return f"proving{_about(data.wait_seconds)}"
    took = "" if data.prove_seconds is None else f" in {data.prove_seconds:.1f} s"
    return f"proved{took}"


def _about(seconds: float | None) -> str:
    return "" if seconds is None else f", about {max(1, round(seconds))} s"


def _chain(data: m.ChainData) -> str:
    if data.stage == "verified":
        gas = "" if data.gas is None else f", {data.gas:,} gas"
        return f"verified{gas}, {data.tx or ''}".rstrip(", ")
    why = f", {data.tx}" if data.reason is None else f": {printable(data.reason)}"
    return f"{data.stage}{why}" if data.tx or data.reason else data.stage


# --- the screen ---------------------------------------------------------------------------------


def screen(view: View, *, now: float, notes: list[str], is_coloured: bool) -> RenderableType:
    """The whole game as it stands at unix time `now`; `notes` are the last words about it."""
    told = view.snapshot
    if told is None:
        return Text("looking for the game")
    table = Table.grid(padding=(0, 3))
    table.add_row(_with_sides(told, view, now, is_coloured=is_coloured), _moves(view))
    head = Text(f"game {told.game}", style="dim", overflow="ellipsis", no_wrap=True)
    below = [Text(printable(line), style=style) for line, style in _below(told, view, notes)]
    return Group(head, table, *below)


def _with_sides(told: m.Snapshot, view: View, now: float, *, is_coloured: bool) -> Group:
    return Group(
        _side_line(told.black, "black", view, now),
        board(view, is_coloured=is_coloured),
        _side_line(told.white, "white", view, now),
    )


def _side_line(side: m.Side, color: m.Color, view: View, now: float) -> Text:
    left = clock_left(view, color, now)
    is_running = view.clocks is not None and view.clocks.running == color and view.end is None
    line = Text(f"{side_name(side):<18.18}", style="bold")
    style = "bold red" if left < 20 else "bold" if is_running else "dim"
    return line.append(f"{'▸' if is_running else ' '}{_clock(left):>7}", style=style)


def clock_left(view: View, color: m.Color, now: float) -> float:
    """Seconds left at unix time `now`; the contract charges what is beyond the delay."""
    clocks = view.clocks
    if clocks is None:
        return 0.0
    left = clocks.white if color == "white" else clocks.black
    if clocks.running != color or view.end is not None or not view.is_open:
        return left
    delay = view.snapshot.clock.delay_seconds if view.snapshot else 0
    return max(0.0, left - max(0.0, now - clocks.at - delay))


def _clock(seconds: float) -> str:
    whole = int(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def board(view: View, *, is_coloured: bool) -> Text:
    """Eight ranks, white below, the last move's squares marked."""
    position = chess.Board(view.fen)
    last = chess.Move.from_uci(view.moves[-1].uci) if view.moves else None
    marked = {last.from_square, last.to_square} if last else set()
    text = Text()
    for rank in range(7, -1, -1):
        text.append(f"{rank + 1} ", style="dim")
        for file in range(8):
            square = chess.square(file, rank)
            piece, is_marked = position.piece_at(square), square in marked
            if is_coloured:
                _paint(text, piece, is_light=(file + rank) % 2 == 1, is_marked=is_marked)
            else:
                shown = _FIGURINES[piece.symbol()] if piece else "·"
                text.append(f"{shown}{'<' if is_marked and piece else ' '}")
        text.append("\n")
    step = "  " if is_coloured else " "
    return text.append("   " if is_coloured else "  ").append(step.join("abcdefgh"), style="dim")


def _paint(text: Text, piece: chess.Piece | None, *, is_light: bool, is_marked: bool) -> None:
    light, dark = (_LAST_LIGHT, _LAST_DARK) if is_marked else (_LIGHT, _DARK)
    ink = "#ffffff" if piece and piece.color == chess.WHITE else "#000000"
    symbol = _FULL[piece.symbol().upper()] if piece else " "
    text.append(f" {symbol} ", style=f"{ink} on {light if is_light else dark}")


def _moves(view: View) -> Table:
    table = Table.grid(padding=(0, 2))
    hidden = max(0, len(view.moves) - MOVES_SHOWN)
    if hidden:
        table.add_row(Text(f"{hidden} earlier", style="dim"))
    for move in view.moves[hidden:]:
        style = _STAGES[move.stage]
        table.add_row(Text(name_of(move)), Text(stage_of(move), style=style))
    return table


def stage_of(move: m.MoveRecord) -> str:
    """How far a ply came, in a few words."""
    if move.stage in ("queued", "proving"):
        return _proof(move)
    words: list[str] = [move.stage]
    if move.reason is not None:
        words.append(printable(move.reason))
    if move.stage == "verified" and move.prove_seconds is not None:
        words.append(f"proof {move.prove_seconds:.1f} s")
    if move.stage == "verified" and move.gas is not None:
        words.append(f"{move.gas:,} gas")
    return ", ".join(words)


def _below(told: m.Snapshot, view: View, notes: list[str]) -> list[tuple[str, str]]:
    lines = [(state_of(told, view), "bold")]
    if view.waiting is not None:
        lines.append((f"waits: {view.waiting}", "yellow"))
    for away in told.away[-2:]:
        seconds = away.until - away.since
        lines.append((f"the arena was away for {seconds:.0f} s; the clocks ran on", "yellow"))
    for told_of in view.corrections[-3:]:
        at = _named(view, told_of.ply)
        lines.append((f"corrected from {at} on: {told_of.message}", "magenta"))
    lines += [(note, "dim") for note in notes]
    look_on = "1 looks on" if view.spectators == 1 else f"{view.spectators} look on"
    return [*lines, (look_on, "dim")]


def state_of(told: m.Snapshot, view: View) -> str:
    """Who is to move, or how it ended."""
    if view.end is not None:
        return f"{view.end.result}  {view.end.reason}"
    if view.opening is not None and view.opening.stage == "rejected":
        return "the contract did not take the opening"
    if not view.is_open:
        return "the opening is on its way to the chain"
    white_moves = view.next % 2 == 0
    side = told.white if white_moves else told.black
    return f"{'white' if white_moves else 'black'} to move ({side_name(side)})"
