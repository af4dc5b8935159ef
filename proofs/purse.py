"""Fees for whoever proves a bot's moves, paid by a contract beside the Arena (IProofPurse.sol).

Money is in wei.  Errors are the chain's: ChainDown, ChainRejected.
"""

from dataclasses import dataclass
from typing import Any, Final

from proofs.abi import Artifact, load_artifact
from proofs.chain import Chain
from proofs.errors import WrongChain
from proofs.records import Receipt
from proofs.rpc import sensible

MOST: Final = (1 << 80) - 1
"""The most that a term can be."""


@dataclass(frozen=True)
class Terms:
    """What a bot pays for one move, and the most in a day: to one other side, and in all."""

    fee: int
    per_player: int
    per_day: int


@dataclass(frozen=True)
class Account:
    """One bot's purse."""

    terms: Terms
    balance: int
    paid_today: int


class Purse:
    """The purses of one arena's bots; get one by `at` or `deploy`."""

    def __init__(self, chain: Chain, address: str) -> None:
        self.address = address.lower()
        self._chain = chain
        self._artifact = _artifact()

    @classmethod
    async def deploy(cls, chain: Chain) -> "Purse":
        """A new contract for the chain's arena."""
        receipt = await chain.deploy(_artifact(), chain.addresses.arena)
        assert receipt.contract is not None
        return cls(chain, receipt.contract)

    @classmethod
    async def at(cls, chain: Chain, address: str) -> "Purse":
        """The contract at an address.  Raises WrongChain if it is not ours for the chain's arena.

        What our code deploys is asked of the node, so that its constants are compared too.
        """
        creation = "0x" + _artifact().creation(chain.addresses.arena).hex()
        ours = await chain.rpc.run("eth_call", {"data": creation}, "latest")
        if await chain.code(address) != bytes.fromhex(ours.removeprefix("0x")):
            raise WrongChain(
                f"there is no purse of this version for the arena {chain.addresses.arena} "
                f"at {address} on chain {chain.chain_id}"
            )
        return cls(chain, address)

    async def deposit(self, bot: bytes, amount: int) -> Receipt:
        return await self._send("deposit", bot, value=amount)

    async def set_terms(self, bot: bytes, terms: Terms) -> Receipt:
        """For the bot's owner."""
        words = (terms.fee, terms.per_player, terms.per_day)
        return await self._send("setTerms", bot, words)

    async def withdraw(self, bot: bytes, amount: int, to: str) -> Receipt:
        """For the bot's owner."""
        return await self._send("withdraw", bot, amount, to)

    async def claim(self, payee: str) -> Receipt:
        """Have what is owed to a payee sent there."""
        return await self._send("claim", payee)

    async def submit(
        self, game: bytes, ply: int, index: int, payee: int, proof: bytes, *, least: int = 0
    ) -> tuple[Receipt, int]:
        """Bring a bot's move to the arena; what it earned."""
        move = (game, ply, index, f"0x{payee:040x}", proof, least)
        data = self._artifact.call("submit", *move)
        receipt = await self._chain.send(self.address, data, once=True)
        return receipt, await self._earned(receipt.tx)

    async def account(self, bot: bytes) -> Account:
        raw = await self._view("purse", bot)
        terms = raw["terms"]
        return Account(
            Terms(terms["fee"], terms["perPlayer"], terms["perDay"]),
            raw["balance"],
            raw["paidToday"],
        )

    async def owed(self, payee: str) -> int:
        found: int = await self._view("owed", payee)
        return found

    async def fee_now(self, bot: bytes, side: bytes) -> int:
        """What the bot would pay for a move against a side."""
        found: int = await self._view("feeNow", bot, side)
        return found

    async def _earned(self, tx: str) -> int:
        raw = await self._chain.rpc.sure("eth_getTransactionReceipt", tx)
        with sensible(self._chain.rpc.url):
            for log in raw["logs"]:
                topics = [_bytes(topic) for topic in log["topics"]]
                event = self._artifact.event(topics, _bytes(log["data"]))
                if log["address"].lower() == self.address and event is not None:
                    return int(event[1]["fee"])
        return 0

    async def _send(self, function: str, *arguments: Any, value: int = 0) -> Receipt:
        data = self._artifact.call(function, *arguments)
        return await self._chain.send(self.address, data, value=value)

    async def _view(self, function: str, *arguments: Any) -> Any:
        return await self._chain.view(self._artifact, self.address, function, *arguments)


def _artifact() -> Artifact:
    return load_artifact("ProofPurse")


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
