"""What our own transactions cost, and when no new games are taken for it.

    DATA/spent.json   {"day": "2026-01-31", "gas": 123456}     the day is UTC's

A budget is kept in gas and not in money: gas is what a game is known to need beforehand.  Games
that are going on go on when it is spent.
"""

import json
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from server import log

FILE_NAME: Final = "spent.json"
OVER_BUDGET: Final = (
    "the arena's gas budget of the day is spent; new games begin after midnight UTC, "
    "and games that are going on go on"
)
_RECEIPTS_REMEMBERED: Final = 1000
_LOG: Final = log.logger(__name__)


class Spending:
    """Adds up receipts; `gas_per_day` None is no budget, `file` None remembers nothing."""

    def __init__(
        self,
        *,
        gas_per_day: int | None = None,
        file: Path | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.gas_per_day = gas_per_day
        self.transactions = {"landed": 0, "refused": 0}
        self.gas = 0
        self.wei = 0
        self.on_change: Callable[[], None] = lambda: None
        self._file = file
        self._now = now
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._day, self._gas_today = _read(file)

    @property
    def gas_today(self) -> int:
        return self._gas_today if self._day == self._today() else 0

    @property
    def is_spent(self) -> bool:
        """Whether the day's budget takes no further games."""
        return self.gas_per_day is not None and self.gas_today >= self.gas_per_day

    def receipt(self, raw: Mapping[str, Any]) -> None:
        """Count one receipt as the node gives it; the same transaction counts once."""
        tx = str(raw["transactionHash"])
        if tx in self._seen:
            return
        self._seen[tx] = None
        if len(self._seen) > _RECEIPTS_REMEMBERED:
            self._seen.popitem(last=False)
        gas = int(raw["gasUsed"], 16)
        self.transactions["landed" if int(raw["status"], 16) == 1 else "refused"] += 1
        self.gas += gas
        self.wei += gas * int(raw.get("effectiveGasPrice") or "0x0", 16)
        self._day, self._gas_today = self._today(), self.gas_today + gas
        self._write()
        self.on_change()

    def _today(self) -> str:
        return datetime.fromtimestamp(self._now(), UTC).date().isoformat()

    def _write(self) -> None:
        if self._file is None:
            return
        temporary = self._file.with_suffix(".tmp")
        try:
            temporary.write_text(json.dumps({"day": self._day, "gas": self._gas_today}) + "\n")
            temporary.replace(self._file)
        except OSError as error:  # a full disk must not stop a game
            _LOG.warning("the gas of today cannot be written down", why=str(error))


class Doors:
    """Keeps new games out while the day's budget is spent, and says so once each time.

    `pause(code, text)` refuses new games, `pause(None)` takes them again.
    """

    def __init__(self, spending: Spending, pause: Callable[..., None]) -> None:
        self._spending = spending
        self._pause = pause
        self._are_shut = False

    def look(self) -> None:
        """Shut or open the doors, by what is spent and what day it is."""
        shut = self._spending.is_spent
        if shut == self._are_shut:
            return
        self._are_shut = shut
        if shut:
            _LOG.warning(
                "the gas budget of the day is spent: no new games until midnight UTC",
                gas=self._spending.gas_today,
            )
            self._pause("over_budget", OVER_BUDGET)
        else:
            _LOG.info("a new day, a new gas budget: games can begin again")
            self._pause(None)


def _read(file: Path | None) -> tuple[str, int]:
    if file is None or not file.exists():
        return "", 0
    try:
        raw = json.loads(file.read_text())
        return str(raw["day"]), max(0, int(raw["gas"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        _LOG.warning("the gas spent today is not known", file=str(file), why=str(error))
        return "", 0
