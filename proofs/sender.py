"""Sending transactions so that each lands at most once.

A transaction is signed once; when an answer is lost, that same one is sent again.  One lock keeps
a key's nonces in order.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from eth_account import Account
from eth_account.signers.local import LocalAccount

from proofs.errors import ChainDown, ChainRejected, WellKnownKey
from proofs.node import CHAIN_ID
from proofs.rpc import Rpc, RpcFault, sensible

TX_GAS_CAP: Final = 1 << 24
"""The most gas of one transaction (EIP-7825)."""

_BROADCAST_SECONDS: Final = 20.0
_LANDING_SECONDS: Final = 120.0
_RESEND_SECONDS: Final = 3.0
_POLL_SECONDS: Final = (0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0)
_NONCE_TRIES: Final = 3

LOCAL_KEY: Final = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
"""anvil's first account: rich on a local chain, and in every robber's list on any other."""

WELL_KNOWN: Final = frozenset(
    # the first twenty accounts of "test test test test test test test test test test test junk"
    {
        "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266",
        "0x70997970c51812dc3a010c7d01b50e0d17dc79c8",
        "0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc",
        "0x90f79bf6eb2c4f870365e785982e1f101e93b906",
        "0x15d34aaf54267db7d7c367839aaf71a00a2c6a65",
        "0x9965507d1a55bcc2695c58ba16fb37d819b0a4dc",
        "0x976ea74026e726554db657fa54763abd0c3a0aa9",
        "0x14dc79964da2c08b23698b3d3cc7ca32193d9955",
        "0x23618e81e3f5cdf7f54c3d65f7fbc0abf5b21e8f",
        "0xa0ee7a142d267c1f36714e4a8f75612f20a79720",
        "0xbcd4042de499d14e55001ccbb24a551f3b954096",
        "0x71be63f3384f5fb98995898a86b02fb2426c5788",
        "0xfabb0ac9d68b0b445fb7357272ff202c5651694a",
        "0x1cbd3b2770909d4e10f157cabc84c7264073c9ec",
        "0xdf3e18d64bc6a983f673ab319ccae4f1a57c7097",
        "0xcd3b766ccdd6ae721141f452c550ca635964ce71",
        "0x2546bcd3c84621e976d8185a91a922ae77ecec30",
        "0xbda5747bfd65f08deb54cb465eb87d40e51b197e",
        "0xdd2fd4581271e230360230f9337d5c0430bf44c0",
        "0x8626f6940e2eb28930efb4cef49b2d1f2c9c1199",
    }
)

OnSent = Callable[[str], None]
"""Told a transaction's hash just before it is first sent."""


def check_key(private_key: str, chain_id: int) -> str:
    """The lower-case address of a key that may be used on this chain.  Raises WellKnownKey."""
    address: str = Account.from_key(private_key).address.lower()
    if address in WELL_KNOWN and chain_id != CHAIN_ID:
        raise WellKnownKey(address, chain_id)
    return address


class Sender:
    """A key and the node that it sends through.  Raises WellKnownKey, ValueError for no key."""

    def __init__(self, rpc: Rpc, chain_id: int, private_key: str) -> None:
        self.address = check_key(private_key, chain_id)
        self._rpc = rpc
        self._chain_id = chain_id
        self._account: LocalAccount = Account.from_key(private_key)
        self._lock = asyncio.Lock()

    async def send(
        self, to: str | None, data: bytes, *, on_sent: OnSent | None = None
    ) -> dict[str, Any]:
        """Send call data, wait for its block and return the node's receipt.

        Raises ChainRejected, and ChainDown if it cannot be said whether it landed.
        """
        call = {"from": self.address, "data": "0x" + data.hex()}
        if to is not None:
            call["to"] = to
        with sensible(self._rpc.url):
            gas = await self._gas(call)
            async with self._lock:
                tx, raw = await self._broadcast(call, gas, on_sent)
            receipt = await self._landed(tx, raw)
            if int(receipt["status"], 16) == 1:
                return receipt
        await self._rpc.run("eth_call", call, receipt["blockNumber"])  # raises with the reason
        raise ChainRejected("Reverted", {"tx": tx})

    async def _gas(self, call: dict[str, str]) -> int:
        """A limit with room for what may differ when the transaction lands."""
        estimate = int(await self._rpc.run("eth_estimateGas", call), 16)
        return max(estimate, min(estimate + estimate // 5 + 10_000, TX_GAS_CAP))

    async def _broadcast(
        self, call: dict[str, str], gas: int, on_sent: OnSent | None
    ) -> tuple[str, str]:
        """Sign the call and get it into the node's pool.  Returns its hash and itself, as hex."""
        for _ in range(_NONCE_TRIES):
            tx, raw = await self._sign(call, gas)
            if on_sent is not None:
                on_sent(tx)
            try:
                await self._push(tx, raw)
            except RpcFault as fault:
                if "nonce" in fault.message.lower():
                    continue  # ours is spent, so this transaction can never land
                raise ChainDown(self._rpc.url, fault.message) from fault
            return tx, raw
        raise ChainDown(self._rpc.url, "it does not agree with itself about our nonce")

    async def _sign(self, call: dict[str, str], gas: int) -> tuple[str, str]:
        head, tip, nonce = await asyncio.gather(
            self._rpc.sure("eth_getBlockByNumber", "latest", False),
            self._rpc.number("eth_maxPriorityFeePerGas"),
            self._rpc.number("eth_getTransactionCount", self.address, "pending"),
        )
        fields: dict[str, Any] = {
            "type": 2,
            "chainId": self._chain_id,
            "nonce": nonce,
            "gas": gas,
            # the base fee can double within six blocks
            "maxFeePerGas": 2 * int(head["baseFeePerGas"], 16) + tip,
            "maxPriorityFeePerGas": tip,
            "value": 0,
            "data": call["data"],
        }
        if "to" in call:
            fields["to"] = bytes.fromhex(call["to"][2:])
        signed = self._account.sign_transaction(fields)
        return "0x" + bytes(signed.hash).hex(), "0x" + bytes(signed.raw_transaction).hex()

    async def _push(self, tx: str, raw: str) -> None:
        """Send until the node has it.  Raises RpcFault, and ChainDown after a while."""
        end = _now() + _BROADCAST_SECONDS
        while True:
            try:
                await self._rpc.ask("eth_sendRawTransaction", raw)
                return
            except RpcFault:
                # also the answer to one that an earlier, lost reply was about
                if await self._rpc.sure("eth_getTransactionByHash", tx):
                    return
                raise
            except ChainDown:
                if _now() > end:
                    raise
            await asyncio.sleep(_POLL_SECONDS[-1])

    async def _landed(self, tx: str, raw: str) -> dict[str, Any]:
        """Wait for the receipt, and bring the transaction again if the node forgot it."""
        end, resend, polls = _now() + _LANDING_SECONDS, _now() + _RESEND_SECONDS, 0
        while True:
            try:
                receipt: dict[str, Any] | None = await self._rpc.sure(
                    "eth_getTransactionReceipt", tx
                )
                if receipt:
                    return receipt
                if _now() > resend:
                    resend = _now() + _RESEND_SECONDS
                    await self._push(tx, raw)
            except RpcFault as fault:
                raise ChainDown(self._rpc.url, f"{tx} was lost: {fault.message}") from fault
            except ChainDown:
                if _now() > end:
                    raise
            if _now() > end:
                raise ChainDown(self._rpc.url, f"{tx} is in no block yet")
            await asyncio.sleep(_POLL_SECONDS[min(polls, len(_POLL_SECONDS) - 1)])
            polls += 1


def _now() -> float:
    return asyncio.get_running_loop().time()
