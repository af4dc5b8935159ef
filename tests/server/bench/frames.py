"""A made-up server's frames, as they travel."""

import json
from dataclasses import dataclass, field
from typing import Any

from proofs.statement import next_history

GAME = "0x" + "11" * 32


def history(*indices: int) -> str:
    """The hash after these moves."""
    found = bytes.fromhex(GAME[2:])
    for index in indices:
        found = next_history(found, index)
    return "0x" + found.hex()


@dataclass
class Teller:
    """Numbers and words what it is made to tell."""

    version: int = 100
    indices: list[int] = field(default_factory=list)
    stages: list[str] = field(default_factory=list)
    result: tuple[str, str] | None = None

    def event(self, kind: str, data: dict[str, Any]) -> str:
        self.version += 1
        return json.dumps({"t": kind, "d": data, "v": self.version})

    def snapshot(self) -> str:
        """The whole game, for one who comes: no version of its own."""
        return json.dumps({"t": "full", "d": self._state(), "v": self.version})

    def full(self) -> str:
        """The whole game, for all who are there."""
        return self.event("full", self._state())

    def move(self, index: int, stage: str = "proposed") -> str:
        self.indices.append(index)
        self.stages.append(stage)
        return self.event("move", self._record(len(self.indices) - 1))

    def chain(self, ply: int, stage: str) -> str:
        if ply >= 0:
            self.stages[ply] = stage
        return self.event("chain", {"ply": ply, "stage": stage, "at": 0})

    def correction(self, ply: int, cause: str) -> str:
        return self.event("correction", {"ply": ply, "cause": cause, "message": "", "at": 0})

    def end(self, result: str, reason: str) -> str:
        self.result = result, reason
        return self.event("end", {"result": result, "reason": reason, "tx": None})

    def take_back(self, ply: int) -> None:
        del self.indices[ply:], self.stages[ply:]

    def _record(self, ply: int) -> dict[str, Any]:
        return {
            "ply": ply,
            "index": self.indices[ply],
            "history": history(*self.indices[: ply + 1]),
            "stage": self.stages[ply],
            "by": "bot" if ply % 2 else "player",
            "fen": "",
        }

    def _state(self) -> dict[str, Any]:
        result = None
        if self.result is not None:
            result = {"result": self.result[0], "reason": self.result[1]}
        return {
            "moves": [self._record(ply) for ply in range(len(self.indices))],
            "history": history(*self.indices),
            "openStage": {"stage": "verified"},
            "result": result,
            "waiting": None,
        }
