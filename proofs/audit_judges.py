"""Who says whether a proof holds: programs beside the contract, asked for all proofs at once.

A judge gives its verdicts under the name of one check.  A proof is looked at by every judge that
takes its bot; where none does, the proof stays undecided.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Final, NamedTuple, Protocol

from proofs.audit_bots import AuditedBot
from proofs.audit_report import Mark
from proofs.errors import SnarkjsMissing
from proofs.groth16 import Verifier
from proofs.snarkjs_verify import Proof, snarkjs_version, verify_all
from proofs.statement import Statement

NOT_PROVEN: Final = "it does not prove this move in this position"
NO_KEY: Final = "there is no sound key to check it with"

_WORTH_A_PROCESS: Final = {"groth16py": 500, "snarkjs": 40}
"""So many proofs take about as long as another process takes to start."""


@dataclass(frozen=True)
class Claim:
    """A proof that should hold: that `bot` plays the statement's index at `ply`."""

    ply: int
    bot: AuditedBot
    statement: Statement
    proof: bytes


class Verdict(NamedTuple):
    """What a judge says of one claim, and why if it is not "ok"."""

    mark: Mark
    what: str = ""


OK: Final = Verdict("ok")


class Judge(Protocol):
    """Somebody who can tell whether proofs hold."""

    @property
    def check(self) -> str:
        """The name of the check."""

    @property
    def program(self) -> str:
        """Which program decides, and its version if it is installed."""

    @property
    def missing(self) -> str | None:
        """Why this judge can decide nothing here."""

    def takes(self, bot: AuditedBot) -> bool:
        """Whether it can judge this bot's proofs."""

    def judge(self, claims: Sequence[Claim]) -> list[Verdict]:
        """One verdict for each claim, in their order."""


class Groth16Judge:
    """groth16py (arkworks, in Rust).  `processes` are used where there are proofs enough."""

    check = "proof"
    program = "groth16py"
    missing = None

    def __init__(self, processes: int = 1) -> None:
        self._processes = processes

    def takes(self, bot: AuditedBot) -> bool:
        return not bot.custom

    def judge(self, claims: Sequence[Claim]) -> list[Verdict]:
        proofs = [_proof(claim) for claim in claims if claim.bot.key is not None]
        parts = _split(proofs, self._processes, _WORTH_A_PROCESS["groth16py"])
        if len(parts) < 2:
            held = verify_groth16(proofs)
        else:
            with ProcessPoolExecutor(len(parts), mp_context=get_context("spawn")) as pool:
                held = [one for part in pool.map(verify_groth16, parts) for one in part]
        return _verdicts(claims, held)


class SnarkjsJudge:
    """snarkjs (iden3, in JavaScript and WebAssembly), in node processes of its own."""

    check = "second proof"

    def __init__(self, processes: int = 1) -> None:
        self._processes = processes
        self.missing: str | None = None
        self.program = "snarkjs"
        try:
            self.program = f"snarkjs {snarkjs_version()}"
        except SnarkjsMissing as error:
            self.missing = str(error)

    def takes(self, bot: AuditedBot) -> bool:
        return not bot.custom

    def judge(self, claims: Sequence[Claim]) -> list[Verdict]:
        proofs = [_proof(claim) for claim in claims if claim.bot.key is not None]
        parts = _split(proofs, self._processes, _WORTH_A_PROCESS["snarkjs"])
        with ThreadPoolExecutor(max(1, len(parts))) as pool:  # each waits for a process
            held = [one for part in pool.map(verify_all, parts) for one in part]
        return _verdicts(claims, held)


def usual_judges(processes: int | None = None) -> tuple[Judge, ...]:
    """Both programs for Groth16, each with as many processes as there are cores."""
    count = processes or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    return Groth16Judge(count), SnarkjsJudge(count)


def verify_groth16(proofs: Sequence[Proof]) -> list[bool]:
    """Whether each proof holds, by groth16py."""
    verifiers = {key: Verifier(key) for key in {proof.key for proof in proofs}}
    return [verifiers[p.key].verify(p.proof, p.limbs) for p in proofs]


def _proof(claim: Claim) -> Proof:
    assert claim.bot.key is not None
    return Proof(claim.bot.key, claim.statement.limbs, claim.proof)


def _split(proofs: list[Proof], processes: int, worth: int) -> list[list[Proof]]:
    """The proofs in their order, in as many parts as are worth a process each."""
    parts = max(1, min(processes, len(proofs) // worth))
    size = -(-len(proofs) // parts)
    return [proofs[k : k + size] for k in range(0, len(proofs), size)] if size else []


def _verdicts(claims: Sequence[Claim], held: Sequence[bool | str]) -> list[Verdict]:
    """Verdicts on claims; `held` are the answers for those that have a key."""
    answers = iter(held)
    return [
        Verdict("failed", NO_KEY) if claim.bot.key is None else _verdict(next(answers))
        for claim in claims
    ]


def _verdict(held: bool | str) -> Verdict:
    if isinstance(held, str):
        return Verdict("unchecked", f"no answer: {held}")
    return OK if held else Verdict("failed", NOT_PROVEN)
