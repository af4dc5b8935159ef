"""What a campaign comes to, and that a bad one is told as such."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from server.bench import faults
from server.bench.faults import Outcome, Plan, percentile
from server.bench.script import KINDS
from server.cli import app

PLAN = Plan(moves=10, seed=1, keys=Path())


@pytest.mark.parametrize("name", ["lost", "wrong", "stuck", "crashes", "oddities", "unclean"])
def test_anyFindingMakesACampaignBad(name: str) -> None:
    outcome = Outcome(moves=10)
    assert outcome.is_good(PLAN)
    getattr(outcome, name).append("0x12: something")
    assert not outcome.is_good(PLAN)
    assert len(outcome.findings) == 1


def test_tooFewMovesMakeACampaignBad() -> None:
    assert not Outcome(moves=9).is_good(PLAN)


def test_json_namesEveryKind() -> None:
    outcome = Outcome(moves=10, lost=["a", "b"], wrong=["c"], recoveries=[1.0, 2.0, 30.0])
    outcome.faults["reorg"] = 3
    found = outcome.as_json(PLAN)
    assert set(found["faults"]) == set(KINDS)
    assert found["faults"]["reorg"] == 3
    assert (found["lost_games"], found["wrong_states"], found["stuck"]) == (2, 1, 0)
    assert found["recovery_s"] == {"p50": 2.0, "p95": 30.0}


def test_percentile() -> None:
    assert percentile([], 50) is None
    assert percentile([3.0, 1.0, 2.0], 50) == 2.0
    assert percentile([float(i) for i in range(1, 101)], 95) == 95.0


@pytest.mark.parametrize(("lost", "status"), [([], 0), (["0x12: gone"], 3)])
def test_command_failsWhenHarmWasDone(
    monkeypatch: pytest.MonkeyPatch, lost: list[str], status: int
) -> None:
    def run(plan: Plan, **_: Any) -> Outcome:
        return Outcome(moves=plan.moves, lost=lost)

    monkeypatch.setattr(faults, "bench_faults", run)
    result = CliRunner().invoke(app, ["bench", "faults", "--moves", "5", "--seed", "9", "--json"])
    assert result.exit_code == status
    found = json.loads(result.stdout)
    assert (found["moves"], found["seed"], found["lost_games"]) == (5, 9, len(lost))


def test_command_refusesAnUnknownKind() -> None:
    result = CliRunner().invoke(app, ["bench", "faults", "--kind", "earthquake"])
    assert result.exit_code == 2
    assert "earthquake" in result.stderr
