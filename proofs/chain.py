"""The chain as the rest of the program sees it: typed questions, transactions, decoded logs.

Integers are integers, ids and hashes are 32 bytes, addresses are lower-case 0x hex; a payee is an
integer, as in a Statement.  Log arguments are the plain values of proofs/abi.py.

A transaction is signed once and only that one is sent again when an answer is lost, so nothing
ever lands twice.
"""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Final, Protocol

from proofs.abi import Artifact, load_artifact
from proofs.errors import ChainDown, WrongChain, shown_url
from proofs.outbox import MemoryOutbox, OutboxOf
from proofs.records import (
    Addresses,
    Block,
    BotVersion,
    LogEvent,
    OnChainGame,
    Opening,
    Receipt,
    bot_of,
    game_of,
    opening_of,
)
from proofs.rpc import Rpc, sensible
from proofs.sender import OnReceipt, OnSent, Sender
from proofs.signing import Domain, Open

LOG_SPAN: Final = 10_000
"""Blocks asked for at once; public nodes refuse longer ranges."""

_GAS_REMEMBERED: Final = 20_000


class ChainLike(Protocol):
    """What a game server needs of a chain."""

    @property
    def domain(self) -> Domain: ...
    @property
    def address(self) -> str: ...
    async def open_game(
        self, opening: Open, signature: bytes, secret: bytes, *, on_sent: OnSent | None = None
    ) -> Receipt: ...
    async def move(
        self, game: bytes, ply: int, index: int, signature: bytes, *, on_sent: OnSent | None = None
    ) -> Receipt: ...
    async def submit_bot_move(
        self,
        game: bytes,
        ply: int,
        index: int,
        payee: int,
        proof: bytes,
        *,
        on_sent: OnSent | None = None,
    ) -> Receipt: ...
    async def resign(
        self, game: bytes, signature: bytes, *, on_sent: OnSent | None = None
    ) -> Receipt: ...
    async def abort(
        self, game: bytes, signature: bytes, *, on_sent: OnSent | None = None
    ) -> Receipt: ...
    async def claim_draw(
        self, game: bytes, ply: int, signature: bytes, *, on_sent: OnSent | None = None
    ) -> Receipt: ...
    async def claim_timeout(self, game: bytes, *, on_sent: OnSent | None = None) -> Receipt: ...
    async def game(self, game: bytes) -> OnChainGame: ...
    async def all_games(self) -> list[Opening]: ...
    async def logs(self, game: bytes) -> list[LogEvent]: ...
    async def bots(self) -> list[BotVersion]: ...
    async def close(self) -> None: ...


class Chain:
    """A node, a key that pays for transactions, and the contracts' addresses.

    Every method raises ChainDown where no sense can be had from the node; those that send raise
    ChainRejected where a contract refuses.
    """

    def __init__(
        self, rpc: Rpc, chain_id: int, sender: Sender | None, addresses: Addresses | None
    ) -> None:
        self.rpc = rpc
        self.chain_id = chain_id
        self._sender = sender
        self._addresses = addresses
        self._times: dict[int, int] = {}
        self._gas: dict[str, int] = {}
        self._arena = load_artifact("Arena")
        self._registry = load_artifact("BotRegistry")

    @classmethod
    async def connect(
        cls,
        rpc_url: str,
        private_key: str | None = None,
        addresses: Addresses | None = None,
        *,
        outbox_of: OutboxOf = MemoryOutbox.of,
    ) -> "Chain":
        """Connect to the node at `rpc_url`.  Raises ChainDown, WrongChain.

        Without a key nothing can be sent; without addresses nothing but deployed.  `outbox_of`
        keeps what is signed.
        """
        rpc = Rpc(rpc_url)
        try:
            chain_id = await rpc.number("eth_chainId")
            if addresses is not None and addresses.chain_id != chain_id:
                raise WrongChain(
                    f"{shown_url(rpc_url)} is chain {chain_id}, not {addresses.chain_id}"
                )
            sender = None if private_key is None else Sender(rpc, chain_id, private_key, outbox_of)
        except BaseException:
            await rpc.close()
            raise
        return cls(rpc, chain_id, sender, addresses)

    def at(self, addresses: Addresses) -> "Chain":
        """The same connection and key, with these contracts."""
        return Chain(self.rpc, self.chain_id, self._sender, addresses)

    async def close(self) -> None:
        await self.rpc.close()

    def on_receipt(self, told: OnReceipt) -> None:
        """Have every receipt of our own transactions told, as Sender does."""
        self._key.on_receipt = told

    @property
    def addresses(self) -> Addresses:
        if self._addresses is None:
            raise WrongChain(f"the contracts on chain {self.chain_id} are not known")
        return self._addresses

    @property
    def domain(self) -> Domain:
        """Where signatures for this chain's games count."""
        return Domain(self.chain_id, self.addresses.arena)

    @property
    def address(self) -> str:
        """Who pays for the transactions, lower-case 0x hex."""
        return self._key.address.lower()

    @property
    def payee(self) -> int:
        """The same as an integer, as a Statement names it."""
        return int(self.address, 16)

    # ---- transactions ----

    async def open_game(
        self, opening: Open, signature: bytes, secret: bytes, *, on_sent: OnSent | None = None
    ) -> Receipt:
        return await self._arena_tx(
            "openGame", _open_tuple(opening), signature, secret, on_sent=on_sent
        )

    async def move(
        self, game: bytes, ply: int, index: int, signature: bytes, *, on_sent: OnSent | None = None
    ) -> Receipt:
        return await self._arena_tx("move", game, ply, index, signature, on_sent=on_sent)

    async def submit_bot_move(
        self,
        game: bytes,
        ply: int,
        index: int,
        payee: int,
        proof: bytes,
        *,
        on_sent: OnSent | None = None,
    ) -> Receipt:
        return await self._arena_tx(
            "submitBotMove", game, ply, index, _address(payee), proof, on_sent=on_sent
        )

    async def resign(
        self, game: bytes, signature: bytes, *, on_sent: OnSent | None = None
    ) -> Receipt:
        return await self._arena_tx("resign", game, signature, on_sent=on_sent)

    async def abort(
        self, game: bytes, signature: bytes, *, on_sent: OnSent | None = None
    ) -> Receipt:
        return await self._arena_tx("abort", game, signature, on_sent=on_sent)

    async def claim_draw(
        self, game: bytes, ply: int, signature: bytes, *, on_sent: OnSent | None = None
    ) -> Receipt:
        return await self._arena_tx("claimDraw", game, ply, signature, on_sent=on_sent)

    async def claim_timeout(self, game: bytes, *, on_sent: OnSent | None = None) -> Receipt:
        return await self._arena_tx("claimTimeout", game, on_sent=on_sent)

    async def register_house(
        self, net_hash: bytes, circuit_hash: bytes, verifying_key: bytes, metadata: str
    ) -> BotVersion:
        """Register a bot with a verifying key of its own."""
        data = self._registry.call("registerHouse", net_hash, circuit_hash, verifying_key, metadata)
        receipt = await self.send(self.addresses.registry, data, once=True)
        return bot_of(next(log for log in receipt.logs if log.name == "BotRegistered"))

    async def register_custom(  # noqa: PLR0917  the contract's own order
        self,
        net_hash: bytes,
        circuit_hash: bytes,
        key_hash: bytes,
        statement: bytes,
        verifier: str,
        metadata: str,
    ) -> BotVersion:
        """Register a bot with a verifier contract that nothing vouches for."""
        data = self._registry.call(
            "registerCustom", net_hash, circuit_hash, key_hash, statement, verifier, metadata
        )
        receipt = await self.send(self.addresses.registry, data)
        return bot_of(next(log for log in receipt.logs if log.name == "BotRegistered"))

    async def deploy(self, artifact: Artifact, *arguments: Any) -> Receipt:
        """Deploy a contract; the receipt's `contract` is its address."""
        return await self.send(None, artifact.creation(*arguments))

    async def send(
        self,
        to: str | None,
        data: bytes,
        *,
        value: int = 0,
        on_sent: OnSent | None = None,
        once: bool = False,
    ) -> Receipt:
        """Send call data from our key and wait until it landed; all else as in Sender.send.

        Raises ChainRejected, and ChainDown if it cannot be said whether it landed.
        """
        sent = await self._key.send(to, data, value=value, on_sent=on_sent, once=once)
        return await self._receipt(sent)

    async def recover(self) -> int:
        """Bring again what we sent and the chain has lost; returns how many.  Raises ChainDown."""
        return await self._key.recover()

    # ---- questions ----

    async def game(self, game: bytes) -> OnChainGame:
        """What the Arena holds of a game.  Raises ChainRejected (GameUnknown)."""
        raw = await self.view(self._arena, self.addresses.arena, "game", game)
        return game_of(raw)

    async def legal_mask(self, game: bytes) -> int:
        """The contract's legal-move mask, bit i for index i."""
        words = await self.view(self._arena, self.addresses.arena, "legalMask", game)
        return sum(word << 256 * k for k, word in enumerate(words))

    async def registry_of_arena(self) -> str:
        """The registry that the Arena asks, whatever we were told."""
        address: str = await self.view(self._arena, self.addresses.arena, "registry")
        return address

    async def logs(self, game: bytes) -> list[LogEvent]:
        """All logs of one game, oldest first."""
        return await self._logs(self.addresses.arena, [None, _hex(game)])

    async def events(self, since: int) -> list[LogEvent]:
        """The logs of all games from block `since` on, oldest first."""
        return await self._logs(self.addresses.arena, [], since)

    async def all_games(self) -> list[Opening]:
        """Every game ever opened, oldest first."""
        topics = [self._arena.topic("GameOpened")]
        return [opening_of(log) for log in await self._logs(self.addresses.arena, topics)]

    async def bot_logs(self) -> list[LogEvent]:
        """The registry's logs, oldest first."""
        topics = [self._registry.topic("BotRegistered")]
        return await self._logs(self.addresses.registry, topics)

    async def bots(self) -> list[BotVersion]:
        """Every bot version ever registered, oldest first."""
        return [bot_of(log) for log in await self.bot_logs()]

    async def block_number(self) -> int:
        return await self.rpc.number("eth_blockNumber")

    async def block(self, number: int | None = None) -> Block | None:
        """The latest block, or that of a number; None where the chain is shorter."""
        at = "latest" if number is None else hex(number)
        raw = await self.rpc.sure("eth_getBlockByNumber", at, False)
        with sensible(self.rpc.url):
            return Block(int(raw["number"], 16), str(raw["hash"])) if raw else None

    async def balance(self, address: str) -> int:
        """In wei."""
        return await self.rpc.number("eth_getBalance", address, "latest")

    async def gas_price(self) -> int:
        """In wei, as a transaction would pay it now."""
        return await self.rpc.number("eth_gasPrice")

    async def code(self, address: str) -> bytes:
        """The deployed code at an address, empty if there is none."""
        with sensible(self.rpc.url):
            return _bytes(await self.rpc.sure("eth_getCode", address, "latest"))

    async def sender_of(self, tx: str) -> str | None:
        """Who sent a transaction, lower-case 0x hex; None if the node does not know it."""
        found = await self.rpc.sure("eth_getTransactionByHash", tx)
        with sensible(self.rpc.url):
            return str(found["from"]).lower() if found else None

    async def gas_used(self, tx: str) -> int | None:
        """The gas of a landed transaction, None if the node does not know it."""
        if tx not in self._gas:
            receipt = await self.rpc.sure("eth_getTransactionReceipt", tx)
            with sensible(self.rpc.url):
                if not receipt:
                    return None
                self._remember_gas(tx, int(receipt["gasUsed"], 16))
        return self._gas[tx]

    def _remember_gas(self, tx: str, gas: int) -> None:
        """A game's are asked for again with each of its moves."""
        if len(self._gas) >= _GAS_REMEMBERED:
            self._gas.clear()
        self._gas[tx] = gas

    async def view(self, artifact: Artifact, to: str, function: str, *arguments: Any) -> Any:
        """What a contract answers.  Raises WrongChain where there is none, ChainRejected."""
        call = {"to": to, "data": "0x" + artifact.call(function, *arguments).hex()}
        answer = await self.rpc.run("eth_call", call, "latest")
        if answer == "0x":
            raise WrongChain(f"there is no {artifact.name} at {to} on chain {self.chain_id}")
        with sensible(self.rpc.url):
            return artifact.answer(function, _bytes(answer))

    # ---- inside ----

    @property
    def _key(self) -> Sender:
        if self._sender is None:
            raise WrongChain("there is no key to send transactions with")
        return self._sender

    async def _arena_tx(self, function: str, *arguments: Any, on_sent: OnSent | None) -> Receipt:
        data = self._arena.call(function, *arguments)
        # a timeout may have to be claimed twice; all else can only be done once
        once = function != "claimTimeout"
        return await self.send(self.addresses.arena, data, on_sent=on_sent, once=once)

    async def _receipt(self, raw: dict[str, Any]) -> Receipt:
        with sensible(self.rpc.url):
            block = int(raw["blockNumber"], 16)
            decoded = [await self._decode(log) for log in raw["logs"]]
            logs = tuple(log for log in decoded if log is not None)
            time = logs[0].time if logs else await self._time(block)
            gas, contract = int(raw["gasUsed"], 16), raw.get("contractAddress")
            name = str(raw["blockHash"])
            self._remember_gas(raw["transactionHash"], gas)
            return Receipt(raw["transactionHash"], gas, block, time, logs, contract, name)

    async def _logs(
        self, address: str, topics: Sequence[str | None], since: int = 0
    ) -> list[LogEvent]:
        first, last = max(since, self.addresses.block), await self.block_number()
        found: list[LogEvent] = []
        for start in range(first, last + 1, LOG_SPAN):
            question = {
                "address": address,
                "topics": list(topics),
                "fromBlock": hex(start),
                "toBlock": hex(min(start + LOG_SPAN - 1, last)),
            }
            answer = await self.rpc.sure("eth_getLogs", question)
            with sensible(self.rpc.url):
                decoded = [await self._decode(raw) for raw in answer]
            found += [log for log in decoded if log is not None]
        return sorted(found, key=lambda log: (log.block, log.log_index))

    async def _decode(self, raw: dict[str, Any]) -> LogEvent | None:
        """A log of the contracts we know, None for any other."""
        artifact = self._emitter(raw["address"].lower())
        if artifact is None or raw.get("removed"):
            return None
        decoded = artifact.event([_bytes(t) for t in raw["topics"]], _bytes(raw["data"]))
        if decoded is None:
            return None
        block, stamp = int(raw["blockNumber"], 16), raw.get("blockTimestamp")
        time = int(stamp, 16) if stamp else await self._time(block)
        return LogEvent(*decoded, block, raw["transactionHash"], int(raw["logIndex"], 16), time)

    def _emitter(self, address: str) -> Artifact | None:
        if self._addresses is None:
            return None
        return {self._addresses.arena: self._arena, self._addresses.registry: self._registry}.get(
            address
        )

    async def _time(self, block: int) -> int:
        """A block's time.  The last few are remembered: several logs share one."""
        if block not in self._times:
            head = await self.rpc.sure("eth_getBlockByNumber", hex(block), False)
            if not head:
                raise ChainDown(self.rpc.url, f"block {block} is gone")
            if len(self._times) > 256:
                self._times.clear()
            self._times[block] = int(head["timestamp"], 16)
        return self._times[block]


def _open_tuple(opening: Open) -> tuple[Any, ...]:
    return tuple(getattr(opening, field.name) for field in fields(opening))


def _hex(data: bytes) -> str:
    return "0x" + bytes(data).hex()


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def _address(number: int) -> str:
    return f"0x{number:040x}"
