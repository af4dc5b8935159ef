"""The proofs that an audit came across, and how they are judged: all at once, after the replay."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from proofs.audit_judges import Claim, Judge, Verdict
from proofs.audit_report import Ledger


class Docket:
    """The claims of one game, and the ledger that takes the verdicts on them."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._claims: list[Claim] = []
        self._judged: set[int] = set()

    def add(self, claim: Claim) -> None:
        self._claims.append(claim)

    def of(self, judge: Judge) -> list[Claim]:
        """The claims that a judge takes."""
        return [claim for claim in self._claims if judge.takes(claim.bot)]

    def settle(self, judge: Judge, verdicts: Iterator[Verdict]) -> None:
        """Write down what a judge says, taking a verdict for each claim that it takes."""
        mine = self.of(judge)
        if mine and judge.missing is not None:
            self._ledger.leave(None, judge.check, judge.missing, subject="verifiers")
            return
        for claim, verdict in zip(mine, verdicts, strict=False):
            self._judged.add(claim.ply)
            if verdict.mark == "unchecked":
                self._ledger.leave(claim.ply, judge.check, verdict.what)
            else:
                ok = verdict.mark == "ok"
                self._ledger.expect(ok, claim.ply, judge.check, verdict.what)

    def leave_unjudged(self) -> None:
        """Write down which proofs nobody judged."""
        for claim in self._claims:
            if claim.ply not in self._judged:
                why = "a custom verifier's" if claim.bot.custom else "no verifier is installed"
                self._ledger.leave(claim.ply, "proof", why)


def judge_all(dockets: Sequence[Docket], judges: Sequence[Judge]) -> None:
    """Have all proofs of some games judged, each judge at the same time as the others."""
    with ThreadPoolExecutor(max(1, len(judges))) as pool:
        asked = [(judge, pool.submit(_ask, judge, dockets)) for judge in judges]
        for judge, answer in asked:
            verdicts = iter(answer.result())
            for docket in dockets:
                docket.settle(judge, verdicts)
    for docket in dockets:
        docket.leave_unjudged()


def _ask(judge: Judge, dockets: Sequence[Docket]) -> list[Verdict]:
    claims = [claim for docket in dockets for claim in docket.of(judge)]
    return [] if judge.missing is not None or not claims else judge.judge(claims)
