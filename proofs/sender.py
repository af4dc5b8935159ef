"""Sending transactions so that each lands at most once.

A transaction is signed once and kept in an outbox before it is first sent; when an answer is lost,
that same one is sent again.  One lock keeps a key's nonces in order.

A chain may go back: a node that was killed lost its latest blocks, or a reorg dropped them.  Then
the key's nonce there is below what the outbox holds, and what is missing is brought again, in
order, before anything new.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes

from proofs.errors import ChainDown, ChainRejected, WellKnownKey
from proofs.node import CHAIN_ID
from proofs.outbox import MemoryOutbox, Outbox, OutboxOf, SignedTx, wish_of
from proofs.rpc import Rpc, RpcFault, sensible

TX_GAS_CAP: Final = 1 << 24
"""The most gas of one transaction (EIP-7825)."""

_BROADCAST_SECONDS: Final = 20.0
_LANDING_SECONDS: Final = 120.0
_RESEND_SECONDS: Final = 3.0
_POLL_SECONDS: Final = (0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0)
_RECOVERY_SECONDS: Final = 15.0
_NONCE_TRIES: Final = 5
_LOG: Final = logging.getLogger(__name__)

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
"""Told a transaction's hash: just before it is first sent, or when it is under way already."""

OnReceipt = Callable[[dict[str, Any]], None]
"""Told each receipt of ours, also of what a contract refused: its gas is paid.  Maybe twice."""


def check_key(private_key: str, chain_id: int) -> str:
    """The lower-case address of a key that may be used on this chain.  Raises WellKnownKey."""
    address: str = Account.from_key(private_key).address.lower()
    if address in WELL_KNOWN and chain_id != CHAIN_ID:
        raise WellKnownKey(address, chain_id)
    return address


class Sender:
    """A key and the node that it sends through.  Raises WellKnownKey, ValueError for no key."""

    def __init__(
        self, rpc: Rpc, chain_id: int, private_key: str, outbox_of: OutboxOf = MemoryOutbox.of
    ) -> None:
        self.address = check_key(private_key, chain_id)
        self._rpc = rpc
        self._chain_id = chain_id
        self._account: LocalAccount = Account.from_key(private_key)
        self._outbox: Outbox = outbox_of(chain_id, self.address)
        self._lock = asyncio.Lock()
        self._recoveries = 0
        self._looked_at = float("-inf")
        self._limits: dict[tuple[str | None, str], int] = {}
        self.on_receipt: OnReceipt = lambda _receipt: None

    async def send(
        self,
        to: str | None,
        data: bytes,
        *,
        value: int = 0,
        on_sent: OnSent | None = None,
        once: bool = False,
    ) -> dict[str, Any]:
        """Send call data and `value` wei, wait for the block and return the node's receipt.

        The same call data that is under way already is waited for and not sent again; with `once`
        not even after it has landed, unless the contract refused it then.

        Raises ChainRejected, and ChainDown if it cannot be said whether it landed.
        """
        call = {"from": self.address, "data": "0x" + data.hex()}
        if to is not None:
            call["to"] = to
        if value:
            call["value"] = hex(value)
        wish = wish_of(to, data, value)
        with sensible(self._rpc.url):
            signed = await self._take(call, wish, once, on_sent)
            try:
                receipt = await self._landed(signed)
            except _Spent:
                if (dearer := self._outbox.find(wish, done=False)) is None:
                    raise
                if on_sent is not None:
                    on_sent(dearer.tx)
                signed, receipt = dearer, await self._landed(dearer)
            worked = int(receipt["status"], 16) == 1
            self._outbox.landed(signed.tx, int(receipt["blockNumber"], 16), worked=worked)
            if worked:
                return receipt
        await self._rpc.run("eth_call", call, receipt["blockNumber"])  # raises with the reason
        raise ChainRejected("Reverted", {"tx": signed.tx})

    async def recover(self) -> int:
        """Bring again what the chain has lost, and learn what landed unseen.

        Returns how many transactions were brought.  Raises ChainDown.
        """
        with sensible(self._rpc.url):
            async with self._lock:
                return await self._recover()

    # --- a new transaction ----------------------------------------------------------------------

    async def _take(
        self, call: dict[str, str], wish: bytes, once: bool, on_sent: OnSent | None
    ) -> SignedTx:
        """The transaction for this wish that there is already, else a new one."""
        known = self._outbox.find(wish, done=once)
        if known is None:
            try:
                return await self._make(call, wish, once, on_sent)
            except ChainRejected:
                known = self._outbox.find(wish, done=once)
                if known is None:  # else it was refused because somebody quicker has done it
                    raise
        if on_sent is not None:
            on_sent(known.tx)
        return known

    async def _make(
        self, call: dict[str, str], wish: bytes, once: bool, on_sent: OnSent | None
    ) -> SignedTx:
        """Sign the call, keep it and get it into the node's pool."""
        for pause in (0.0, *_POLL_SECONDS[-_NONCE_TRIES:]):  # a node may lag behind another
            await asyncio.sleep(pause)
            recoveries, gas = self._recoveries, await self._gas(call)
            async with self._lock:
                if recoveries != self._recoveries:
                    continue  # the estimate was made on a chain that had lost its blocks
                known = self._outbox.find(wish, done=once)  # somebody else may be quicker
                signed = known or await self._sign(call, gas, wish)
                if signed is None:
                    await self._recover()
                    continue
                if known is None:
                    self._outbox.save(signed)
                if on_sent is not None:
                    on_sent(signed.tx)
                if known is not None or await self._broadcast(signed):
                    return signed
        raise ChainDown(self._rpc.url, "it does not agree with itself about our nonce")

    async def _gas(self, call: dict[str, str]) -> int:
        """A limit with room for what may differ when the transaction lands.

        A node finds a least limit by running the call some twenty times over.  One that was
        enough for the same function before is tried first, which takes a single run.
        """
        kind = (call.get("to"), call["data"][:10])  # the address, and 0x with the function's hash
        known = self._limits.get(kind)
        if known is not None and await self._suffices(call, known):
            return _with_room(known)
        estimate = int(await self._rpc.run("eth_estimateGas", call), 16)
        if kind[0] is not None:
            # moves of one kind differ by some hundredths: with room, one's will do for the next
            self._limits[kind] = max(_with_room(estimate), known or 0)
        return _with_room(estimate)

    async def _suffices(self, call: dict[str, str], limit: int) -> bool:
        """Whether the call would be done within a limit now; if not, an estimate tells why."""
        try:
            await self._rpc.ask("eth_call", {**call, "gas": hex(limit)}, "latest")
        except RpcFault:
            return False
        return True

    async def _broadcast(self, signed: SignedTx) -> bool:
        """Get a fresh transaction into the pool; False if its nonce is spent already."""
        try:
            await self._push(signed)
        except RpcFault as fault:
            # whatever the node has against it: this one is nowhere, and another may be made
            self._outbox.forget(signed.tx)
            if "nonce" in fault.message.lower():
                return False
            raise ChainDown(self._rpc.url, fault.message) from fault
        return True

    async def _sign(self, call: dict[str, str], gas: int, wish: bytes) -> SignedTx | None:
        """The signed call, None where the node does not know of our latest transactions."""
        fees, nonce = await asyncio.gather(self._fees(), self._nonce("pending"))
        if nonce < self._outbox.next_nonce:
            return None
        fields: dict[str, Any] = {
            "type": 2,
            "chainId": self._chain_id,
            "nonce": nonce,
            "gas": gas,
            **fees,
            "value": int(call.get("value", "0x0"), 16),
            "data": call["data"],
        }
        if "to" in call:
            fields["to"] = bytes.fromhex(call["to"][2:])
        return self._signed(fields, wish)

    async def _fees(self) -> dict[str, int]:
        head, tip = await asyncio.gather(
            self._rpc.sure("eth_getBlockByNumber", "latest", False),
            self._rpc.number("eth_maxPriorityFeePerGas"),
        )
        # the base fee can double within six blocks
        most = 2 * int(head["baseFeePerGas"], 16) + tip
        return {"maxFeePerGas": most, "maxPriorityFeePerGas": tip}

    def _signed(self, fields: dict[str, Any], wish: bytes) -> SignedTx:
        signed = self._account.sign_transaction(fields)
        tx, raw = bytes(signed.hash), bytes(signed.raw_transaction)
        return SignedTx("0x" + tx.hex(), int(fields["nonce"]), "0x" + raw.hex(), wish)

    # --- on its way -----------------------------------------------------------------------------

    async def _push(self, signed: SignedTx) -> None:
        """Send until the node has it.  Raises RpcFault, and ChainDown after a while."""
        end = _now() + _BROADCAST_SECONDS
        while True:
            try:
                await self._rpc.ask("eth_sendRawTransaction", signed.raw)
                return
            except RpcFault:
                # also the answer to one that an earlier, lost reply was about
                if await self._rpc.sure("eth_getTransactionByHash", signed.tx):
                    return
                raise
            except ChainDown:
                if _now() > end:
                    raise
            await asyncio.sleep(_POLL_SECONDS[-1])

    async def _landed(self, signed: SignedTx) -> dict[str, Any]:
        """Wait for the receipt, and bring what the node forgot."""
        end, polls = _now() + _LANDING_SECONDS, 0
        # one that is said to be in a block, and is not, is missed at once
        look_again = _now() + (_RESEND_SECONDS if signed.block is None else 0)
        while True:
            try:
                receipt = await self._receipt(signed.tx)
                if receipt is not None:
                    self._tell(signed, receipt)
                    return receipt
                if _now() > look_again:
                    if signed.block is not None or _now() > self._looked_at + _RESEND_SECONDS:
                        await self.recover()  # for all that wait
                    look_again = _now() + _RESEND_SECONDS
                    if signed.tx not in (kept.tx for kept in self._outbox.since(signed.nonce)):
                        raise _Spent(self._rpc.url, f"{signed.tx} was lost: its nonce is spent")
            except _Spent:
                raise
            except ChainDown:
                if _now() > end:
                    raise
            if _now() > end:
                raise ChainDown(self._rpc.url, f"{signed.tx} is in no block yet")
            await asyncio.sleep(_POLL_SECONDS[min(polls, len(_POLL_SECONDS) - 1)])
            polls += 1

    async def _receipt(self, tx: str) -> dict[str, Any] | None:
        receipt: dict[str, Any] | None = await self._rpc.sure("eth_getTransactionReceipt", tx)
        return receipt or None

    def _tell(self, signed: SignedTx, receipt: dict[str, Any]) -> None:
        if signed.block is None:  # else it was told when it landed
            self.on_receipt(receipt)

    # --- what the chain has lost ----------------------------------------------------------------

    async def _recover(self) -> int:
        """With the lock held: settle what has landed, and bring the rest."""
        self._looked_at = _now()
        latest = await self._settle_spent()
        missing = self._without_gap(latest, await self._nonce("pending"))
        went_back = any(signed.block is not None for signed in missing)
        if went_back:
            _LOG.warning("the chain went back: bringing %d transactions again", len(missing))
            self._recoveries += 1
            self._outbox.lost(latest)
        for signed in missing:
            await self._bring(signed)
        if went_back:  # what comes next is to be estimated on what these make
            await self._wait_for_nonce(missing[-1].nonce + 1)
            await self._settle_spent()
        return len(missing)

    def _without_gap(self, latest: int, pending: int) -> list[SignedTx]:
        """What is kept from nonce `latest` on, up to the first nonce that nobody has.

        Beyond it nothing can land; it is forgotten, and has to be signed anew.
        """
        reachable, following = [], max(latest, pending)
        for signed in self._outbox.since(latest):
            if signed.nonce <= following:
                reachable.append(signed)
                following = max(following, signed.nonce + 1)
            else:
                _LOG.warning("transaction %s comes after one that is lost for good", signed.tx)
                self._outbox.forget(signed.tx)
        return reachable

    async def _settle_spent(self) -> int:
        """Learn what became of those whose nonces the chain has used; returns the next one."""
        latest = await self._nonce("latest")
        for signed in self._outbox.open():
            if signed.nonce < latest:
                await self._settle(signed)
        return latest

    async def _settle(self, signed: SignedTx) -> None:
        """Its nonce is spent: by itself, or by another."""
        receipt = await self._receipt(signed.tx)
        if receipt is None:
            _LOG.warning("transaction %s can never land: its nonce is spent", signed.tx)
            self._outbox.forget(signed.tx)
            return
        worked = int(receipt["status"], 16) == 1
        self._tell(signed, receipt)
        self._outbox.landed(signed.tx, int(receipt["blockNumber"], 16), worked=worked)

    async def _bring(self, signed: SignedTx) -> None:
        try:
            await self._push(signed)
        except RpcFault as fault:
            if "nonce" in fault.message.lower():
                return  # it landed between two questions, or another did: the next look tells
            if not any(word in fault.message.lower() for word in ("fee", "underpriced")):
                raise ChainDown(self._rpc.url, fault.message) from fault
            await self._pay_more(signed)

    async def _pay_more(self, signed: SignedTx) -> None:
        """The same call at the same nonce with the fees of now: still only one of them can land."""
        old = TypedTransaction.from_bytes(HexBytes(signed.raw)).as_dict()
        fields = {name: old[name] for name in ("type", "chainId", "nonce", "gas", "value", "data")}
        if old.get("to"):
            fields["to"] = old["to"]
        dearer = self._signed({**fields, **await self._fees()}, signed.wish)
        _LOG.warning("transaction %s pays too little now: %s takes its place", signed.tx, dearer.tx)
        self._outbox.save(dearer)
        try:
            await self._push(dearer)
        except RpcFault as fault:
            raise ChainDown(self._rpc.url, fault.message) from fault

    async def _wait_for_nonce(self, nonce: int) -> None:
        """Wait until blocks hold what was brought; for slow chains only a while."""
        end, polls = _now() + _RECOVERY_SECONDS, 0
        while await self._nonce("latest") < nonce and _now() < end:
            await asyncio.sleep(_POLL_SECONDS[min(polls, len(_POLL_SECONDS) - 1)])
            polls += 1

    async def _nonce(self, block: str) -> int:
        return await self._rpc.number("eth_getTransactionCount", self.address, block)


def _with_room(gas: int) -> int:
    return max(gas, min(gas + gas // 5 + 10_000, TX_GAS_CAP))


class _Spent(ChainDown):
    """A transaction that can never land."""


def _now() -> float:
    return asyncio.get_running_loop().time()
