"""The circuits that tests share: of each house net, and of a small net with everything."""

from functools import cache
from typing import Final

from engine.net import house_net, house_nets
from proofs.circuit import MoveCircuit, compile_circuit
from tests.engine.nets import full_net

FULL: Final = "full"
NAMES: Final = (*house_nets(), FULL)


@cache
def circuit_of(name: str) -> MoveCircuit:
    """A circuit of NAMES; it is compiled once in a process."""
    return compile_circuit(full_net() if name == FULL else house_net(name))
