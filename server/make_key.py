"""Make sure of a net's key, in a process of its own: it works for seconds on end.

    python -m server.make_key STORE NET

tells its progress on stderr and prints {"keyHash", "constraints"}.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from engine.net import house_net
from proofs.circuit import compile_circuit
from proofs.keys import KeyStore


@dataclass(frozen=True)
class MadeKey:
    key_hash: str
    constraints: int

    @classmethod
    def from_json(cls, text: bytes) -> "MadeKey":
        raw = json.loads(text)
        return cls(str(raw["keyHash"]), int(raw["constraints"]))


def main(store: Path, name: str) -> None:
    net = house_net(name)
    record = KeyStore(store).key_of(net, progress=_tell)
    constraints = compile_circuit(net).n_constraints
    print(json.dumps({"keyHash": record.key_hash, "constraints": constraints}))


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
