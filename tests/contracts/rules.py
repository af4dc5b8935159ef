"""The chess contracts on an anvil of their own, with room for very long calls."""

import json
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from eth_utils.crypto import keccak

from engine.encoding import Position
from proofs.abi import ABI_FOLDER
from proofs.node import anvil_program
from proofs.rules_chain import Report, report_of
from tests.contracts.ground import free_address

_CALL_GAS: Final = 10**12
_START_SECONDS: Final = 30.0


@dataclass(frozen=True)
class Child:
    """The position after one legal move; `gas` is what playing it cost."""

    position: Position
    gas: int


class Rules:
    """A deployed ChessRulesHarness."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._address = self._deploy()

    def reports(self, positions: Sequence[Position]) -> list[Report]:
        words = [word for position in positions for word in (position.board, position.context)]
        answer = self._call("reports(uint256[2][])", 0x20, len(positions), *words)[2:]
        rows = [answer[i : i + 14] for i in range(0, len(answer), 14)]
        return [report_of(row) for row in rows]

    def is_legal(self, position: Position, index: int) -> bool:
        words = (position.board, position.context, index)
        return self._call("isLegal(uint256,uint256,uint256)", *words) == [1]

    def children(self, position: Position) -> list[Child]:
        """The position after every legal move, in the order of the policy indices."""
        answer = self._call("children(uint256,uint256)", position.board, position.context)[2:]
        rows = [answer[i : i + 3] for i in range(0, len(answer), 3)]
        return [Child(Position(board, context), gas) for board, context, gas in rows]

    def moves(self) -> list[tuple[int, int, int]]:
        """From-square, to-square and promotion (piece code or 0) of every policy index."""
        answer = self._call("moves()")[2:]
        return [(answer[i], answer[i + 1], answer[i + 2]) for i in range(0, len(answer), 3)]

    def _deploy(self) -> str:
        artifact = json.loads((ABI_FOLDER / "ChessRulesHarness.json").read_text(encoding="utf-8"))
        sender = self._ask("eth_accounts")[0]
        sent = {"from": sender, "data": artifact["bytecode"], "gas": hex(10_000_000)}
        receipt = self._ask("eth_sendTransactionSync", sent)
        assert receipt["status"] == "0x1"
        address: str = receipt["contractAddress"]
        return address

    def _call(self, signature: str, *words: int) -> list[int]:
        data = keccak(text=signature)[:4] + b"".join(word.to_bytes(32, "big") for word in words)
        call = {"to": self._address, "data": "0x" + data.hex(), "gas": hex(_CALL_GAS)}
        answer = bytes.fromhex(self._ask("eth_call", call, "latest")[2:])
        return [int.from_bytes(answer[i : i + 32], "big") for i in range(0, len(answer), 32)]

    def _ask(self, method: str, *params: Any) -> Any:
        return ask(self.url, method, *params)


def ask(url: str, method: str, *params: Any) -> Any:
    question = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    request = urllib.request.Request(
        url, json.dumps(question).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=300) as response:
        answer = json.load(response)
    assert "error" not in answer, answer["error"]
    return answer["result"]


@contextmanager
def rules_node() -> Iterator[Rules]:
    """A fresh anvil with the harness on it, ended at the end."""
    host, port = free_address()
    command = [
        *(str(anvil_program()), "--host", host, "--port", str(port)),
        *("--gas-limit", str(_CALL_GAS), "--quiet"),
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, process_group=0) as process:
        try:
            url = f"http://{host}:{port}"
            _wait(url, process)
            yield Rules(url)
        finally:
            process.terminate()


def _wait(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            ask(url, "eth_chainId")
        except OSError:
            assert process.poll() is None, "anvil ended"
            assert time.monotonic() < deadline, "anvil does not answer"
            time.sleep(0.02)
        else:
            return
