"""A Stockfish process that scores the best moves of a position."""

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Final

import chess

from engine.errors import StockfishMissing, StockfishStopped

DEFAULT_PATH: Final = "/usr/games/stockfish"  # where Debian puts it, outside most people's PATH
MATE_SCORE: Final = 30_000


@dataclass(frozen=True)
class Scored:
    """A move and its score in centipawns for the mover; mate in n is ±(30,000 - n)."""

    move: chess.Move
    score: int


class Stockfish:
    """One engine on one thread with a fixed node budget, so that its answers repeat."""

    def __init__(
        self,
        *,
        nodes: int,
        lines: int = 1,
        path: str | None = None,
        options: Mapping[str, str] | None = None,
    ) -> None:
        """Start the engine; `options` are set as UCI's.  Raises StockfishMissing."""
        found = find_stockfish(path)
        self._nodes = nodes
        self._process = subprocess.Popen(
            [found], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._send("uci", "setoption name Threads value 1", "setoption name Hash value 16")
        self._send(f"setoption name MultiPV value {lines}")
        for name, value in (options or {}).items():
            self._send(f"setoption name {name} value {value}")
        self.new_game()

    def __enter__(self) -> "Stockfish":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def new_game(self) -> None:
        """Forget everything, so that answers do not depend on earlier games."""
        self._send("ucinewgame", "isready")
        while self._line() != "readyok":
            pass

    def best_moves(self, board: chess.Board) -> list[Scored]:
        """The best moves, best first; empty if there is no legal move."""
        self._send(f"position fen {board.fen()}", f"go nodes {self._nodes}")
        best: dict[int, Scored] = {}
        while not (line := self._line()).startswith("bestmove"):
            words = line.split()
            if "pv" in words and "multipv" in words:
                best[int(words[words.index("multipv") + 1])] = _scored(words)
        return sorted(best.values(), key=lambda scored: -scored.score)

    def play(self, board: chess.Board) -> chess.Move:
        """The move it plays, knowing the moves before.  Raises StockfishStopped."""
        moves = " ".join(move.uci() for move in board.move_stack)
        self._send(f"position fen {board.root().fen()} moves {moves}", f"go nodes {self._nodes}")
        while not (line := self._line()).startswith("bestmove"):
            pass
        return chess.Move.from_uci(line.split()[1])

    def _send(self, *lines: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write("\n".join(lines) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise StockfishStopped(self._process.poll()) from None

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise StockfishStopped(self._process.poll())
        return line.strip()


def find_stockfish(path: str | None) -> str:
    """The engine at `path`, or the one installed.  Raises StockfishMissing."""
    wanted = path or shutil.which("stockfish") or DEFAULT_PATH
    found = shutil.which(wanted)
    if found is None:
        raise StockfishMissing(wanted)
    return found


def stockfish_name(path: str | None) -> str:
    """What the engine calls itself, such as "Stockfish 15.1".  Raises StockfishMissing."""
    found = find_stockfish(path)
    try:
        said = subprocess.run(
            [found], input="uci\nquit\n", capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        raise StockfishMissing(found) from None
    names = [line for line in said.stdout.splitlines() if line.startswith("id name ")]
    if not names:
        raise StockfishStopped(said.returncode)
    return names[0].removeprefix("id name ").strip()


def _scored(words: list[str]) -> Scored:
    """Read `info .. score (cp|mate) N .. pv MOVE ..`."""
    at = words.index("score")
    value = int(words[at + 2])
    if words[at + 1] == "mate":
        value = MATE_SCORE - value if value > 0 else -MATE_SCORE - value
    return Scored(chess.Move.from_uci(words[words.index("pv") + 1]), value)
