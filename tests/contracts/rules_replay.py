"""What `test_rules_arePythonChess` asks the contract's rules, asked again of other code.

The test asks on a chain with the compiled contracts as they are; its questions and the right
answers are kept, so that thousands of faulty rules can be asked without python-chess and pytest.
"""

import random
from typing import Any, Final

import pytest
from eth_utils.crypto import keccak

from proofs.bench_rules import bench_rules
from proofs.rpc import Rpc
from tests.contracts.rules import ask

TEST: Final = "tests/contracts/test_rules.py::test_rules_arePythonChess"
POSITIONS: Final = 1500  # as many as the test has
SEED: Final = 20  # and the same ones

_ADDRESS: Final = "0x" + "c0de" * 10
_CALL_GAS: Final = 150_000_000
_REPORTS: Final = "0x" + keccak(text="reports(uint256[2][])")[:4].hex()
_HEAD: Final = 2  # words before the rows of a list
_REPORT_WORDS: Final = 14  # the last is a price, which may differ
_DIGITS: Final = 64  # of a word


class Replay:
    """Questions to the rules, by the data of the call, and their right answers."""

    def __init__(self, answers: dict[str, str]) -> None:
        self._answers = list(answers.items())
        # Neighbours are alike; whatever is wrong shall show early.
        random.Random(1).shuffle(self._answers)

    @classmethod
    def recorded(cls, positions: int = POSITIONS) -> "Replay":
        """Everything that the comparison with python-chess asks.  It must find no difference."""
        answers: dict[str, str] = {}
        honest = Rpc.ask

        async def ask_and_keep(self: Rpc, method: str, *params: Any) -> Any:
            answer = await honest(self, method, *params)
            if method == "eth_call":
                answers[params[0]["data"]] = answer
            return answer

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Rpc, "ask", ask_and_keep)
            assert bench_rules(positions, seed=SEED)["mismatches"] == 0
        return cls({data: _without_prices(data, answer) for data, answer in answers.items()})

    def __len__(self) -> int:
        return len(self._answers)

    def holds(self, url: str, code: bytes) -> bool:
        """Whether a harness of this deployed code gives the same answers on the node at `url`."""
        ask(url, "anvil_setCode", _ADDRESS, "0x" + code.hex())
        return all(self._agrees(url, data, answer) for data, answer in self._answers)

    def _agrees(self, url: str, data: str, answer: str) -> bool:
        call = {"to": _ADDRESS, "data": data, "gas": hex(_CALL_GAS)}
        try:
            found: str = ask(url, "eth_call", call, "latest")
        except AssertionError:  # it reverts, or finds no end
            return False
        return _without_prices(data, found) == answer


def _without_prices(data: str, answer: str) -> str:
    if not data.startswith(_REPORTS):
        return answer
    words = [answer[i : i + _DIGITS] for i in range(2, len(answer), _DIGITS)]
    for i in range(_HEAD + _REPORT_WORDS - 1, len(words), _REPORT_WORDS):
        words[i] = ""
    return "".join(words)
