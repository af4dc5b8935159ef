"""A deployed arena with bots of every kind, and games on it that are played by name."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import chess
from coincurve import PrivateKey
from eth_utils.crypto import keccak

from engine.encoding import Position
from engine.game import Game, Reason, Result
from engine.policy_map import move_index
from proofs.signing import Abort, Domain, Draw, Move, Open, Resign, address_of, player_side
from proofs.statement import STATEMENT_ID, Statement, commitment, dice, game_seed, next_history
from proofs.trapdoor import TrapdoorKey
from tests.contracts.ground import Contract, Node, Receipt

PLAYER: Final = PrivateKey(b"\x11" * 32)
STRANGER: Final = PrivateKey(b"\x22" * 32)
SECRET: Final = b"\x33" * 32
SEED: Final = b"\x44" * 32
PAYEE: Final = 0x5555555555555555555555555555555555555555
NET: Final = b"\x66" * 32
CIRCUIT: Final = b"\x77" * 32
ZERO: Final = bytes(32)
BASE_SECONDS: Final = 300


def address(value: int) -> str:
    return f"0x{value:040x}"


def raw(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


@dataclass(frozen=True)
class Scene:
    """The contracts, and the ids of bots on them.

    `house` proves with a key whose secrets the tests keep; the others have the named verifiers.
    """

    node: Node
    arena: Contract
    registry: Contract
    key: TrapdoorKey
    house: bytes
    yes: bytes
    garbage: bytes
    callback: bytes

    @property
    def domain(self) -> Domain:
        return Domain(self.node.chain_id, self.arena.address)

    def opening(self, *, white: bytes | None = None, black: bytes | None = None) -> Open:
        """The player with White against the yes bot, unless told otherwise."""
        return Open(
            opener=address_of(PLAYER),
            white=player_side(address_of(PLAYER)) if white is None else white,
            black=self.yes if black is None else black,
            start=ZERO,
            base_seconds=BASE_SECONDS,
            increment_seconds=0,
            delay_seconds=0,
            commitment=commitment(SECRET),
            seed=SEED,
            expires=self.node.now + 3600,
            nonce=1,
        )

    def open(self, opening: Open | None = None, **changes: Any) -> "Live":
        """Open a game; `changes` replace fields of the opening."""
        signed = replace(opening or self.opening(), **changes)
        receipt = self.send_open(signed)
        return Live(self, signed, receipt)

    def send_open(
        self,
        opening: Open,
        *,
        key: PrivateKey = PLAYER,
        domain: Domain | None = None,
        secret: bytes = SECRET,
    ) -> Receipt:
        signature = opening.sign(domain or self.domain, key)
        return self.arena.send("openGame", as_tuple(opening), signature, secret)

    def player_side(self) -> bytes:
        return player_side(address_of(PLAYER))


@dataclass
class Live:
    """One open game, followed move by move off chain."""

    scene: Scene
    opening: Open
    opened: Receipt
    game: Game = field(init=False)

    def __post_init__(self) -> None:
        self.game = Game(self.opening.begins)
        self.id = self.opening.game_id(self.scene.domain)
        self.history = self.id

    @property
    def ply(self) -> int:
        return self.game.ply

    @property
    def state(self) -> dict[str, Any]:
        """The game as the contract has it."""
        stored: dict[str, Any] = self.scene.arena.call("game", self.id)
        return stored

    @property
    def outcome(self) -> tuple[Result, Reason]:
        state = self.state
        return Result(state["result"]), Reason(state["reason"])

    @property
    def seed(self) -> bytes:
        return game_seed(SECRET, self.opening.seed)

    def index(self, san: str) -> int:
        board = self.game.board
        return move_index(board, board.parse_san(san))

    def statement(self, index: int, *, payee: int = PAYEE) -> Statement:
        """What a proof of `index` must show here, computed off chain."""
        rolled = dice(self.seed, self.ply, self.history)
        return Statement.of(self.game.position, self.game.mask, index, payee=payee, dice=rolled)

    def proof(self, index: int, *, payee: int = PAYEE) -> bytes:
        """A proof that the house bot's key accepts."""
        return self.scene.key.prove(self.statement(index, payee=payee).limbs)

    def sign(self, index: int, /, **changes: Any) -> bytes:
        """The player's signature of a move here; `changes` replace what it says."""
        key: PrivateKey = changes.pop("key", PLAYER)
        domain: Domain = changes.pop("domain", self.scene.domain)
        return replace(Move(self.id, self.ply, self.history, index), **changes).sign(domain, key)

    def sign_draw(self, **changes: Any) -> bytes:
        key: PrivateKey = changes.pop("key", PLAYER)
        domain: Domain = changes.pop("domain", self.scene.domain)
        return replace(Draw(self.id, self.ply, self.history), **changes).sign(domain, key)

    def sign_resign(self, *, key: PrivateKey = PLAYER, domain: Domain | None = None) -> bytes:
        return Resign(self.id).sign(domain or self.scene.domain, key)

    def sign_abort(self, *, key: PrivateKey = PLAYER, domain: Domain | None = None) -> bytes:
        return Abort(self.id).sign(domain or self.scene.domain, key)

    def send_move(self, index: int, signature: bytes, *, ply: int | None = None) -> Receipt:
        """Bring a player's move, whatever becomes of it."""
        return self.scene.arena.send(
            "move", self.id, self.ply if ply is None else ply, index, signature
        )

    def send_bot_move(
        self,
        index: int,
        proof: bytes,
        *,
        ply: int | None = None,
        payee: int = PAYEE,
        sender: int = 0,
        gas: int = 12_000_000,
    ) -> Receipt:
        """Bring a bot's move, whatever becomes of it."""
        return self.scene.arena.send(
            "submitBotMove",
            *(self.id, self.ply if ply is None else ply, index, address(payee), proof),
            sender=sender,
            gas=gas,
        )

    def play(self, san: str) -> Receipt:
        """Play a move for whoever is to move, as the honest do, and follow it here."""
        index = self.index(san)
        side = self.opening.white if self.game.turn == chess.WHITE else self.opening.black
        if side == self.scene.player_side():
            receipt = self.send_move(index, self.sign(index))
        else:
            proof = self.proof(index) if side == self.scene.house else b"anything"
            receipt = self.send_bot_move(index, proof)
        self.follow(index)
        return receipt

    def play_all(self, sans: Sequence[str] | str) -> Receipt:
        """Play several moves; the receipt of the last."""
        receipt = self.opened
        for san in sans.split() if isinstance(sans, str) else sans:
            receipt = self.play(san)
        return receipt

    def follow(self, index: int) -> None:
        """Take note of a move that landed."""
        self.game.play(index)
        self.history = next_history(self.history, index)

    def play_off_chain(self, *sans: str) -> None:
        """Moves that were proposed but never landed."""
        for san in sans:
            self.follow(self.index(san))

    def claim_timeout(self) -> Receipt:
        return self.scene.arena.send("claimTimeout", self.id)

    def claim_draw(self, signature: bytes, *, ply: int | None = None) -> Receipt:
        return self.scene.arena.send(
            "claimDraw", self.id, self.ply if ply is None else ply, signature
        )

    def resign(self, signature: bytes) -> Receipt:
        return self.scene.arena.send("resign", self.id, signature)

    def abort(self, signature: bytes) -> Receipt:
        return self.scene.arena.send("abort", self.id, signature)

    @property
    def slot(self) -> int:
        """The first of the game's six storage slots; the games are the contract's first mapping."""
        return int.from_bytes(keccak(self.id + bytes(32)), "big")

    def storage(self, offset: int) -> int:
        return self.scene.node.storage(self.scene.arena.address, self.slot + offset)

    def set_position(self, fen: str) -> None:
        """Write a position into the contract's storage, and here; its side to move must fit."""
        board = chess.Board(fen)
        board.fullmove_number = self.ply // 2 + 1
        assert board.ply() == self.ply
        position = Position.of(board)
        node, contract = self.scene.node, self.scene.arena.address
        node.set_storage(contract, self.slot, position.board)
        packed = self.storage(1) >> 20 << 20 | position.context
        node.set_storage(contract, self.slot + 1, packed)
        self.game = Game()
        self.game.board = board
        self.game._count()


def as_tuple(opening: Open) -> tuple[Any, ...]:
    """An opening as the ABI encoder wants it."""
    return (
        opening.opener,
        opening.white,
        opening.black,
        opening.start,
        opening.start_context,
        opening.base_seconds,
        opening.increment_seconds,
        opening.delay_seconds,
        opening.commitment,
        opening.seed,
        opening.expires,
        opening.nonce,
    )


def as_struct(statement: Statement) -> tuple[Any, ...]:
    """A statement as the ABI encoder wants it."""
    mask = [statement.mask >> 256 * k & (1 << 256) - 1 for k in range(8)]
    return (
        *(statement.board, statement.context, address(statement.payee)),
        *(statement.dice, statement.index, mask),
    )


def build_scene(node: Node) -> Scene:
    """Deploy everything and register the bots."""
    registry = Contract.deploy(node, "BotRegistry")
    arena = Contract.deploy(node, "Arena", registry.address)
    key = TrapdoorKey.random()
    registered = registry.send("registerHouse", NET, CIRCUIT, key.vk, "house")
    return Scene(
        node,
        arena,
        registry,
        key,
        house=raw(registered.event("BotRegistered")["id"]),
        yes=register_custom(node, registry, "YesVerifier"),
        garbage=register_custom(node, registry, "GarbageVerifier"),
        callback=register_custom(node, registry, "CallbackVerifier"),
    )


def register_custom(
    node: Node, registry: Contract, verifier: str, *, statement: bytes = STATEMENT_ID
) -> bytes:
    """Deploy a test verifier and register a bot with it; the bot's id."""
    deployed = Contract.deploy(node, verifier).address
    receipt = registry.send("registerCustom", NET, CIRCUIT, ZERO, statement, deployed, verifier)
    return raw(receipt.event("BotRegistered")["id"])
