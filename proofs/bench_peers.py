"""The same net and the same moves proven both ways: by our circuit and by ezkl.

The net is one function in two forms (`engine.export_conv`).  Our circuit finds the best legal move
inside, ezkl's leaves that to the contract; either way the chain has accepted the same in the end:
that this net plays this move in this position, for this payee.
"""

import asyncio
import json
import multiprocessing
import tempfile
from collections.abc import Callable
from hashlib import sha256
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from types import TracebackType
from typing import Any, Final

from engine.encoding import Position
from engine.export_conv import ConvNet, conv_to_house, conv_to_onnx
from engine.net import NetSpec
from engine.player import choose
from proofs.chain import Chain
from proofs.circuit import compile_circuit
from proofs.deploy import ensure_bot
from proofs.errors import ProofError, ProverDied
from proofs.ezkl_bots import store_of
from proofs.ezkl_dryrun import play_registered
from proofs.ezkl_prover import EzklProof, EzklProver, import_net
from proofs.keys import KeyRecord, KeyStore
from proofs.memory import peak_rss_mb
from proofs.prove import ProofResult, Prover
from proofs.statement import Statement
from proofs.trial_game import Played, on_fresh_chain, play_trial

SEED: Final = 1
CHANNELS: Final = 2
LOAD_SECONDS: Final = 300.0

Tell = Callable[[str], None]
Seen = list[tuple[int, int, int]]
"""The board, context and index of each move that was proven."""


def bench_peers(n: int, *, data: Path, tell: Tell, channels: int = CHANNELS) -> dict[str, Any]:
    """Prove and submit `n` moves of one game both ways; see the module's head.

    Seconds are medians of witness, proof and local check, keys made before the clock starts; our
    prover keeps its key in memory, ezkl reads its own for each proof.  Gas is the median of the
    whole transactions, memory the most that the proving process had.  Raises ProofError.
    """
    net = ConvNet.random(SEED, channels=channels)
    spec, onnx = conv_to_house(net, "peer"), conv_to_onnx(net)
    tell("our circuit")
    record = KeyStore(data / "keys").ensure_dev_key(spec, tell)
    house, house_rss, seen = _house(spec, record, n, tell)
    tell("ezkl")
    ezkl, facts, theirs = _ezkl(onnx, n, data, tell)
    if seen != theirs:
        raise ProofError("the two forms of the net played different moves")
    report = {
        "house": _costs(house, house_rss),
        "ezkl": _costs(ezkl, max(proof.rss_mb for proof in ezkl.proofs)),
    }
    ratio = {
        name: round(report["ezkl"][key] / report["house"][key], 2)
        for name, key in (("cpu", "cpu_s"), ("gas", "gas"), ("rss", "rss_mb"))
    }
    return {
        **report,
        "ratio": ratio,
        "compared": {
            "net": f"3x3 convolution of {channels} channels over piece planes, 131 logits",
            "moves": n,
            "house": {"net": spec.hash, "constraints": compile_circuit(spec).n_constraints},
            "ezkl": facts,
        },
    }


def _house(
    spec: NetSpec, record: KeyRecord, n: int, tell: Tell
) -> tuple[Played[ProofResult], int, Seen]:
    with _HousePeer(spec, record) as peer:

        async def play(chain: Chain) -> Played[ProofResult]:
            bot = await ensure_bot(chain, spec, record, json.dumps({"name": "peer"}))
            return await play_trial(chain, bot.id, peer, n, tell)

        played = asyncio.run(on_fresh_chain(play))
        return played, peer.rss_mb, peer.seen


def _ezkl(
    onnx: bytes, n: int, data: Path, tell: Tell
) -> tuple[Played[EzklProof], dict[str, Any], Seen]:
    with tempfile.TemporaryDirectory(prefix="checkproof-") as name:
        file = Path(name) / "peer.onnx"
        file.write_bytes(onnx)
        folder = import_net(file, store_of(data), progress=tell)
    with _Watched(folder) as prover:
        played = asyncio.run(
            on_fresh_chain(lambda chain: play_registered(chain, folder, prover, n, tell))
        )
        manifest = prover.manifest
        facts = {
            "net": sha256(onnx).hexdigest(),
            "macs": manifest.macs,
            "rows": manifest.rows,
            "logrows": manifest.logrows,
        }
        return played, facts, prover.seen


def _costs(played: Played[Any], rss_mb: int) -> dict[str, float]:
    return {
        "prove_s": round(median(proof.wall_s for proof in played.proofs), 3),
        "cpu_s": round(median(proof.cpu_s for proof in played.proofs), 3),
        "proof_bytes": len(played.proofs[0].proof),
        "gas": int(median(played.gas)),
        "rss_mb": rss_mb,
    }


class _Watched(EzklProver):
    """ezkl's prover, with the statements that it proved."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.seen: Seen = []

    def prove(self, statement: Statement) -> EzklProof:
        self.seen.append((statement.board, statement.context, statement.index))
        return super().prove(statement)


class _HousePeer:
    """Our prover in a process of its own, so that its memory can be told from ours."""

    def __init__(self, spec: NetSpec, record: KeyRecord) -> None:
        self._spec = spec
        self.seen: Seen = []
        self.rss_mb = 0
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._child = context.Process(target=_prove_on, args=(theirs, spec.to_bytes(), record))
        self._child.start()
        theirs.close()
        self._answer()

    def __enter__(self) -> "_HousePeer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pipe.close()
        self._child.kill()
        self._child.join()

    def choose(self, position: Position, mask: int, dice: int) -> int:
        return choose(self._spec, position, mask, dice)

    def prove(self, statement: Statement) -> ProofResult:
        self.seen.append((statement.board, statement.context, statement.index))
        self._pipe.send(statement)
        result, self.rss_mb = self._answer()
        assert isinstance(result, ProofResult)
        return result

    def _answer(self) -> tuple[object, int]:
        try:
            if not self._pipe.poll(LOAD_SECONDS):
                raise ProverDied(f"no answer in {LOAD_SECONDS:.0f} s")
            answer: tuple[object, int] = self._pipe.recv()
        except EOFError:
            raise ProverDied("while a peer was measured") from None
        return answer


def _prove_on(pipe: Connection, net: bytes, record: KeyRecord) -> None:
    """The other process: say that the key is loaded, then answer statements with proofs."""
    prover = Prover(NetSpec.from_bytes(net), record)
    pipe.send((None, 0))
    while True:
        try:
            statement = pipe.recv()
        except EOFError:
            return
        result = prover.prove(statement)
        pipe.send((result, peak_rss_mb()))
