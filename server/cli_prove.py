"""`checkproof prove`, `verify` and `setup dev`: one proof, and the key behind it.

    {"format": "checkproof-proof/1", "net", "circuitHash", "keyHash", "fen", "move",
     "payee", "dice", "index", "proof"}

Hashes are hex SHA-256, payee, dice and proof 0x hex.  The public inputs are rebuilt from the FEN,
the payee, the dice and the index; a FEN cannot tell of repetitions, so there are none.
"""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import chess

from engine.encoding import Position
from engine.errors import EngineError, InvalidPosition
from engine.net import house_net, house_nets
from engine.player import choose
from engine.policy_map import index_move, legal_mask
from proofs.audit_report import DEV_SETUP
from proofs.circuit import compile_circuit
from proofs.errors import InvalidStatement, NotAProofFile
from proofs.groth16 import verify
from proofs.keys import KeyStore
from proofs.prove import Prover
from proofs.statement import Statement
from server.cli_out import print_json, printable

FORMAT: Final = "checkproof-proof/1"
VERIFIED, FAILED, UNDECIDED = 0, 3, 4
Say = Callable[[str], None]

_TEXTS: Final = ("net", "circuitHash", "keyHash", "fen", "move", "payee", "dice", "proof")


def make_dev_key(bot: str, *, data: Path, as_json: bool, say: Say) -> None:
    """Make sure of a house net's development key and print its hash."""
    record = KeyStore(data / "keys").ensure_dev_key(house_net(bot), say)
    say(DEV_SETUP)
    if as_json:
        hashes = {"keyHash": record.key_hash, "circuitHash": record.circuit_hash}
        print_json({"bot": bot, **hashes, "setup": record.kind})
    else:
        print(record.key_hash)


def prove_position(
    fen: str, *, bot: str, out: Path | None, bound: tuple[int, int], data: Path, say: Say
) -> None:
    """Prove what `bot` plays; `bound` is the payee and the dice.

    Raises InvalidPosition, NoLegalMove, InvalidStatement.
    """
    board, net = _board(fen), house_net(bot)
    position, mask = Position.of(board), legal_mask(board)
    payee, dice = bound
    index = choose(net, position, mask, dice)
    statement = Statement.of(position, mask, index, payee=payee, dice=dice)
    record = KeyStore(data / "keys").key_of(net, say)
    say("loading the key")
    prover = Prover(net, record)
    say(f"proving {board.san(index_move(board, index))}")
    result = prover.prove(statement)
    say(f"proved in {result.wall_s:.1f} s")
    text = json.dumps(
        {
            "format": FORMAT,
            "net": bot,
            "circuitHash": record.circuit_hash,
            "keyHash": record.key_hash,
            "fen": fen,
            "move": index_move(board, index).uci(),
            "payee": f"0x{payee:040x}",
            "dice": f"0x{dice:032x}",
            "index": index,
            "proof": "0x" + result.proof.hex(),
        },
        indent=2,
    )
    if out is None:
        print(text)
    else:
        out.write_text(text + "\n", encoding="utf-8")
        say(f"wrote {out}")


def verify_file(file: Path, *, key: Path | None, data: Path, as_json: bool) -> int:
    """Check a proof file against a verifying key; prints the verdict, returns the exit code.

    Raises NotAProofFile, InvalidVerifyingKey.
    """
    raw = _read(file)
    vk = key.read_bytes() if key is not None else _stored_key(raw["keyHash"], data)
    status, why = _judge(raw, vk)
    if status == VERIFIED:
        why += f" ({_setup(raw['keyHash'], data)})"
    if status == VERIFIED:
        status, why = _judge_net(raw, why)
    verdict = {VERIFIED: "verified", FAILED: "failed", UNDECIDED: "undecided"}[status]
    if as_json:
        print_json({"verdict": verdict, "why": why, "move": raw["move"], "keyHash": raw["keyHash"]})
    else:
        print(printable(f"{verdict}: {why}"))
    return status


def _judge(raw: dict[str, Any], vk: bytes | None) -> tuple[int, str]:
    if vk is None:
        return UNDECIDED, f"the key {raw['keyHash']} is not at hand; name its file by --key"
    if sha256(vk).hexdigest() != raw["keyHash"]:
        return FAILED, "the key has another hash than the proof names"
    try:
        board = _board(raw["fen"])
        move = index_move(board, raw["index"])
        statement = Statement.of(
            Position.of(board),
            legal_mask(board),
            raw["index"],
            payee=int(raw["payee"], 16),
            dice=int(raw["dice"], 16),
        )
        proof = bytes.fromhex(raw["proof"].removeprefix("0x"))
    except (EngineError, InvalidStatement, ValueError) as error:
        return FAILED, str(error)
    if move.uci() != raw["move"]:
        return FAILED, f"index {raw['index']} is {move.uci()}, not {raw['move']}"
    if not verify(vk, proof, statement.limbs):
        return FAILED, "the proof does not hold for this move in this position"
    return VERIFIED, f"{raw['net']} plays {board.san(move)} here"


def _judge_net(raw: dict[str, Any], why: str) -> tuple[int, str]:
    """Whether the circuit that the file names is its net's."""
    if raw["net"] not in house_nets():
        return UNDECIDED, f"the net {raw['net']!r} is not at hand, circuit unchecked"
    compiled = compile_circuit(house_net(raw["net"])).hash
    if compiled != raw["circuitHash"]:
        return FAILED, f"{raw['net']} compiles to {compiled}, not {raw['circuitHash']}"
    return VERIFIED, why


def _board(fen: str) -> chess.Board:
    try:
        board = chess.Board(fen)
    except ValueError as error:
        raise InvalidPosition(str(error)) from None
    if not board.is_valid():
        raise InvalidPosition(f"{fen} cannot occur")
    return board


def _setup(key_hash: str, data: Path) -> str:
    """Whose setup made a key, as far as it is known here."""
    record = KeyStore(data / "keys").find(key_hash)
    if record is None or record.transcript is None:
        return DEV_SETUP
    return f"key of a ceremony, transcript {record.transcript}"


def _stored_key(key_hash: str, data: Path) -> bytes | None:
    record = KeyStore(data / "keys").find(key_hash)
    return record.vk if record is not None else None


def _read(file: Path) -> dict[str, Any]:
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise NotAProofFile(f"{file} is no JSON ({error})") from None
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise NotAProofFile(f"the format of {file} is not {FORMAT}")
    texts = all(isinstance(raw.get(name), str) for name in _TEXTS)
    if not texts or type(raw.get("index")) is not int:
        raise NotAProofFile(f"{file} is incomplete")
    return raw
