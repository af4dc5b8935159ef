"""Whether a campaign did harm: what was promised and shown, held against what the chain says.

    lost    an opening or a move that the server said yes to, which the chain does not hold in the
            end, and of which nobody was told that it fell
    wrong   something shown as verified or ended that the chain contradicts; versions with gaps,
            or that mean two things; something final taken back without a correction

A reorg is no excuse for a lost move: the server has to bring it again.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from proofs.statement import next_history
from server.bench.screen import Screen

EXCUSES: Final = frozenset({"refused", "unprovable", "other_move", "ended"})
"""Causes of a correction by which a move may fall for good."""


@dataclass(frozen=True)
class Ack:
    """A move that the server said yes to, when the player's screen had seen `order` frames.

    `history` is the one that the signature binds, before the move.
    """

    ply: int
    index: int
    history: str
    order: int


@dataclass(frozen=True)
class Truth:
    """A game as the chain has it in the end: policy indices, and the result if it ended."""

    moves: tuple[int, ...]
    result: tuple[str, str] | None = None

    def histories(self, game: str) -> list[str]:
        """The hash before the first ply, and after each."""
        found = [bytes.fromhex(game[2:])]
        for index in self.moves:
            found.append(next_history(found[-1], index))
        return ["0x" + history.hex() for history in found]


@dataclass
class Case:
    """One game: who looked at it, and what its player was promised."""

    game: str
    screens: list[Screen]
    acks: list[Ack] = field(default_factory=list)

    @property
    def player(self) -> Screen:
        return self.screens[0]


@dataclass
class Verdict:
    """One line for each thing that is wrong."""

    lost: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.wrong)


def judge(cases: Iterable[Case], truths: Mapping[str, Truth]) -> Verdict:
    """Judge all games that the server opened; the truth of one is missing if the chain has none."""
    verdict = Verdict()
    for case in cases:
        truth = truths.get(case.game)
        verdict.wrong += [f"{case.game[:10]} {f}" for s in case.screens for f in s.faults]
        if truth is None:
            _judge_unopened(case, verdict)
        else:
            verdict.lost += _lost(case, truth)
            verdict.wrong += _contradicted(case, truth)
    return verdict


def _judge_unopened(case: Case, verdict: Verdict) -> None:
    if case.player.open_stage != "rejected":
        verdict.lost.append(f"{case.game[:10]}: the chain does not know this game")
    for screen in case.screens:
        if screen.final or screen.result or screen.open_stage == "verified":
            verdict.wrong.append(f"{case.game[:10]} {screen.name}: it was never opened")


def _lost(case: Case, truth: Truth) -> list[str]:
    histories = truth.histories(case.game)
    found = []
    for ack in case.acks:
        landed = ack.ply < len(truth.moves) and (
            (truth.moves[ack.ply], histories[ack.ply]) == (ack.index, ack.history)
        )
        if not landed and not _is_excused(case.player, ack, truth):
            found.append(f"{case.game[:10]}: the acknowledged move of ply {ack.ply} is gone")
    return found


def _is_excused(screen: Screen, ack: Ack, truth: Truth) -> bool:
    """Whether the player was told why this move cannot be played."""
    if truth.result is not None and screen.result == truth.result and ack.ply >= len(truth.moves):
        return True
    return any(
        c.order > ack.order and c.ply <= ack.ply and c.cause in EXCUSES for c in screen.corrections
    )


def _contradicted(case: Case, truth: Truth) -> list[str]:
    histories = truth.histories(case.game)
    found = []
    for screen in case.screens:
        for ply, claim in screen.final.items():
            holds = ply < len(truth.moves) and (claim == (truth.moves[ply], histories[ply + 1]))
            if not holds:
                found.append(f"{case.game[:10]} {screen.name}: ply {ply} is not verified as shown")
        if screen.result is not None and screen.result != truth.result:
            found.append(
                f"{case.game[:10]} {screen.name}: shown as ended {screen.result}, "
                f"but it is {truth.result}"
            )
    return found


def unsettled(cases: Iterable[Case], truths: Mapping[str, Truth]) -> Collection[str]:
    """The games whose readers, in the end, do not see exactly what the chain holds."""
    return [
        case.game
        for case in cases
        if (truth := truths.get(case.game)) is not None
        and any(
            tuple(move.index for move in screen.moves) != truth.moves
            or screen.verified != len(truth.moves)
            or screen.result != truth.result
            for screen in case.screens
        )
    ]
