"""The operator's page names every setting, metric, flag and file that there is."""

import re
from pathlib import Path

import pytest

from server import backup
from server.config import PREFIX, Config
from server.metrics import Metrics
from server.site import Site
from tests.server.conftest import Served

PAGE = (Path(__file__).parents[2] / "docs" / "operating.md").read_text(encoding="utf-8")
# told together with what they belong to, or of no use to a graph
UNTOLD = {
    "checkproof_proof_cpu_seconds_total", "checkproof_chain_block", "checkproof_balance_wei",
    "checkproof_gas_price_wei", "checkproof_streams", "checkproof_loop_lag_max_seconds",
    "checkproof_loop_lag_recent_max_seconds",
}  # fmt: skip


@pytest.mark.parametrize("name", Config.model_fields)
def test_every_setting_is_told_of_with_its_default(name: str) -> None:
    (row,) = re.findall(rf"^\| `{name}` \| `{PREFIX}{name.upper()}` \|.*$", PAGE, re.MULTILINE)
    default = Config.model_fields[name].default
    if isinstance(default, bool):
        default = str(default).lower()  # as TOML spells it
    if isinstance(default, int | float | str):
        assert f"| `{default}` |" in row


async def test_every_metric_is_told_of(served: Served) -> None:
    text = served.site.metrics.text(served.site).decode()
    found = set(re.findall(r"^# TYPE (checkproof_\w+) ", text, re.MULTILINE))
    told = set(re.findall(r"checkproof_\w+", PAGE))
    assert {name for name in found if not name.endswith("_created")} - UNTOLD <= told
    assert told - found <= LATER


LATER = {
    "checkproof_provers", "checkproof_provers_busy", "checkproof_proof_queue",
    "checkproof_prover_restarts_total", "checkproof_balance_moves", "checkproof_gas_per_day",
}  # fmt: skip
"""There once what they are about is there."""


def test_everything_in_a_backup_is_told_of() -> None:
    for name in ("arena.db", "chain/", "deployment.json", "keys/", "spent.json"):
        assert f"| `{name}` |" in PAGE
        assert name in (backup.__doc__ or "")


def test_two_sites_do_not_share_their_counts() -> None:
    one, other = fake_site_metrics(), fake_site_metrics()
    assert one is not other


def fake_site_metrics() -> Metrics:
    return Site(page=Path()).metrics
