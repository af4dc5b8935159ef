"""Which of the files that a node left is gone on from."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from proofs.node_state import NAMES, STATE, WRITTEN, is_whole, keep, saved_state, settle

SENDER = "0x" + "ab" * 20
CONTRACT = "0x" + "cd" * 20


def state_of(sent: int) -> dict[str, Any]:
    """A chain of so many transactions, one in a block, as anvil writes it."""
    transactions = [
        {"info": {"from": SENDER, "nonce": nonce}, "block_number": nonce + 1}
        for nonce in range(sent)
    ]
    blocks: list[dict[str, Any]] = [
        {"header": {"number": "0x0"}, "transactions": []}
    ] * 2  # one more with each start
    blocks += [
        {"header": {"number": hex(number)}, "transactions": [{"some": "transaction"}]}
        for number in range(sent, 0, -1)
    ]
    return {
        "block": {"number": hex(sent)},
        "accounts": {
            SENDER: {"nonce": sent, "code": "0x"},
            CONTRACT: {"nonce": 1, "code": "0x00"},
        },
        "best_block_number": sent,
        "blocks": blocks,
        "transactions": transactions,
        "historical_states": None,
    }


def torn(state: dict[str, Any]) -> dict[str, Any]:
    """Without its last block, and with what that did: the blocks are told before the accounts."""
    last, found = state["best_block_number"], deepcopy(state)
    found["blocks"] = [b for b in state["blocks"] if int(b["header"]["number"], 16) != last]
    found["transactions"] = [t for t in state["transactions"] if t["block_number"] != last]
    found["best_block_number"], found["block"]["number"] = last - 1, hex(last - 1)
    return found


def write(folder: Path, **states: dict[str, Any] | str) -> None:
    """The files of these names' first letters: new, state, one, two."""
    for name, path in zip(("new", "state", "one", "two"), NAMES, strict=True):
        if (content := states.get(name)) is not None:
            text = content if isinstance(content, str) else json.dumps(content)
            (folder / path).write_text(text)


def saved(folder: Path) -> Any:
    found = saved_state(folder)
    return None if found is None else json.loads(found.raw)


HALF = json.dumps(state_of(9))[:-30]


def test_isWhole_whereAllIsOfOneMoment() -> None:
    assert is_whole(state_of(0))
    assert is_whole(state_of(3))


@pytest.mark.parametrize("sent", [1, 3])
def test_isWhole_notWithoutTheBlockOfATransaction(sent: int) -> None:
    assert not is_whole(torn(state_of(sent)))


def later(part: str) -> dict[str, Any]:
    """A state of which one part was told a block later than the rest."""
    return {**state_of(3), part: state_of(4)[part]}


@pytest.mark.parametrize("part", ["block", "accounts", "best_block_number", "blocks"])
def test_isWhole_notWithOnePartLaterOrEarlierThanTheOthers(part: str) -> None:
    assert not is_whole(later(part))
    assert not is_whole({**state_of(3), part: state_of(2)[part]})


def test_isWhole_notWithATransactionThatIsInNoBlock() -> None:
    state = later("transactions")
    assert not is_whole(state)
    state["accounts"] = state_of(4)["accounts"]
    assert not is_whole(state)


@pytest.mark.parametrize("what", [None, [], 1, {}, {"accounts": {}}, {"blocks": 5}])
def test_isWhole_notWhatIsNoState(what: Any) -> None:
    assert not is_whole(what)


def test_savedState_isTheLatestThatIsWhole(tmp_path: Path) -> None:
    assert saved(tmp_path) is None
    write(tmp_path, two=state_of(1))
    assert saved(tmp_path) == state_of(1)
    write(tmp_path, new=HALF, state=torn(state_of(3)), one=state_of(2))
    assert saved(tmp_path) == state_of(2)
    write(tmp_path, new=state_of(4))
    assert saved(tmp_path) == state_of(4)


def test_savedState_isTheLatestReadableWhereNoneIsWhole(tmp_path: Path) -> None:
    """A node's cheats may have set a nonce: that is no reason to begin again."""
    write(tmp_path, new=HALF, state="[1]")
    assert saved(tmp_path) is None
    write(tmp_path, one=torn(state_of(3)), two=torn(state_of(2)))
    assert saved(tmp_path) == torn(state_of(3))


def test_keep_movesEachOneOn(tmp_path: Path) -> None:
    for sent in range(1, 6):
        write(tmp_path, new=state_of(sent))
        assert keep(tmp_path)
        assert not keep(tmp_path)
    left = [json.loads((tmp_path / name).read_text()) for name in NAMES[1:]]
    assert left == [state_of(5), state_of(4), state_of(3)]
    assert not (tmp_path / WRITTEN).exists()


@pytest.mark.parametrize("half", ["", HALF])
def test_keep_leavesWhatIsNotFinished(tmp_path: Path, half: str) -> None:
    write(tmp_path, new=half, state=state_of(3))
    assert not keep(tmp_path)
    assert json.loads((tmp_path / STATE).read_text()) == state_of(3)


def test_settle_putsTheOneToGoOnFromInItsPlace(tmp_path: Path) -> None:
    assert settle(tmp_path) is None
    write(tmp_path, new=HALF, state=torn(state_of(3)), one=state_of(2), two=state_of(1))
    assert settle(tmp_path) == tmp_path / STATE
    assert json.loads((tmp_path / STATE).read_text()) == state_of(2)
    assert not (tmp_path / WRITTEN).exists()
    assert json.loads((tmp_path / "state.broken.json").read_text()) == torn(state_of(3))
    write(tmp_path, new=state_of(5))
    settle(tmp_path)
    assert json.loads((tmp_path / STATE).read_text()) == state_of(5)


def test_settle_leavesADamagedStateToBeTold(tmp_path: Path) -> None:
    """Rather than begin with an empty chain."""
    write(tmp_path, state=HALF)
    assert settle(tmp_path) == tmp_path / STATE
