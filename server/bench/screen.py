"""What one reader of a game was shown, over all its connections: what the judge goes by.

It knows the protocol by its own lights (docs/protocol.md) and shares no code with the server or
its client, so that a mistake there is not made again here.

    screen.connect(since)   a connection begins, with ?v=since or without
    screen.frame(wire)      one event came

`faults` are the breaches that show at once: versions with a gap, back, or twice with different
content; something shown as final that was taken back without a correction.
"""

import json
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final

_REMEMBERED: Final = 512
"""Wires kept to be compared with when they are told again."""


@dataclass(frozen=True)
class Correction:
    """`order` counts the frames of this screen."""

    order: int
    ply: int
    cause: str
    message: str


@dataclass
class Shown:
    """A ply as it is shown now."""

    index: int
    history: str
    stage: str
    by: str
    fen: str


class Screen:
    """One reader's view of one game."""

    def __init__(self, game: str, name: str = "reader") -> None:
        self.game = game
        self.name = name
        self.faults: list[str] = []
        self.corrections: list[Correction] = []
        self.waits: list[str] = []
        self.rejections = 0
        self.order = 0
        self.version: int | None = None
        self.moves: list[Shown] = []
        self.history = game
        self.open_stage = "proposed"
        self.result: tuple[str, str] | None = None
        self.is_whole = False
        """Whether the moves are the whole game: not before a snapshot or after a correction."""
        self.waiting: str | None = None
        self._final: dict[int, tuple[int, str]] = {}
        self._wires: OrderedDict[int, str] = OrderedDict()
        self._since: int | None = None
        self._next: int | None = None
        self._is_first = True

    # --- questions ------------------------------------------------------------------------------

    @property
    def final(self) -> dict[int, tuple[int, str]]:
        """Index and history, by ply, of the moves that stand as verified."""
        return dict(self._final)

    @property
    def verified(self) -> int:
        """How many plies, from the first on, are shown as verified."""
        stages = [move.stage for move in self.moves]
        return next((i for i, stage in enumerate(stages) if stage != "verified"), len(stages))

    def corrected_after(self, order: int, ply: int) -> Correction | None:
        """The first correction after a frame that takes back this ply."""
        return next((c for c in self.corrections if c.order > order and c.ply <= ply), None)

    # --- what comes in --------------------------------------------------------------------------

    def connect(self, since: int | None = None) -> None:
        self._since, self._next, self._is_first = since, None, True

    def frame(self, wire: str) -> None:
        """Take in one event."""
        event = json.loads(wire)
        self.order += 1
        kind, data, version = event["t"], event["d"], event["v"]
        # a whole game that is the very next event was missed, as any other event can be
        is_missed = self._since is not None and version == self._since + 1
        is_snapshot = self._is_first and kind == "full" and not is_missed
        if self._told_again(version, kind, wire, is_snapshot=is_snapshot):
            return
        self._check_version(version, is_snapshot=is_snapshot)
        self._is_first, self._next, self.version = False, version + 1, version
        if not is_snapshot:  # which has no version of its own, but that of the event before it
            self._keep(version, wire)
        self._apply(kind, data, is_snapshot=is_snapshot)

    def _told_again(self, version: int, kind: str, wire: str, *, is_snapshot: bool) -> bool:
        """An event that a reader with an older version asked for: it must be what it was."""
        known = self.version
        if is_snapshot or known is None or self._since is None or version > known:
            return False
        if self._since >= known:
            return False
        expected = self._since + 1 if self._is_first else self._next
        if version != expected:
            self._fault(f"version {version} came where {expected} was due")
        before = self._wires.get(version)
        if before is not None and before != wire:
            self._fault(f"version {version} ({kind}) was told twice, differently")
        self._is_first, self._next = False, version + 1
        return True

    def _check_version(self, version: int, *, is_snapshot: bool) -> None:
        if is_snapshot:
            if self.version is not None and version < self.version:
                self._fault(f"version {version} came after {self.version}")
            return
        if self._is_first:
            due = None if self._since is None else self._since + 1
            if due is None:
                self._fault(f"version {version} came before any snapshot")
        else:
            due = self._next
        if due is not None and version != due:
            self._fault(f"version {version} came where {due} was due")

    def _keep(self, version: int, wire: str) -> None:
        self._wires[version] = wire
        if len(self._wires) > _REMEMBERED:
            self._wires.popitem(last=False)

    # --- what it says ---------------------------------------------------------------------------

    def _apply(self, kind: str, data: dict[str, Any], *, is_snapshot: bool) -> None:
        match kind:
            case "full":
                self._full(data, is_snapshot=is_snapshot)
            case "move":
                del self.moves[data["ply"] :]
                self._push(data)
            case "proof" | "chain":
                self._step(data)
            case "end":
                self.result = data["result"], data["reason"]
            case "waiting":
                self._wait(data["reason"])
            case "correction":
                self._correct(data)
            case _:
                return
        if kind in ("move", "chain"):
            self._hold_to_the_word()

    def _full(self, data: dict[str, Any], *, is_snapshot: bool) -> None:
        self.moves, self.is_whole = [], True
        for move in data["moves"]:
            self._push(move)
        self.history = data["history"]
        self.open_stage = data["openStage"]["stage"]
        before, after = self.result, data["result"]
        self.result = None if after is None else (after["result"], after["reason"])
        self._wait(data.get("waiting"))
        if is_snapshot:  # who loads the page anew is told the state of now, and only that
            self._final = {}
        elif before is not None and self.result != before:
            self._fault(f"the end {before} was taken back without a word")
        self._hold_to_the_word()

    def _push(self, move: dict[str, Any]) -> None:
        if self.is_whole and move["ply"] != len(self.moves):
            self._fault(f"ply {move['ply']} came where {len(self.moves)} was due")
        self.moves.append(
            Shown(move["index"], move["history"], move["stage"], move["by"], move["fen"])
        )
        self.history = move["history"]

    def _step(self, data: dict[str, Any]) -> None:
        if data["stage"] == "rejected":
            self.rejections += 1
        if data["ply"] < 0:
            self.open_stage = data["stage"]
        elif data["ply"] < len(self.moves):
            self.moves[data["ply"]].stage = data["stage"]

    def _wait(self, reason: str | None) -> None:
        if reason is not None and reason != self.waiting:
            self.waits.append(reason)
        self.waiting = reason

    def _correct(self, data: dict[str, Any]) -> None:
        self.corrections.append(Correction(self.order, data["ply"], data["cause"], data["message"]))
        first = max(0, data["ply"])
        self._final = {ply: claim for ply, claim in self._final.items() if ply < first}
        del self.moves[first:]
        self.history = self.moves[-1].history if self.moves else self.game
        self.result, self.is_whole = None, False

    def _hold_to_the_word(self) -> None:
        """What stood as verified must still do so; what is now verified stands from now on."""
        shown = {
            ply: (move.index, move.history)
            for ply, move in enumerate(self.moves)
            if move.stage == "verified"
        }
        for ply, claim in self._final.items():
            if shown.get(ply) != claim:
                self._fault(f"ply {ply} was verified, and was taken back without a word")
        self._final = shown

    def _fault(self, what: str) -> None:
        self.faults.append(f"{self.name}: {what}")
