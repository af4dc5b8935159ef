"""How long a proof takes: whole statements from games, witness and proof on one core."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from engine.game import ONGOING, Game
from engine.net import NetSpec, house_net
from engine.player import choose, legal_indices
from proofs.groth16 import PROOF_BYTES
from proofs.keys import KeyStore
from proofs.prove import Prover
from proofs.statement import Statement, dice


def bench_prove(
    bot: str,
    n: int,
    *,
    data_dir: Path | str | None = None,
    progress: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Prove `n` of the bot's moves one after another, and say what that took.

    `bot` is a house net or a net's file.  Raises InvalidNet, OSError.
    The key is made once and kept in the data folder (default: $CHECKPROOF_DATA or ./data).
    Seconds; the circuit and the key are loaded before the clock starts.
    """
    tell = progress or _silent
    net = NetSpec.load(bot) if bot.endswith(".json") else house_net(bot)
    folder = Path(data_dir or os.environ.get("CHECKPROOF_DATA") or "data")
    record = KeyStore(folder / "keys").ensure_dev_key(net, tell)
    tell("loading the key")
    prover = Prover(net, record)
    results = []
    for k, statement in enumerate(statements(net, n)):
        results.append(prover.prove(statement))
        tell(f"proof {k + 1} of {n}: {results[-1].wall_s:.2f} s")
    return {
        "bot": net.name,
        "constraints": prover.circuit.n_constraints,
        "prove_s": spread([r.wall_s for r in results]),
        "cpu_s": spread([r.cpu_s for r in results]),
        "proof_bytes": PROOF_BYTES,
    }


def statements(net: NetSpec, n: int, *, seed: int = 0) -> Iterator[Statement]:
    """`n` true statements about distinct positions of games that `net` plays against chance."""
    rng = random.Random(f"{seed}/{net.name}")
    seen: set[tuple[int, int]] = set()
    while len(seen) < n:
        game, colour = Game(), rng.random() < 0.5
        while game.outcome() == ONGOING and len(seen) < n:
            position, mask = game.position, game.mask
            if game.turn != colour or game.ply < 2:
                game.play(int(rng.choice(legal_indices(mask))))
                continue
            # one position in three, so that a few proofs already see different stages of games
            if position.key not in seen and rng.random() < 1 / 3:
                seen.add(position.key)
                yield _statement(net, game, rng)
            game.play(choose(net, position, mask))


def _statement(net: NetSpec, game: Game, rng: random.Random) -> Statement:
    """The net's move here, with some payee and some dice."""
    payee = rng.getrandbits(160)
    rolled = dice(rng.randbytes(32), game.ply, rng.randbytes(32))
    index = choose(net, game.position, game.mask, rolled)
    return Statement.of(game.position, game.mask, index, payee=payee, dice=rolled)


def spread(values: Sequence[float]) -> dict[str, float]:
    """Minimum, median and maximum of some seconds."""
    return {
        "min": round(min(values), 3),
        "median": round(median(values), 3),
        "max": round(max(values), 3),
    }


def _silent(_line: str) -> None:
    """The progress of a caller who wants none."""
