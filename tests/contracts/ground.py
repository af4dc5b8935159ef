"""A real node for contract tests, and the contracts on it.

Every transaction goes out with a fixed gas limit, so that one that must fail is mined as a failed
one, and its revert data are read from its trace.
"""

import ipaddress
import json
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from proofs.abi import Artifact, decode_error, load_artifact
from proofs.node import anvil_program

GAS: Final = 12_000_000
_START_SECONDS: Final = 30.0
_WITH_ERRORS: Final = (
    *("Arena", "BotRegistry", "Groth16MoveVerifier", "EzklMoveVerifier", "LibraryHarness"),
    "ProofPurse",
)
_PUSH_SECONDS: Final = 3.0


class Reverted(Exception):
    """A transaction or call failed by a named error."""

    def __init__(self, name: str, args: dict[str, Any]) -> None:
        super().__init__(f"{name}{args}")
        self.name = name
        self.values = args


@dataclass(frozen=True)
class Receipt:
    gas: int
    timestamp: int
    block: int
    events: tuple[tuple[str, dict[str, Any]], ...]
    """Names and arguments of all events that the known contracts can name."""

    def event(self, name: str) -> dict[str, Any]:
        found = [args for event, args in self.events if event == name]
        assert len(found) == 1, f"{len(found)} events {name} in {self.events}"
        return found[0]

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.events]


class Node:
    """One anvil over JSON-RPC, with the rules of a real chain."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.accounts: list[str] = self.ask("eth_accounts")

    def ask(self, method: str, *params: Any) -> Any:
        question = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        request = urllib.request.Request(
            self._url, json.dumps(question).encode(), {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=120) as response:
            answer = json.load(response)
        assert "error" not in answer, f"{method}: {answer['error']}"
        return answer["result"]

    @property
    def chain_id(self) -> int:
        return int(self.ask("eth_chainId"), 16)

    @property
    def now(self) -> int:
        """The time of the latest block, in seconds."""
        return int(self.ask("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def next_block_at(self, timestamp: int) -> None:
        self.ask("evm_setNextBlockTimestamp", hex(timestamp))

    @property
    def last_gas(self) -> int:
        """What the latest block's only transaction used."""
        return int(self.ask("eth_getBlockByNumber", "latest", False)["gasUsed"], 16)

    def receipt(self, sent: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("eth_getTransactionReceipt", sent)
        return found

    def mined(self, sent: str) -> dict[str, Any]:
        """The receipt of a transaction, which a node that mines by itself has at once."""
        start = time.monotonic()
        while (receipt := self.receipt(sent)) is None:
            waited = time.monotonic() - start
            assert waited < _START_SECONDS, f"{sent} was not mined in {waited:.0f} s"
            time.sleep(0.002)
        return receipt

    @contextmanager
    def one_block(self, timestamp: int | None = None) -> Iterator[list[str]]:
        """What is sent inside is mined in one block at the end, in the order it was sent."""
        self.ask("evm_setAutomine", False)
        try:
            yield []
            if timestamp is not None:
                self.next_block_at(timestamp)
            self.ask("evm_mine")
        finally:
            self.ask("evm_setAutomine", True)

    @contextmanager
    def forked_as(self, chain_id: int) -> Iterator[None]:
        """The chain under another id while inside."""
        usual = self.chain_id
        self.ask("anvil_setChainId", chain_id)
        try:
            yield
        finally:
            self.ask("anvil_setChainId", usual)

    def code(self, address: str) -> bytes:
        return bytes.fromhex(self.ask("eth_getCode", address, "latest")[2:])

    def set_code(self, address: str, code: bytes) -> None:
        self.ask("anvil_setCode", address, "0x" + code.hex())

    def storage(self, address: str, slot: int) -> int:
        return int(self.ask("eth_getStorageAt", address, hex(slot), "latest"), 16)

    def set_storage(self, address: str, slot: int, value: int) -> None:
        self.ask("anvil_setStorageAt", address, hex(slot), f"0x{value:064x}")

    def snapshot(self) -> str:
        taken: str = self.ask("evm_snapshot")
        return taken

    def revert(self, snapshot: str) -> None:
        """Back to a snapshot, once the pool has let go of what was mined.

        anvil shows a receipt a moment before it takes the transaction out of its pool.  A chain
        turned back in between would mine that transaction again, or lose the next one that has the
        same sender and nonce.
        """
        start = time.monotonic()
        while int(self.ask("txpool_status")["pending"], 16):
            if time.monotonic() - start > _PUSH_SECONDS:
                self.ask("anvil_dropAllTransactions")
            time.sleep(0.002)
        assert self.ask("evm_revert", snapshot)


class Contract:
    """One deployed contract: `send` makes a transaction, `call` reads."""

    def __init__(self, node: Node, artifact: Artifact, address: str) -> None:
        self.node = node
        self.artifact = artifact
        self.address = address

    @classmethod
    def deploy(cls, node: Node, name: str, *arguments: Any) -> "Contract":
        artifact = load_artifact(name)
        receipt = _transact(node, None, artifact.creation(*arguments), node.accounts[0], GAS)
        return cls(node, artifact, receipt["contractAddress"].lower())

    @classmethod
    def at(cls, node: Node, name: str, address: str) -> "Contract":
        return cls(node, load_artifact(name), address)

    def send(
        self, function: str, *arguments: Any, sender: int = 0, gas: int = GAS, value: int = 0
    ) -> Receipt:
        """`value` is in wei.  Raises Reverted."""
        data, account = self.artifact.call(function, *arguments), self.node.accounts[sender]
        return read_receipt(
            self.node, _transact(self.node, self.address, data, account, gas, value)
        )

    def send_later(self, function: str, *arguments: Any) -> str:
        """Put a transaction into the pool of a node that does not mine by itself; its hash."""
        data = self.artifact.call(function, *arguments)
        sent: str = self.node.ask(
            "eth_sendTransaction",
            _message(self.address, data, self.node.accounts[0], GAS),
        )
        return sent

    def call(self, function: str, *arguments: Any) -> Any:
        """Raises Reverted."""
        data = self.artifact.call(function, *arguments)
        return self.artifact.answer(function, self.call_raw(data))

    def call_raw(self, data: bytes, *, gas: int = GAS) -> bytes:
        message = _message(self.address, data, self.node.accounts[0], gas)
        question = {"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": [message, "latest"]}
        request = urllib.request.Request(
            self.node._url, json.dumps(question).encode(), {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=120) as response:
            answer = json.load(response)
        if "error" in answer:
            raise _reverted(answer["error"].get("data") or "0x")
        return bytes.fromhex(answer["result"][2:])


def read_receipt(node: Node, receipt: dict[str, Any]) -> Receipt:
    """A mined transaction.  Raises Reverted if it failed."""
    if receipt["status"] != "0x1":
        options = {"tracer": "callTracer"}
        trace = node.ask("debug_traceTransaction", receipt["transactionHash"], options)
        raise _reverted(trace.get("output") or "0x")
    block = node.ask("eth_getBlockByNumber", receipt["blockNumber"], False)
    return Receipt(
        gas=int(receipt["gasUsed"], 16),
        timestamp=int(block["timestamp"], 16),
        block=int(receipt["blockNumber"], 16),
        events=tuple(filter(None, map(_event, receipt["logs"]))),
    )


def _message(to: str | None, data: bytes, sender: str, gas: int, value: int = 0) -> dict[str, str]:
    message = {"from": sender, "data": "0x" + data.hex(), "gas": hex(gas), "value": hex(value)}
    return message if to is None else {**message, "to": to}


def _transact(  # noqa: PLR0917  what a transaction consists of
    node: Node, to: str | None, data: bytes, sender: str, gas: int, value: int = 0
) -> dict[str, Any]:
    sent: str = node.ask("eth_sendTransaction", _message(to, data, sender, gas, value))
    receipt = node.mined(sent)
    if to is None:
        read_receipt(node, receipt)
    return receipt


def _event(log: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    topics = [bytes.fromhex(topic[2:]) for topic in log["topics"]]
    data = bytes.fromhex(log["data"][2:])
    for name in ("Arena", "BotRegistry", "ProofPurse"):
        found = load_artifact(name).event(topics, data)
        if found is not None:
            return found
    return None


def _reverted(data: str) -> Reverted:
    artifacts = [load_artifact(name) for name in _WITH_ERRORS]
    return Reverted(*decode_error(bytes.fromhex(data[2:]), artifacts))


@contextmanager
def running_node() -> Iterator[Node]:
    """A fresh anvil with a real chain's limits, ended at the end."""
    host, port = free_address()
    command = [
        *(str(anvil_program()), "--host", host, "--port", str(port), "--hardfork", "osaka"),
        *("--gas-limit", "30000000", "--enable-tx-gas-limit", "--no-cors", "--quiet"),
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, process_group=0) as process:
        try:
            yield _wait(f"http://{host}:{port}", process)
        finally:
            process.terminate()


def _wait(url: str, process: "subprocess.Popen[bytes]") -> Node:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            return Node(url)
        except OSError:
            assert process.poll() is None, "anvil ended"
            assert time.monotonic() < deadline, "anvil does not answer"
            time.sleep(0.02)


def free_address() -> tuple[str, int]:
    """A loopback address and a port for a node.

    Where the system has many loopback addresses, nobody else has this one, and so nobody takes the
    port between this look and the node's start.
    """
    host = "127.0.0.1"
    if sys.platform == "linux":
        host = str(ipaddress.IPv4Address("127.1.0.0") + secrets.randbelow(254 << 16))
    with socket.socket() as listener:
        listener.bind((host, 0))
        port: int = listener.getsockname()[1]
        return host, port
