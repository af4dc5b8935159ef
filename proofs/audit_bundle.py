"""Auditing the games of a bundle: replayed as proofs/audit.py does, and tied to the chain's blocks.

Further checks, of each game, by the names that a report uses:

    block       the block's hash is its header's, and the header commits to the receipt of the log
    chain       the same for the last block, as of which codes and games were read
    code        a contract's code is this version's, and the last block's state commits to it
    net         a net's file in the bundle has the hash that names it
    verifier    a house bot's verifier is this version's, around just the registered key, and the
                last block's state commits to it; to an ONNX bot's as well (proofs/audit_ezkl.py)
    nodes       all nodes that were asked show the same blocks, codes and games
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from eth_abi.exceptions import DecodingError
from eth_utils.crypto import keccak

from proofs.abi import immutables, load_artifact, same_code
from proofs.audit import Replay
from proofs.audit_bots import AuditedBot, CircuitOf, CustomBots
from proofs.audit_docket import judge_all
from proofs.audit_judges import Judge
from proofs.audit_report import Ledger, Report
from proofs.bundle import Bundle
from proofs.evidence import (
    BlockEvidence,
    Header,
    ReceiptEvidence,
    code_problem,
    read_header,
    read_receipt,
    receipt_problem,
)
from proofs.game_file import GameRecord
from proofs.records import LogEvent, OnChainGame, game_of
from proofs.trie import BadRlp

BATCH: Final = 32
"""Games whose proofs are judged together."""

Disagreement = tuple[int | None, str]
"""What another node says otherwise: the block that it is about, if any, and what."""


class Audit:
    """An audit of a bundle's games."""

    def __init__(
        self,
        bundle: Bundle,
        *,
        circuit_of: CircuitOf,
        judges: Sequence[Judge],
        custom: CustomBots | None = None,
        disagreements: Mapping[str, Iterable[Disagreement]] | None = None,
    ) -> None:
        """`disagreements` are those of further nodes, by the nodes' names."""
        self._bundle = bundle
        self._circuit_of = circuit_of
        self._judges = judges
        self._custom = custom
        self._nodes = {name: tuple(found) for name, found in (disagreements or {}).items()}
        self._headers: dict[int, Header] = {}
        self._faults = dict(self._faulty_blocks())
        self._receipts: dict[tuple[int, str], list[ReceiptEvidence]] = {}
        for receipt in bundle.receipts:
            self._receipts.setdefault((receipt.block, receipt.tx), []).append(receipt)
        self._bad_receipts: dict[tuple[int, str], str | None] = {}

    def reports(self, games: Sequence[str] | None = None) -> Iterator[Report]:
        """The reports on these games, else on all of the bundle's (`games_of`)."""
        records = records_of(self._bundle)
        wanted = games_of(self._bundle) if games is None else list(games)
        for start in range(0, len(wanted), BATCH):
            replays = [self._replay(records, game) for game in wanted[start : start + BATCH]]
            judge_all([replay.docket for replay in replays], self._judges)
            yield from (replay.report() for replay in replays)

    def _replay(self, records: Mapping[str, GameRecord], game: str) -> Replay:
        bundle = self._bundle
        nothing = GameRecord(bundle.chain_id, bundle.arena, bundle.registry, game, ())
        replay = Replay(records.get(game, nothing), self._circuit_of, self._custom)
        state = self._state(game, replay.ledger)
        self._check_chain(replay.ledger)
        self._check_contracts(replay.ledger)
        replay.run(game, state)
        for bot in replay.bots:
            self._check_bot(bot, replay.ledger)
        for event in replay.record.events:
            self._check_event(event, replay)
        self._check_nodes(replay)
        return replay

    # ---- the chain and its blocks ----

    def _faulty_blocks(self) -> Iterator[tuple[int, str | None]]:
        """What is wrong with blocks, None where nothing can be said; fills in the headers."""
        for number, block in self._bundle.blocks.items():
            try:
                header = read_header(block.header)
            except BadRlp as error:
                why = None if not block.header else f"block {number}: {error}"
                yield number, why
                continue
            self._headers[number] = header
            if keccak(block.header) != block.hash:
                yield number, f"the hash of block {number} is not its header's"
            elif header.number != number:
                yield number, f"the header of block {number} is block {header.number}'s"

    def _check_chain(self, ledger: Ledger) -> None:
        head = self._bundle.head
        subject = f"chain {self._bundle.chain_id}"
        if head not in self._bundle.blocks:
            ledger.expect(False, None, "chain", f"block {head} is missing", subject=subject)
        elif head in self._faults:
            self._write(ledger, None, "chain", self._faults[head], subject)
        else:
            ledger.expect(True, None, "chain", "", subject=subject)

    def _check_event(self, event: LogEvent, replay: Replay) -> None:
        """Check that the chain's blocks commit to a log."""
        ply = replay.ply_of(event)
        subject = None
        if event.name == "BotRegistered":
            subject = f"bot {str(event.args.get('id', '0x'))[:10]}"
        if event.block not in self._bundle.blocks:
            what = f"block {event.block} is missing"
            replay.ledger.expect(False, ply, "block", what, subject=subject)
        elif event.block in self._faults:
            self._write(replay.ledger, ply, "block", self._faults[event.block], subject)
        elif not all(receipt.nodes for receipt in self._receipts[event.block, event.tx]):
            what = f"the node does not show the receipts of block {event.block}"
            replay.ledger.leave(ply, "block", what, subject=subject)
        else:
            problem = self._receipt_problem((event.block, event.tx))
            what = f"{event.name} is not in block {event.block}: {problem}"
            replay.ledger.expect(problem is None, ply, "block", what, subject=subject)

    def _receipt_problem(self, place: tuple[int, str]) -> str | None:
        if place not in self._bad_receipts:
            receipt, *others = self._receipts[place]
            root = self._headers[receipt.block].receipts_root
            # a log does not say which of them it is from, and one may hide behind another
            twice = f"there are {1 + len(others)} receipts of {receipt.tx}" if others else None
            self._bad_receipts[place] = twice or receipt_problem(receipt, root)
        return self._bad_receipts[place]

    def _check_nodes(self, replay: Replay) -> None:
        blocks = {event.block: event for event in replay.record.events}
        for name, found in self._nodes.items():
            replay.ledger.expect(True, None, "nodes", "", subject=name)
            for block, what in found:
                event = None if block is None else blocks.get(block)
                if event is not None or block in (None, self._bundle.head):
                    ply = None if event is None else replay.ply_of(event)
                    replay.ledger.expect(False, ply, "nodes", f"{name}: {what}", subject=name)

    # ---- contracts and bots ----

    def _check_contracts(self, ledger: Ledger) -> None:
        bundle = self._bundle
        for name, address in (("Arena", bundle.arena), ("BotRegistry", bundle.registry)):
            subject = f"{name} {address}"
            if self._has_code(name, address, ledger, subject) and name == "Arena":
                code = bundle.contracts[address].code
                asks = {value[12:].hex() for value in immutables(load_artifact(name), code)}
                what = f"the arena asks another registry than {bundle.registry}"
                ok = asks == {bundle.registry[2:]}
                ledger.expect(ok, None, "code", what, subject=subject)

    def _has_code(self, name: str, address: str, ledger: Ledger, subject: str) -> bool:
        """Check that the last block holds an artifact's code at an address."""
        found = self._bundle.contracts.get(address)
        if found is None:
            ledger.leave(None, "code", f"the code at {address} is missing", subject=subject)
            return False
        if not found.nodes:
            what = f"the node does not show that the code at {address} is the chain's"
            ledger.leave(None, "code", what, subject=subject)
        elif self._bundle.head in self._headers:
            root = self._headers[self._bundle.head].state_root
            problem = code_problem(address, found, root)
            what = f"{name} at {address}: {problem}"
            ledger.expect(problem is None, None, "code", what, subject=subject)
        if not same_code(load_artifact(name), found.code):
            other = "other code than this version's" if found.code else "no code"
            what = f"{name} at {address} on chain {self._bundle.chain_id}: {other}"
            ledger.leave(None, "code", what, subject=subject)
            return False
        ledger.expect(True, None, "code", "", subject=subject)
        return True

    def _check_bot(self, bot: AuditedBot, ledger: Ledger) -> None:
        subject = f"bot 0x{bot.id.hex()[:8]}"
        name = "0x" + bot.args["netHash"].hex()
        if name in self._bundle.nets:
            same = sha256(self._bundle.nets[name]).digest() == bot.args["netHash"]
            what = f"{subject}: the net's file has another hash than {name}"
            ledger.expect(same, None, "net", what, subject=subject)
        if not bot.custom:
            problem = self._verifier_problem(bot)
            ledger.expect(
                problem is None, None, "verifier", f"{subject}: {problem}", subject=subject
            )
            if problem is not None:
                return
        for address in self._behind(bot):
            self._check_held(address, ledger, subject)

    def _behind(self, bot: AuditedBot) -> list[str]:
        """A bot's verifier and the contracts that it rests on, so far as the bundle has them."""
        address, codes = bot.args["verifier"], self._bundle.contracts
        artifact = load_artifact("EzklMoveVerifier" if bot.custom else "Groth16MoveVerifier")
        found = codes.get(address)
        if found is None:
            return []
        known = same_code(artifact, found.code)
        values = immutables(artifact, found.code) if known else []
        return [address, *sorted({"0x" + value[12:].hex() for value in values} & set(codes))]

    def _check_held(self, address: str, ledger: Ledger, subject: str) -> None:
        """Check that the last block's state commits to the code at an address."""
        found, head = self._bundle.contracts[address], self._bundle.head
        if not found.nodes:
            what = f"{subject}: the node does not show that the code at {address} is the chain's"
            ledger.leave(None, "verifier", what, subject=subject)
        elif head in self._headers:
            problem = code_problem(address, found, self._headers[head].state_root)
            what = f"{subject}: the code at {address}: {problem}"
            ledger.expect(problem is None, None, "verifier", what, subject=subject)

    def _verifier_problem(self, bot: AuditedBot) -> str | None:
        """Why a house bot's verifier is not the known one around its key."""
        address, artifact = bot.args["verifier"], load_artifact("Groth16MoveVerifier")
        codes = self._bundle.contracts
        found = codes.get(address)
        if found is None or not same_code(artifact, found.code):
            return f"the verifier at {address} has other code than {artifact.name}"
        stores = {"0x" + value[12:].hex() for value in immutables(artifact, found.code)}
        for store in stores:
            if store not in codes or codes[store].code != b"\0" + bot.args["verifyingKey"]:
                return f"the verifier at {address} rests on another key than the registered one"
        return None

    def _state(self, game: str, ledger: Ledger) -> OnChainGame | None:
        """What the Arena answered when asked for a game."""
        stored = self._bundle.states.get(game)
        if stored is None:
            ledger.leave(None, "contract", "what the arena stores is missing", subject="end")
            return None
        try:
            return game_of(load_artifact("Arena").answer("game", stored))
        except (DecodingError, ValueError):
            what = "what the arena stores makes no sense"
            ledger.expect(False, None, "contract", what, subject="end")
            return None

    @staticmethod
    def _write(
        ledger: Ledger, ply: int | None, check: str, problem: str | None, subject: str | None
    ) -> None:
        """Write down a block's problem, or that nothing can be said about it."""
        if problem is None:
            what = "the chain's headers have fields that are not known here"
            ledger.leave(ply, check, what, subject=subject)
        else:
            ledger.expect(False, ply, check, problem, subject=subject)


def games_of(bundle: Bundle) -> list[str]:
    """The games of a bundle in order of their opening, then those that only a state tells of."""
    return list(dict.fromkeys((*records_of(bundle), *bundle.states)))


def records_of(bundle: Bundle) -> dict[str, GameRecord]:
    """The games that a bundle's receipts tell of, in order of their opening.

    Where a block has no sound header, its time is 0.
    """
    own: dict[str, list[LogEvent]] = {}
    bots: dict[str, LogEvent] = {}
    for event, topic in _events(bundle):
        if event.name == "BotRegistered":
            bots.setdefault(topic, event)
        else:
            own.setdefault(topic, []).append(event)
    gas = {receipt.tx: receipt.gas for receipt in bundle.receipts}
    where = (bundle.chain_id, bundle.arena, bundle.registry)
    return {
        game: GameRecord(*where, game, (*_playing(events[0], bots), *events), gas)
        for game, events in own.items()
    }


def _playing(opened: LogEvent, bots: Mapping[str, LogEvent]) -> list[LogEvent]:
    """The registrations of an opening's bots, in the chain's order."""
    message = opened.args.get("open", {})
    sides = {message.get("white"), message.get("black")}
    playing = [event for id_, event in bots.items() if id_ in sides]
    return sorted(playing, key=lambda event: (event.block, event.log_index))


def _events(bundle: Bundle) -> Iterator[tuple[LogEvent, str]]:
    """The contracts' logs in the order of the receipts, each with its second topic.

    A log that the contracts could not have emitted has no arguments.
    """
    times = {number: _time(block) for number, block in bundle.blocks.items()}
    emitters = {
        bundle.registry: load_artifact("BotRegistry"),
        bundle.arena: load_artifact("Arena"),
    }
    for receipt in sorted(bundle.receipts, key=lambda r: (r.block, r.place)):
        try:
            logs = read_receipt(receipt.receipt)
        except BadRlp:
            continue  # its block does not commit to it, and its moves are missing
        for place, log in enumerate(logs):
            artifact = emitters.get(log.address)
            entry = artifact.events.get(log.topics[0]) if artifact and log.topics else None
            if artifact is None or entry is None or len(log.topics) < 2:
                continue
            args: dict[str, Any] = {}
            try:
                decoded = artifact.event(log.topics, log.data)
                args = decoded[1] if decoded is not None else {}
            except (DecodingError, ValueError):
                pass
            where = (receipt.block, receipt.tx, receipt.first_log + place)
            event = LogEvent(entry.name, args, *where, times.get(receipt.block, 0))
            yield event, "0x" + log.topics[1].hex()


def _time(block: BlockEvidence) -> int:
    try:
        return read_header(block.header).timestamp
    except BadRlp:
        return 0
