"""Writes the vectors that the page's modules are compared with.

    python -m tests.web.make_golden

The page has its own policy map, move hashing and signing; these files hold what the Python side
makes of the same inputs.
"""

import json
import random
from pathlib import Path
from typing import Any

import chess
from coincurve import PrivateKey
from eth_utils.crypto import keccak

from engine.encoding import encode_board, encode_context
from engine.game import Game
from engine.policy_map import MOVES, move_index
from engine.start import Start
from proofs.signing import (
    Abort,
    Domain,
    Draw,
    Message,
    Move,
    Open,
    Resign,
    address_of,
    player_side,
    start_words,
)
from proofs.statement import Statement, dice, next_history

GOLDEN = Path(__file__).parents[1] / "golden"
DOMAIN = Domain(31337, "0x5FbDB2315678afecb367f032d93F642f64180aa3")
KEYS = (1, 0xA11CE, int.from_bytes(keccak(b"checkproof test key"), "big") >> 1)
POSITIONS = (
    chess.STARTING_FEN,
    "r3k2r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R3K2R w KQkq - 0 1",
    "r3k2r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R3K2R b KQkq - 0 1",
    "rnbq1k1r/pp1Pbppp/2p5/8/2B5/8/PPP1NnPP/RNBQK2R w KQ - 1 8",
    "8/8/8/8/k2Pp2Q/8/8/3K4 b - d3 0 1",
    "8/k7/8/8/8/8/1p1p1p1p/K1N1N1N1 b - - 0 1",
    "1n1n4/P1P1P1P1/8/8/8/7k/8/K7 w - - 0 1",
    "r3k2r/8/8/8/8/8/8/R3K2R b Kq - 149 120",
)


STARTS = (
    *(fen for fen in POSITIONS if chess.Board(fen).is_valid()),
    "rnbqkbnr/pppppppp/8/8/4P3/8/PPPP1PPP/RNBQKBNR b KQkq e3 0 1",
    "rnbqkbnr/ppp1p1pp/8/3pPp2/8/8/PPPP1PPP/RNBQKBNR w KQkq f6 0 3",
    "4k3/8/8/8/8/8/4p3/R3K3 b Q - 77 140",
)


def _hex(raw: bytes) -> str:
    return "0x" + raw.hex()


def _signed(message: Message, fields: dict[str, Any]) -> dict[str, Any]:
    keys = [PrivateKey(secret.to_bytes(32, "big")) for secret in KEYS]
    return {
        "type": type(message).__name__,
        "fields": fields,
        "digest": _hex(message.digest(DOMAIN)),
        "signatures": [_hex(message.sign(DOMAIN, key)) for key in keys],
    }


def _open(seed: int) -> dict[str, Any]:
    player = address_of(PrivateKey(KEYS[seed % len(KEYS)].to_bytes(32, "big")))
    bot = keccak(f"bot {seed}".encode())
    sides = [player_side(player), bot]
    fen = (chess.STARTING_FEN, *POSITIONS[-2:])[seed % 3]
    message = Open(
        opener=player,
        white=sides[seed % 2],
        black=sides[1 - seed % 2],
        **start_words(Start.from_fen(fen)),
        base_seconds=600 * (seed + 1),
        increment_seconds=seed,
        delay_seconds=2 * seed,
        commitment=keccak(f"commitment {seed}".encode()),
        seed=keccak(f"seed {seed}".encode()),
        expires=1_700_000_000 + seed,
        nonce=(1 << 256) - 1 if seed == 0 else seed,
    )
    fields = {
        "opener": message.opener,
        "white": _hex(message.white),
        "black": _hex(message.black),
        "start": _hex(message.start),
        "startContext": message.start_context,
        "baseSeconds": message.base_seconds,
        "incrementSeconds": message.increment_seconds,
        "delaySeconds": message.delay_seconds,
        "commitment": _hex(message.commitment),
        "seed": _hex(message.seed),
        "expires": message.expires,
        "nonce": str(message.nonce),
    }
    return _signed(message, fields)


def signing_vectors() -> dict[str, Any]:
    """Keys with their addresses, and messages with their digests and signatures."""
    game, history = keccak(b"game"), keccak(b"history")
    names = {"game": _hex(game), "history": _hex(history)}
    vectors = [_open(seed) for seed in range(4)]
    vectors += [
        _signed(Move(game, ply, history, index), {**names, "ply": ply, "index": index})
        for ply, index in ((0, 0), (1, 1857), (65535, 293))
    ]
    vectors.append(_signed(Resign(game), {"game": _hex(game)}))
    vectors.append(_signed(Abort(game), {"game": _hex(game)}))
    vectors.append(_signed(Draw(game, 77, history), {**names, "ply": 77}))
    return {
        "domain": {"chainId": DOMAIN.chain_id, "arena": DOMAIN.arena},
        "keys": [
            {
                "secret": _hex(secret.to_bytes(32, "big")),
                "address": address_of(PrivateKey(secret.to_bytes(32, "big"))),
            }
            for secret in KEYS
        ],
        "messages": vectors,
    }


def _random_line(seed: int, fen: str = chess.STARTING_FEN, most: int = 120) -> dict[str, Any]:
    chooser, board = random.Random(seed), chess.Board(fen)
    game = history = keccak(f"line {seed}".encode())
    moves: list[dict[str, Any]] = []
    while not board.is_game_over() and len(moves) < most:
        move = chooser.choice(list(board.legal_moves))
        index, san = move_index(board, move), board.san(move)
        board.push(move)
        history = next_history(history, index)
        moves.append(
            {
                "index": index,
                "uci": move.uci(),
                "san": san,
                "fen": board.fen(),
                "history": _hex(history),
            }
        )
    return {"game": _hex(game), "moves": moves}


def _begun_by_black() -> dict[str, Any]:
    """A line in which Black moves first, with the public inputs of proofs of its moves."""
    fen = "r3k2r/pppp1ppp/8/4p3/4P3/8/PPPP1PPP/R3K2R b KQkq - 2 1"
    line, game, seed, payee = _random_line(3, fen, 6), Game(Start.from_fen(fen)), b"\x44" * 32, 5
    history = bytes.fromhex(line["game"][2:])
    for move in line["moves"]:
        rolled, index = dice(seed, game.ply, history), move["index"]
        said = Statement.of(game.position, game.mask, index, payee=payee, dice=rolled)
        move |= {"ply": game.ply, "limbs": [hex(limb) for limb in said.limbs]}
        game.play(index)
        history = next_history(history, index)
    return {"fen": fen, "seed": _hex(seed), "payee": f"0x{payee:040x}", **line}


def _start(fen: str) -> dict[str, Any]:
    start = Start.from_fen(fen)
    words = {"start": f"0x{start.board:064x}", "startContext": start.context}
    return {"fen": fen, **words, "begins": start.to_board().fen()}


def move_vectors() -> dict[str, Any]:
    """The policy map, the indices of all legal moves of some positions, and whole lines."""
    boards = [chess.Board(fen) for fen in POSITIONS]
    return {
        "policy": [move.uci() for move in MOVES],
        "positions": [
            {
                "fen": board.fen(),
                "board": hex(encode_board(board)),
                "contexts": [encode_context(board, repetitions=n) for n in range(4)],
                "moves": {move.uci(): move_index(board, move) for move in board.legal_moves},
            }
            for board in boards
        ],
        "starts": [_start(fen) for fen in STARTS],
        "begunByBlack": _begun_by_black(),
        "lines": [_random_line(seed) for seed in range(3)],
    }


FILES = {"signing.json": signing_vectors, "moves.json": move_vectors}


def main() -> None:
    for name, vectors in FILES.items():
        (GOLDEN / name).write_text(json.dumps(vectors(), indent=1) + "\n")


if __name__ == "__main__":
    main()
