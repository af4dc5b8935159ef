"""One prover: a net's circuit and proving key in memory, ready to prove move after move."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import groth16py

from engine.net import NetSpec
from proofs.circuit import compile_circuit
from proofs.errors import KeyDamaged, KeyMismatch, ProofInvalid
from proofs.groth16 import Verifier
from proofs.keys import KeyRecord
from proofs.statement import Statement


@dataclass(frozen=True)
class ProofJob:
    """One move to prove: a net's name, the key to prove under, and what to prove.

    A house net is known by its name; an ONNX net has a `folder` of files (proofs/ezkl_build.py).
    """

    net_name: str
    key_hash: str
    statement: Statement
    folder: Path | None = None


@dataclass(frozen=True)
class ProofResult:
    """A proof that has been verified, and what it cost: wall and CPU seconds."""

    proof: bytes
    wall_s: float
    cpu_s: float
    key_hash: str


class Prover:
    """Proves `net`'s moves under one key; making one takes seconds, most of it the key's check.

    Raises KeyMismatch if its record is of another circuit, KeyDamaged if it cannot be read.
    """

    def __init__(self, net: NetSpec, record: KeyRecord) -> None:
        self.circuit = compile_circuit(net)
        if self.circuit.hash != record.circuit_hash:
            raise KeyMismatch(net.name, self.circuit.hash, record.circuit_hash)
        self.record = record
        self._verifier = Verifier(record.vk)
        try:
            self.proving_key = groth16py.ProvingKey.load(str(record.proving_key))
        except groth16py.SetupError as error:
            raise KeyDamaged(str(record.proving_key), str(error)) from error

    def prove(self, statement: Statement) -> ProofResult:
        """A verified proof of a true statement.

        Raises NotTheNetsMove for a false one, ProofInvalid if the key makes proofs that its own
        verifying key refuses, KeyDamaged if it is of another circuit after all.
        """
        wall, cpu = time.perf_counter(), time.process_time()
        proof = self._prove(self.circuit.witness(statement))
        if not self._verifier.verify(proof, statement.limbs):
            raise ProofInvalid(self.record.key_hash)
        return ProofResult(
            proof, time.perf_counter() - wall, time.process_time() - cpu, self.record.key_hash
        )

    def _prove(self, witness: bytes) -> bytes:
        with _as_file(witness) as path:
            try:
                return bytes(groth16py.prove_wtns(self.proving_key, path))
            except groth16py.SetupError as error:
                raise KeyDamaged(str(self.record.proving_key), str(error)) from error


@contextmanager
def _as_file(data: bytes) -> Iterator[str]:
    """A path to read `data` from, because groth16py takes witnesses by path only.

    On Linux it leads to memory: nothing is left behind, even by a process that is killed.
    """
    if sys.platform == "linux":
        with open(os.memfd_create("witness"), "wb") as memory:
            memory.write(data)
            memory.flush()
            yield f"/proc/self/fd/{memory.fileno()}"
    else:
        with tempfile.NamedTemporaryFile(suffix=".wtns") as file:
            file.write(data)
            file.flush()
            yield file.name
