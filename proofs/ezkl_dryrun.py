"""What a net would cost and how it would play, before anyone sees it.

    python -m proofs.ezkl_dryrun my.onnx [--moves 3] [--games 40] [--store data/ezkl]

Imports the net, plays some of its moves in a real arena on a fresh local chain, each with a real
proof, and lets it meet the two lowest rungs of the ladder.  All numbers of the net are those of the
circuit's own witness.  JSON on standard output; seconds are of this machine.
"""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from statistics import median
from typing import Any

from engine.encoding import Position
from engine.errors import EngineError
from engine.export_rungs import greedy_mover
from engine.player import play_matches, random_mover
from proofs.chain import Chain
from proofs.errors import ProofError
from proofs.ezkl_build import Manifest
from proofs.ezkl_chain import check_ezkl_bot, ensure_ezkl_bot
from proofs.ezkl_prover import EzklProof, EzklProver, import_net
from proofs.statement import Statement
from proofs.trial_game import Played, Tell, on_fresh_chain, play_trial


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
            report |= _costs(folder, prover, moves, tell)
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


async def play_registered(
    chain: Chain, folder: Path, prover: EzklProver, moves: int, tell: Tell
) -> Played[EzklProof]:
    """Register the bot of a folder, compare what is registered, and play some of its moves."""
    bot = await ensure_ezkl_bot(chain, folder, "{}")
    await check_ezkl_bot(chain, folder, bot)
    return await play_trial(chain, bot.id, _TrialBot(prover), moves, tell)


class _TrialBot:
    """An ezkl bot in a trial game; its net has no use for dice."""

    def __init__(self, prover: EzklProver) -> None:
        self._prover = prover

    def choose(self, position: Position, mask: int, dice: int) -> int:  # noqa: ARG002
        return self._prover.choose(position.board, position.context, mask)

    def prove(self, statement: Statement) -> EzklProof:
        return self._prover.prove(statement)


def _costs(folder: Path, prover: EzklProver, moves: int, tell: Tell) -> dict[str, Any]:
    played = asyncio.run(
        on_fresh_chain(lambda chain: play_registered(chain, folder, prover, moves, tell))
    )
    proofs, gas = played.proofs, played.gas
    return {
        "proof_bytes": len(proofs[0].proof),
        "prove_s": round(median(proof.wall_s for proof in proofs), 2),
        "cpu_s": round(median(proof.cpu_s for proof in proofs), 2),
        "rss_mb": max(proof.rss_mb for proof in proofs),
        "gas": {"min": min(gas), "median": int(median(gas)), "max": max(gas)},
    }


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
