"""How long the proofs of an ezkl bot take, and what its moves cost on chain."""

import asyncio
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

from engine.errors import InvalidNet
from proofs.bench import spread
from proofs.ezkl_bots import SHIPPED, listed_bots, store_of
from proofs.ezkl_dryrun import play_registered
from proofs.ezkl_prover import EzklProver, import_net
from proofs.trial_game import on_fresh_chain

Tell = Callable[[str], None]


def bench_prove_ezkl(bot: str, n: int, *, data: Path, tell: Tell) -> dict[str, Any]:
    """Prove and submit `n` moves of one game, one after another.

    Seconds of witness, proof and check in ezkl's own process, which reads its keys for each; the
    gas is that of the whole transactions.  The net is imported before the clock starts.
    Raises InvalidNet if there is no such bot, ProofError.
    """
    folder = folder_of_bot(bot, data=data, tell=tell)
    with EzklProver(folder) as prover:
        played = asyncio.run(
            on_fresh_chain(lambda chain: play_registered(chain, folder, prover, n, tell))
        )
        manifest = prover.manifest
    return {
        "bot": bot,
        "rows": manifest.rows,
        "logrows": manifest.logrows,
        "instances": manifest.instances,
        "prove_s": spread([proof.wall_s for proof in played.proofs]),
        "cpu_s": spread([proof.cpu_s for proof in played.proofs]),
        "proof_bytes": len(played.proofs[0].proof),
        "rss_mb": max(proof.rss_mb for proof in played.proofs),
        "gas": spread(played.gas),
        "development_setup": manifest.development,
    }


def folder_of_bot(bot: str, *, data: Path, tell: Tell) -> Path:
    """The folder of a listed bot, or of a shipped one, imported now if need be."""
    for listed in listed_bots(data):
        if listed.name == bot:
            return listed.folder
    if bot not in SHIPPED:
        raise InvalidNet(f"there is no bot called {bot!r}: no house net, and none that was added")
    with resources.as_file(resources.files("engine") / "nets" / f"{bot}.onnx") as net:
        return import_net(net, store_of(data), progress=tell)
