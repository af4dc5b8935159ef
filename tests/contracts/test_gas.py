"""What moves cost over the corpus, against the snapshot in git and the limits that hold.

`make gas` renews the snapshot; what changed shows in the diff.
"""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from proofs.abi import ABI_FOLDER, load_artifact
from proofs.bench_gas import measure

SNAPSHOT: Final[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "golden" / "gas.json").read_text(encoding="utf-8")
)
MARGIN: Final = 0.002
"""The share by which a figure may rise unnoticed: a compiler's or a node's whim, no more."""

# (median, maximum)
LIMITS: Final = {
    "legal_mask_gas": (42_000, 55_000),
    "player_move_gas": (120_000, 150_000),
    "bot_move_gas": (440_000, 520_000),
    "verify_gas": (256_000, 256_000),
    "open_gas": (250_000, 250_000),
}
CODE_LIMIT: Final = 24_576  # EIP-170

# Thousands of transactions, which take many minutes where others want the machine too.
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def figures() -> dict[str, Any]:
    return measure(None)


@pytest.mark.parametrize("name", LIMITS)
def test_gas_isNoMoreThanInTheSnapshot(figures: dict[str, Any], name: str) -> None:
    risen = {
        which: (SNAPSHOT[name][which], gas)
        for which, gas in figures[name].items()
        if gas > SNAPSHOT[name][which] * (1 + MARGIN)
    }
    assert not risen, f"{name} rose: {risen}; if it must be, run `make gas`"


@pytest.mark.parametrize("name", LIMITS)
def test_gas_keepsToItsLimits(figures: dict[str, Any], name: str) -> None:
    median, most = LIMITS[name]
    assert figures[name]["median"] <= median
    assert figures[name]["max"] <= most


def test_gas_isMeasuredOverTheSnapshotsPositions(figures: dict[str, Any]) -> None:
    assert figures["positions"] == SNAPSHOT["positions"] >= 200
    assert set(figures) == set(SNAPSHOT)


def test_code_fitsIntoAContract() -> None:
    sizes = {path.stem: len(load_artifact(path.stem).deployed) for path in ABI_FOLDER.iterdir()}
    assert len(sizes) > 6
    assert max(sizes.values()) < CODE_LIMIT, sizes
