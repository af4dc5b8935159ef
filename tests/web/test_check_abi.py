"""The calls and events that the page's check reads are the contracts' own."""

import json
import subprocess
from functools import cache
from pathlib import Path

import pytest
from eth_utils.crypto import keccak

from proofs.abi import load_artifact

ROOT = Path(__file__).parents[2]
MODULE = ROOT / "web" / "js" / "verify_abi.js"
PRINT = "import(process.argv[1]).then((m) => console.log(JSON.stringify([m.EVENTS, m.CALLS])))"


@cache
def written() -> tuple[dict[str, str], dict[str, str]]:
    """The signatures in the page's module: of events, and of calls."""
    done = subprocess.run(
        ["node", "-e", PRINT, str(MODULE)], capture_output=True, text=True, check=True
    )
    events, calls = json.loads(done.stdout)
    return events, calls


@pytest.mark.parametrize(
    ("name", "event"), [("opened", "GameOpened"), ("player", "PlayerMoved"), ("bot", "BotMoved")]
)
def test_events_are_the_arenas(name: str, event: str) -> None:
    topic = load_artifact("Arena").topic(event)
    assert keccak(text=written()[0][name]).hex() == topic.removeprefix("0x")


@pytest.mark.parametrize(
    ("name", "contract"),
    [
        ("registry", "Arena"),
        ("bot", "BotRegistry"),
        ("keyStore", "Groth16MoveVerifier"),
        ("verifyMove", "EzklMoveVerifier"),
    ],
)
def test_calls_are_the_contracts(name: str, contract: str) -> None:
    abi = json.loads((ROOT / "proofs" / "contracts" / "abi" / f"{contract}.json").read_text())
    (entry,) = (e for e in abi["abi"] if e["type"] == "function" and e["name"] == name)
    assert written()[1][name] == f"{name}({','.join(map(type_of, entry['inputs']))})"


def type_of(field: dict[str, object]) -> str:
    """An ABI type, a struct as its fields."""
    kind, parts = str(field["type"]), field.get("components")
    if not isinstance(parts, list):
        return kind
    return f"({','.join(map(type_of, parts))}){kind.removeprefix('tuple')}"
