"""The gas of a day: what counts, what survives a restart, and when games are refused for it."""

from pathlib import Path
from typing import Any

import pytest

from server.budget import Doors, Spending

NOON = 1_769_860_800.0  # 2026-01-31 12:00 UTC
HOUR = 3600.0


class Clock:
    time = NOON

    def __call__(self) -> float:
        return self.time


def receipt(number: int, gas: int, *, status: int = 1, price: int = 3) -> dict[str, Any]:
    return {
        "transactionHash": f"0x{number:064x}",
        "gasUsed": hex(gas),
        "status": hex(status),
        "effectiveGasPrice": hex(price),
    }


def test_receipts_add_up_and_each_counts_once() -> None:
    spending = Spending(now=Clock())
    for raw in (receipt(1, 100), receipt(2, 50, status=0), receipt(1, 100)):
        spending.receipt(raw)
    assert (spending.gas, spending.wei, spending.gas_today) == (150, 450, 150)
    assert spending.transactions == {"landed": 1, "refused": 1}
    assert not spending.is_spent


def test_the_day_ends_at_midnight_utc() -> None:
    clock = Clock()
    spending = Spending(gas_per_day=100, now=clock)
    spending.receipt(receipt(1, 99))
    assert not spending.is_spent
    spending.receipt(receipt(2, 1))
    assert spending.is_spent
    clock.time = NOON + 12 * HOUR - 1
    assert spending.is_spent
    clock.time = NOON + 12 * HOUR
    assert (spending.is_spent, spending.gas_today) == (False, 0)
    spending.receipt(receipt(3, 7))
    assert (spending.gas_today, spending.gas) == (7, 107)


def test_a_restart_does_not_refill_the_budget(tmp_path: Path) -> None:
    clock, file = Clock(), tmp_path / "spent.json"
    Spending(gas_per_day=100, file=file, now=clock).receipt(receipt(1, 100))
    again = Spending(gas_per_day=100, file=file, now=clock)
    assert again.is_spent
    clock.time += 24 * HOUR
    assert not again.is_spent


@pytest.mark.parametrize("text", ["", "[]", '{"day": 1}', '{"day": "x", "gas": "many"}', "\x00"])
def test_an_unreadable_note_is_no_reason_to_stop(tmp_path: Path, text: str) -> None:
    (tmp_path / "spent.json").write_text(text)
    spending = Spending(gas_per_day=100, file=tmp_path / "spent.json", now=Clock())
    spending.receipt(receipt(1, 5))
    assert spending.gas_today == 5


def test_a_full_disk_is_no_reason_to_stop(tmp_path: Path) -> None:
    spending = Spending(gas_per_day=10, file=tmp_path / "gone" / "spent.json", now=Clock())
    spending.receipt(receipt(1, 10))
    assert spending.is_spent


def test_no_budget_is_never_spent_and_a_budget_of_nothing_always() -> None:
    assert not Spending(now=Clock()).is_spent
    assert Spending(gas_per_day=0, now=Clock()).is_spent


def test_the_doors_shut_once_and_open_on_a_new_day(caplog: pytest.LogCaptureFixture) -> None:
    clock, heard = Clock(), []
    spending = Spending(gas_per_day=100, now=clock)
    doors = Doors(spending, lambda *words: heard.append(words))
    spending.on_change = doors.look
    doors.look()
    assert heard == []
    with caplog.at_level("WARNING"):
        for number in range(3):
            spending.receipt(receipt(number, 60))
    assert [words[0] for words in heard] == ["over_budget"]
    assert "after midnight UTC" in heard[0][1]
    assert len(caplog.records) == 1
    clock.time += 24 * HOUR
    doors.look()
    doors.look()
    assert [words[0] for words in heard] == ["over_budget", None]
