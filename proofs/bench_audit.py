"""How fast an audit is: a really proven game, replayed and verified by each program.

The game is played on a fresh local chain and read into a bundle once; what is measured is the
audit of that bundle, and each verifier by itself on the same proofs.
"""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from engine.encoding import Position
from engine.net import house_net
from engine.player import choose
from proofs.audit_bots import CircuitOf, circuits_of_nets
from proofs.audit_bundle import Audit
from proofs.audit_judges import (
    Claim,
    Groth16Judge,
    Judge,
    SnarkjsJudge,
    Verdict,
    usual_judges,
)
from proofs.audit_report import Report
from proofs.bundle import Bundle
from proofs.chain import Chain
from proofs.deploy import ensure_bot
from proofs.errors import ProofInvalid
from proofs.gather import gather, opened_between
from proofs.keys import KeyStore
from proofs.prove import ProofResult, Prover
from proofs.statement import Statement
from proofs.trial_game import on_fresh_chain, play_trial

Say = Callable[[str], None]

_ROUNDS = 3
_PROOFS = 40
"""A verifier is asked about so many at once, so that its start counts little."""


def bench_audit(bot: str, n: int, *, data: Path, say: Say = lambda _line: None) -> dict[str, Any]:
    """Play `n` moves of a house bot on a chain of its own, and audit the game several times.

    `moves_per_s` is by both programs at once and without compiling the circuit, which happens once
    an audit (`compile_s`).  A verifier's milliseconds are those of one more proof: its start is
    left out.  Raises ProofInvalid for a game that does not verify.
    """
    bundle = play_bundle(bot, n, data=data, say=say)
    started = time.perf_counter()
    say("compiling the circuit")
    circuit_of, judges = circuits_of_nets(), usual_judges()
    first = _audited(bundle, circuit_of, judges)
    compile_s = time.perf_counter() - started
    walls = []
    for round_ in range(_ROUNDS):
        say(f"audit {round_ + 1} of {_ROUNDS}")
        started = time.perf_counter()
        _audited(bundle, circuit_of, judges)
        walls.append(time.perf_counter() - started)
    keeper = _Keeper()
    _audited(bundle, circuit_of, [keeper])
    second, moves = SnarkjsJudge(), len(first.rows)
    why_not = {"ezkl": "this game's bot proves by Groth16", "snarkjs": second.missing}
    return {
        "bot": bot,
        "moves": moves,
        "moves_per_s": round(moves / median(walls), 1),
        "proofs": len(keeper.claims),
        "compile_s": round(compile_s, 2),
        "verify_ms": {
            "groth16py": _verify_ms(Groth16Judge(), keeper.claims),
            "snarkjs": None if second.missing else _verify_ms(second, keeper.claims),
            "ezkl": None,
        },
        "not_measured": {name: why for name, why in why_not.items() if why is not None},
    }


def play_bundle(bot: str, n: int, *, data: Path, say: Say = lambda _line: None) -> Bundle:
    """The bundle of a game in which a house bot's `n` moves are proven.  Raises NodeError."""
    net = house_net(bot)
    record = KeyStore(data / "keys").ensure_dev_key(net, say)
    peer = _House(Prover(net, record))

    async def play(chain: Chain) -> Bundle:
        version = await ensure_bot(chain, net, record, json.dumps({"name": bot}))
        await play_trial(chain, version.id, peer, n, say)
        return await gather(chain, await opened_between(chain, 0, None))

    return asyncio.run(on_fresh_chain(play))


class _House:
    """A house bot in a trial game."""

    def __init__(self, prover: Prover) -> None:
        self._prover = prover

    def choose(self, board: int, context: int, mask: int) -> int:
        return choose(self._prover.circuit.net, Position(board, context), mask)

    def prove(self, statement: Statement) -> ProofResult:
        return self._prover.prove(statement)


class _Keeper(Groth16Judge):
    """Keeps the claims of an audit."""

    def __init__(self) -> None:
        super().__init__()
        self.claims: list[Claim] = []

    def judge(self, claims: Sequence[Claim]) -> list[Verdict]:
        self.claims += claims
        return super().judge(claims)


def _audited(bundle: Bundle, circuit_of: CircuitOf, judges: Sequence[Judge]) -> Report:
    (report,) = Audit(bundle, circuit_of=circuit_of, judges=judges).reports()
    if report.failures:
        raise ProofInvalid(str(report.failures[0]))
    return report


def _verify_ms(judge: Judge, claims: Sequence[Claim]) -> float:
    """Milliseconds of a proof: what many take longer than one, by their number."""
    many = [claims[n % len(claims)] for n in range(_PROOFS)]
    return round(1000 * (_seconds(judge, many) - _seconds(judge, many[:1])) / (_PROOFS - 1), 2)


def _seconds(judge: Judge, claims: Sequence[Claim]) -> float:
    walls = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        judge.judge(claims)
        walls.append(time.perf_counter() - started)
    return min(walls)
