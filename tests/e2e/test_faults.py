"""A short fault campaign with real parts: every kind of fault at least once, and no harm done."""

from pathlib import Path

import pytest

from server.bench.faults import Plan, bench_faults
from server.bench.script import KINDS
from tests.proofs.keys_fixture import dev_store

MOVES = 24
SEED = 156


@pytest.mark.timeout(900)
def test_aCampaignOfEveryKindDoesNoHarm(tmp_path: Path) -> None:
    store, _ = dev_store()
    plan = Plan(MOVES, SEED, store.root, games=2, workers=2, every=1, haste=3)
    outcome = bench_faults(plan, say=print, folder=tmp_path)
    print(outcome.as_json(plan))
    assert outcome.findings == []
    assert outcome.is_good(plan)
    assert set(outcome.faults) == set(KINDS)
    assert outcome.moves >= MOVES
    assert outcome.clean_audits == outcome.games >= plan.games
    assert outcome.acks > 0
    assert len(outcome.recoveries) == outcome.faults.total()
