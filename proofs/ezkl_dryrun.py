"""What a net would cost and how it would play, before anyone sees it.

    python -m proofs.ezkl_dryrun my.onnx [--moves 3] [--games 40] [--store data/ezkl]

Imports the net, plays some of its moves in a real arena on a fresh local chain, each with a real
proof, and lets it meet the two lowest rungs of the ladder.  All numbers of the net are those of the
circuit's own witness.  JSON on standard output; seconds are of this machine.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from typing import Any, Final

import chess
from coincurve import PrivateKey

from engine.encoding import Position
from engine.errors import EngineError
from engine.export_rungs import greedy_mover
from engine.game import ONGOING, Game
from engine.player import legal_indices, play_matches, random_mover
from proofs.chain import Chain
from proofs.deploy import ensure_contracts
from proofs.errors import ProofError
from proofs.ezkl_build import Manifest
from proofs.ezkl_chain import check_ezkl_bot, ensure_ezkl_bot
from proofs.ezkl_prover import EzklProof, EzklProver, import_net
from proofs.node import Anvil
from proofs.sender import LOCAL_KEY
from proofs.signing import Move, Open, address_of, player_side
from proofs.statement import Statement, commitment, dice, game_seed, next_history

_PLAYER: Final = PrivateKey(b"\x01" * 32)
_SECRET: Final = b"\x02" * 32
_SEED: Final = b"\x03" * 32

Tell = Callable[[str], None]


def dry_run(
    net: Path, store: Path, *, moves: int = 3, games: int = 40, progress: Tell | None = None
) -> dict[str, Any]:
    """The report on one net; see the module's head.  Raises ProofError."""
    tell = progress or (lambda _line: None)
    tell(f"importing {net} (minutes the first time)")
    return try_out(import_net(net, store, progress=tell), moves=moves, games=games, progress=tell)


def try_out(
    folder: Path, *, moves: int = 3, games: int = 40, progress: Tell | None = None
) -> dict[str, Any]:
    """The report on a net that was imported into `folder`.  Raises ProofError."""
    tell = progress or (lambda _line: None)
    with EzklProver(folder) as prover:
        report = described(prover.manifest)
        if moves:
            report |= asyncio.run(_on_fresh_chain(lambda c: _play(c, folder, prover, moves, tell)))
        if games:
            report |= _matches(prover, games, tell)
    return report


def described(manifest: Manifest) -> dict[str, Any]:
    """What is known of a net without playing."""
    return {
        "net": manifest.net_hash,
        "circuit": manifest.circuit_hash,
        "key": manifest.key_hash,
        "development_setup": manifest.development,
        "ceremony": manifest.ceremony or None,
        "weights": manifest.weights,
        "macs": manifest.macs,
        "rows": manifest.rows,
        "logrows": manifest.logrows,
        "instances": manifest.instances,
        "code_bytes": manifest.code_bytes,
    }


async def _on_fresh_chain(play: Callable[[Chain], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="checkproof-") as name:
        async with Anvil(Path(name) / "chain") as node:
            bare = await Chain.connect(node.url, LOCAL_KEY)
            try:
                return await play(bare.at(await ensure_contracts(bare, Path(name))))
            finally:
                await bare.close()


async def _play(
    chain: Chain, folder: Path, prover: EzklProver, moves: int, tell: Tell
) -> dict[str, Any]:
    """Some moves of the bot, with White, against chance."""
    bot = await ensure_ezkl_bot(chain, folder, "{}")
    await check_ezkl_bot(chain, folder, bot)
    game, history = Game(), await _open(chain, bot.id)
    identity, chance = history, random.Random(1)
    proofs: list[EzklProof] = []
    gas: list[int] = []
    while len(proofs) < moves and game.outcome() == ONGOING:
        if game.turn == chess.WHITE:
            rolled = dice(game_seed(_SECRET, _SEED), game.ply, history)
            statement = _statement(game, prover, chain.payee, rolled)
            index = statement.index
            proofs.append(await asyncio.to_thread(prover.prove, statement))
            tell(f"proof {len(proofs)} of {moves}: {proofs[-1].wall_s:.1f} s")
            receipt = await chain.submit_bot_move(
                identity, game.ply, index, chain.payee, proofs[-1].proof
            )
            gas.append(receipt.gas)
        else:
            index = int(chance.choice(legal_indices(game.mask)))
            signature = Move(identity, game.ply, history, index).sign(chain.domain, _PLAYER)
            await chain.move(identity, game.ply, index, signature)
        game.play(index)
        history = next_history(history, index)
    return {
        "proof_bytes": len(proofs[0].proof),
        "prove_s": round(median(proof.wall_s for proof in proofs), 2),
        "cpu_s": round(median(proof.cpu_s for proof in proofs), 2),
        "rss_mb": max(proof.rss_mb for proof in proofs),
        "gas": {"min": min(gas), "median": int(median(gas)), "max": max(gas)},
    }


async def _open(chain: Chain, bot: bytes) -> bytes:
    """Open a game in which the bot has White; its id."""
    opening = Open(
        opener=address_of(_PLAYER),
        white=bot,
        black=player_side(address_of(_PLAYER)),
        start=bytes(32),
        base_seconds=3600,
        increment_seconds=5,
        delay_seconds=0,
        commitment=commitment(_SECRET),
        seed=_SEED,
        expires=(1 << 64) - 1,
        nonce=1,
    )
    await chain.open_game(opening, opening.sign(chain.domain, _PLAYER), _SECRET)
    return opening.game_id(chain.domain)


def _statement(game: Game, prover: EzklProver, payee: int, rolled: int) -> Statement:
    here, mask = game.position, game.mask
    index = prover.choose(here.board, here.context, mask)
    return Statement.of(here, mask, index, payee=payee, dice=rolled)


def _matches(prover: EzklProver, games: int, tell: Tell) -> dict[str, Any]:
    def mover(position: Position, mask: int) -> int:
        return prover.choose(position.board, position.context, mask)

    scores = {}
    for name, opponent in (("random", random_mover(1)), ("greedy", greedy_mover(1))):
        tell(f"{games} games against the {name} mover")
        score = play_matches(mover, opponent, games=games)
        scores[f"against_{name}"] = {
            "points": score.points,
            "games": games,
            **{key: getattr(score, key) for key in ("wins", "draws", "losses")},
        }
    return scores


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m proofs.ezkl_dryrun", description=__doc__)
    parser.add_argument("net", type=Path)
    parser.add_argument("--store", type=Path, default=Path("data/ezkl"))
    parser.add_argument("--moves", type=int, default=3)
    parser.add_argument("--games", type=int, default=40)
    args = parser.parse_args(arguments)
    try:
        report = dry_run(
            args.net,
            args.store,
            moves=args.moves,
            games=args.games,
            progress=lambda line: print(line, file=sys.stderr, flush=True),
        )
    except (ProofError, EngineError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(report, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
