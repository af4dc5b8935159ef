"""What can go wrong in the engine.

EngineError
├── IllegalIndex     a policy index that is no legal move here
├── InvalidPosition  a board or context word that encodes no position
└── InvalidNet       a net file that is malformed or out of bounds
"""


class EngineError(Exception):
    """Base of all engine errors; str() is one clear line for a person."""


class IllegalIndex(EngineError):
    def __init__(self, index: int, fen: str) -> None:
        super().__init__(f"policy index {index} is not a legal move in {fen}")
        self.index = index
        self.fen = fen


class InvalidPosition(EngineError):
    def __init__(self, what: str) -> None:
        super().__init__(f"not a position: {what}")
        self.what = what


class InvalidNet(EngineError):
    def __init__(self, what: str) -> None:
        super().__init__(f"not a usable net: {what}")
        self.what = what
