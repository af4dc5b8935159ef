"""What can go wrong in the engine.

EngineError
├── IllegalIndex     a policy index that is no legal move here
├── InvalidDice      dice of more than 128 bits, or negative
├── InvalidPosition  a board or context word that encodes no position
├── IllegalStart     a position at which no game can begin
├── InvalidNet       a net file that is malformed or out of bounds
├── LadderStopped    a process that played on the ladder ended
├── NoFit            no ratings could be found for games that were played
├── NoLegalMove      a player was asked to move in a finished game
├── NoTrainingData   a data folder without labelled positions
├── OnnxMissing      an ONNX file is asked for, and the package onnx is not installed
├── StockfishMissing no Stockfish to label positions with
└── StockfishStopped Stockfish ended while it was needed
"""

from typing import Any


class EngineError(Exception):
    """Base of all engine errors; str() is one clear line for a person."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Workers send errors home pickled, and Exception would call __init__ with the message.
        return _rebuilt, (type(self), str(self), self.__dict__)


def _rebuilt(kind: type[EngineError], line: str, values: dict[str, Any]) -> EngineError:
    error = kind.__new__(kind, line)
    error.__dict__.update(values)
    return error


class IllegalIndex(EngineError):
    def __init__(self, index: int, fen: str) -> None:
        super().__init__(f"policy index {index} is not a legal move in {fen}")
        self.index = index
        self.fen = fen


class InvalidDice(EngineError):
    def __init__(self, dice: int) -> None:
        super().__init__(f"dice are a number of 128 bits, not {hex(dice)[:50]}")
        self.dice = dice


class InvalidPosition(EngineError):
    def __init__(self, what: str) -> None:
        super().__init__(f"not a position: {what}")
        self.what = what


class IllegalStart(EngineError):
    def __init__(self, why: str) -> None:
        super().__init__(f"no game can begin there: {why}")
        self.why = why


class InvalidNet(EngineError):
    def __init__(self, what: str) -> None:
        super().__init__(f"not a usable net: {what}")
        self.what = what


class LadderStopped(EngineError):
    def __init__(self) -> None:
        super().__init__("a process that played was ended; the games finished before are kept")


class NoFit(EngineError):
    def __init__(self, rounds: int) -> None:
        super().__init__(f"no ratings fit these games after {rounds} rounds")
        self.rounds = rounds


class NoLegalMove(EngineError):
    def __init__(self) -> None:
        super().__init__("there is no legal move to choose from")


class NoTrainingData(EngineError):
    def __init__(self, folder: str) -> None:
        super().__init__(f"no labelled positions in {folder}; make some first")
        self.folder = folder


class OnnxMissing(EngineError):
    def __init__(self) -> None:
        super().__init__("ONNX files need the package onnx: pip install 'checkproof[train]'")


class StockfishMissing(EngineError):
    def __init__(self, path: str) -> None:
        super().__init__(f"no Stockfish at {path}; install it or name its path")
        self.path = path


class StockfishStopped(EngineError):
    def __init__(self, status: int | None) -> None:
        super().__init__(f"Stockfish stopped while it was needed (status {status})")
        self.status = status
