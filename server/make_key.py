"""Make sure of a net's key, in a process of its own: it works for seconds to minutes on end.

    python -m server.make_key STORE NET NICENESS

tells its progress on stderr and prints two lines of JSON: {"constraints", "circuitBytes"} as soon
as that much is known, and {"keyHash"}.
"""

import json
import os
import sys
from pathlib import Path

from engine.net import house_net
from proofs.circuit import compile_circuit
from proofs.keys import KeyStore


def main(store: Path, name: str, niceness: int) -> None:
    os.nice(niceness)
    net = house_net(name)
    circuit = compile_circuit(net)
    _say({"constraints": circuit.n_constraints, "circuitBytes": len(circuit.r1cs_bytes)})
    _say({"keyHash": KeyStore(store).key_of(net, _tell, circuit=circuit).key_hash})


def _say(what: dict[str, object]) -> None:
    print(json.dumps(what), flush=True)


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
