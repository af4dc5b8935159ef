import pytest

from engine.net import NetSpec, house_net
from engine.train.cost import estimate
from proofs.circuit import MoveCircuit, compile_circuit
from tests.engine.nets import full_net, random_net

NETS = {
    "pawn": house_net("pawn"),
    "no layers": random_net(1, channels=()),
    "activations": random_net(2, channels=(3, 2), shift=0),
    "always 0": random_net(3, channels=(4,), magnitude=1, shift=9),
    "sight": random_net(4, channels=(2,), sight=True),
    "gates": random_net(5, channels=(3, 2), gates=(0, 1)),
    "pieces": random_net(6, channels=(1,), pieces=True),
    "noise": random_net(7, channels=(1,), noise=100),
    "repeats": random_net(9, channels=(1,), repeat_noise=1),
    "everything": full_net(8),
}


@pytest.mark.parametrize("name", NETS)
def test_an_estimate_is_what_the_circuit_has(name: str) -> None:
    net, circuit = NETS[name], compile_circuit(NETS[name])
    cost = estimate(net)
    assert cost.constraints == circuit.n_constraints
    assert cost.sight == count(circuit, "empty", "empty boolean", "seen", "sight")
    assert cost.pieces == count(circuit, "reach", "reach pair", "piece term", "logit")
    assert cost.dice == count(circuit, "repeat coin")
    for k, layer in enumerate(cost.layers):
        parts = (f"layer {k}{part}" for part in ("", " sum", " bits boolean"))
        assert layer == count(circuit, *parts)
    assert cost.compare == count(circuit, "compare bits boolean", "block compare bits boolean")
    assert 0 < cost.terms < circuit.r1cs.nonzeros + 40_000


def count(circuit: MoveCircuit, *names: str) -> int:
    return sum(group.stop - group.start for group in circuit.r1cs.groups if group.name in names)


def test_weights_of_0_cost_nothing() -> None:
    whole = random_net(9, channels=(2,), sight=True, pieces=True)
    for weights in (whole.head.from_weights, whole.head.to_weights, whole.layers[0].weights):
        weights[:, 13 + 2 : 13 + 18] = 0
    whole.head.piece_weights[[0, 1, 2, 3, 5]] = 0
    whole.head.piece_weights[4, 13 + 2 : 13 + 18] = 0
    cost = estimate(NetSpec("less", whole.layers, whole.head, sight=True))
    assert cost.sight == 64  # of what is left, only the knights' plane needs a wire a square
    assert cost.pieces == 64 + 1456  # a queen's moves, of which none share a product
