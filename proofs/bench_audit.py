"""How fast an audit is: really proven games, replayed and verified by each program.

Each game is played on a fresh local chain and read into a bundle once; what is measured is the
audit of that bundle, and each verifier by itself on the same proofs.  The house circuit's proofs
and ezkl's are of different games, because no bot has both.
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
from proofs.audit_bots import AuditedBot, CircuitOf, circuits_of_nets
from proofs.audit_bundle import Audit
from proofs.audit_codes import verifier_codes
from proofs.audit_ezkl import OnnxBots
from proofs.audit_judges import (
    Claim,
    Groth16Judge,
    Judge,
    SnarkjsJudge,
    Verdict,
    usual_judges,
)
from proofs.audit_report import VERIFIED, Report
from proofs.bench_ezkl import folder_of_bot
from proofs.bundle import Bundle
from proofs.chain import Chain
from proofs.deploy import ensure_bot
from proofs.errors import EzklMissing, ProofInvalid
from proofs.ezkl_bots import SHIPPED
from proofs.ezkl_dryrun import play_registered
from proofs.ezkl_folder import ezkl_version
from proofs.ezkl_prover import EzklProver
from proofs.gather import gather, opened_between
from proofs.keys import KeyStore
from proofs.prove import ProofResult, Prover
from proofs.statement import Statement
from proofs.trial_game import on_fresh_chain, play_trial

Say = Callable[[str], None]

_ROUNDS = 3
_PROOFS = 40
"""A verifier is asked about so many at once, so that its start counts little."""
_EZKL_PROOFS = 8
"""ezkl takes longer for a proof than its process takes to start."""


def bench_audit(
    bot: str,
    n: int,
    *,
    data: Path,
    ezkl_bot: str = SHIPPED[0],
    ezkl_moves: int = 2,
    say: Say = lambda _line: None,
) -> dict[str, Any]:
    """Play `n` moves of a house bot on a chain of its own, and audit the game several times.

    `moves_per_s` is by both programs at once and without compiling the circuit, which happens once
    an audit (`compile_s`).  A verifier's milliseconds are those of one more proof: its start is
    left out.  ezkl's are of proofs of `ezkl_bot`, in a game of its own; it reads key and setup anew
    for each.  Raises ProofInvalid for a game that does not verify, InvalidNet, ProofError.
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
    keeper = _Keeper(Groth16Judge())
    _audited(bundle, circuit_of, [keeper])
    second, moves = SnarkjsJudge(), len(first.rows)
    ezkl, missing = ezkl_part(ezkl_bot, ezkl_moves, data=data, say=say)
    why_not = {"ezkl": missing, "snarkjs": second.missing}
    return {
        "bot": bot,
        "moves": moves,
        "moves_per_s": round(moves / median(walls), 1),
        "proofs": len(keeper.claims),
        "compile_s": round(compile_s, 2),
        "verify_ms": {
            "groth16py": _verify_ms(keeper.inner, keeper.claims),
            "snarkjs": None if second.missing else _verify_ms(second, keeper.claims),
            "ezkl": ezkl.pop("verify_ms") if ezkl else None,
        },
        "ezkl": ezkl,
        "not_measured": {name: why for name, why in why_not.items() if why is not None},
    }


def ezkl_part(
    bot: str, n: int, *, data: Path, say: Say
) -> tuple[dict[str, Any] | None, str | None]:
    """What ezkl's proofs take, else why nobody can tell.  Raises what `bench_ezkl_proofs` does."""
    if ezkl_version() is None:
        return None, str(EzklMissing())
    return bench_ezkl_proofs(bot, n, data=data, say=say), None


def bench_ezkl_proofs(
    bot: str, n: int, *, data: Path, say: Say = lambda _line: None
) -> dict[str, Any]:
    """Play `n` moves of an ONNX bot and audit the game: what a proof takes ezkl, in its process.

    The bot's folder is the listed one, or one of the data's store, made if need be.  The audit
    takes it once its files are unchanged, and compares circuit, key and contracts as always.
    Raises ProofInvalid for a game that does not verify, InvalidNet, ProofError.
    """
    folder = folder_of_bot(bot, data=data, tell=say)

    async def play(chain: Chain) -> Bundle:
        with EzklProver(folder) as prover:
            await play_registered(chain, folder, prover, n, say)
        return await gather(chain, await opened_between(chain, 0, None))

    bundle = asyncio.run(on_fresh_chain(play))
    say("verifying by ezkl")
    onnx = OnnxBots(folder.parent, nets=[folder / "net.onnx"], codes=verifier_codes(bundle))
    keeper = _Keeper(onnx)
    (report,) = Audit(bundle, circuit_of=lambda _net: None, judges=[keeper], custom=onnx).reports()
    if report.exit_code != VERIFIED:
        raise ProofInvalid(str((*report.failures, *report.undecided)[0]))
    return {
        "bot": bot,
        "moves": len(report.rows),
        "proofs": len(keeper.claims),
        "program": onnx.program,
        "verify_ms": _verify_ms(onnx, keeper.claims, count=_EZKL_PROOFS),
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

    def choose(self, position: Position, mask: int, dice: int) -> int:
        return choose(self._prover.circuit.net, position, mask, dice)

    def prove(self, statement: Statement) -> ProofResult:
        return self._prover.prove(statement)


class _Keeper:
    """A judge that keeps the claims of an audit."""

    def __init__(self, judge: Judge) -> None:
        self.inner = judge
        self.check = judge.check
        self.program = judge.program
        self.missing = judge.missing
        self.claims: list[Claim] = []

    def takes(self, bot: AuditedBot) -> bool:
        return self.inner.takes(bot)

    def judge(self, claims: Sequence[Claim]) -> list[Verdict]:
        self.claims += claims
        return self.inner.judge(claims)


def _audited(bundle: Bundle, circuit_of: CircuitOf, judges: Sequence[Judge]) -> Report:
    (report,) = Audit(bundle, circuit_of=circuit_of, judges=judges).reports()
    if report.failures:
        raise ProofInvalid(str(report.failures[0]))
    return report


def _verify_ms(judge: Judge, claims: Sequence[Claim], *, count: int = _PROOFS) -> float:
    """Milliseconds of a proof: what many take longer than one, by their number."""
    many = [claims[n % len(claims)] for n in range(count)]
    return round(1000 * (_seconds(judge, many) - _seconds(judge, many[:1])) / (count - 1), 2)


def _seconds(judge: Judge, claims: Sequence[Claim]) -> float:
    walls = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        judge.judge(claims)
        walls.append(time.perf_counter() - started)
    return min(walls)
