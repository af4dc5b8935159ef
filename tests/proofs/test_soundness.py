import numpy as np
import pytest

from engine.move_groups import groups
from proofs.builder import Builder, bit_sums
from proofs.circuit import MoveCircuit, compile_circuit
from proofs.field import P
from proofs.linear import Lin
from proofs.r1cs import R1cs
from proofs.soundness import SoundnessReport, are_bits, check_soundness
from tests.engine.nets import full_net, random_net
from tests.proofs.circuits import NAMES, circuit_of

FORCING = ("bit boolean", "limb", "square top", "square low", "piece", "layer 0 bits boolean",
           "layer 0 sum", "layer 0", "layer 1", "block", "entry", "block high pair", "entry low",
           "mask word", "chosen mask boolean", "chosen mask", "entry mask", "block logit",
           "chosen logit", "entry logit", "best", "later block", "ahead", "compare bits boolean",
           "compare", "block compare bits boolean", "block compare")  # fmt: skip
FORCING_IN_FULL = ("empty", "seen", "sight", "layer 0", "layer 1 sum", "reach", "reach pair",
                   "piece term", "logit", "repeat coin")  # fmt: skip
CHECKING = {"nibble": 64, "legal": 1, "one of group": len(groups())}


@pytest.mark.parametrize("name", NAMES)
def test_every_wire_is_forced_and_nothing_can_wrap(name: str) -> None:
    circuit = circuit_of(name)
    report = check_soundness(R1cs.from_bytes(circuit.r1cs_bytes))
    assert report.unforced == []
    assert report.unused == []
    assert sum(report.forced.values()) == circuit.r1cs.n_wires - 1 - circuit.r1cs.n_public
    assert report.magnitude < 2**200 < P
    assert report.is_sound
    names = [circuit.r1cs.label(k).partition("[")[0] for k in report.checks]
    assert {name: names.count(name) for name in names} == CHECKING


@pytest.mark.parametrize("name", NAMES)
def test_every_group_of_constraints_is_known_here(name: str) -> None:
    """A new kind of constraint must come with its place in one of these lists."""
    circuit = circuit_of(name)
    layers = range(len(circuit.net.layers))
    known = {*FORCING, *FORCING_IN_FULL, *CHECKING, "empty boolean"}
    known |= {f"layer {k}{part}" for k in layers for part in ("", " sum", " bits boolean")}
    known |= {f"{side} {half}{part}" for side in ("block", "entry") for half in ("low", "high")
              for part in ("", " pair")}  # fmt: skip
    assert {group.name for group in circuit.r1cs.groups} <= known


@pytest.fixture(scope="module")
def tiny() -> MoveCircuit:
    net = random_net(channels=(1, 1), magnitude=1, shift=1, taps=((0, 0), (1, 0)))
    return compile_circuit(net)


@pytest.mark.parametrize("name", FORCING)
def test_dropping_one_constraint_is_seen(name: str, tiny: MoveCircuit) -> None:
    """A wire is left open; or, where a check could stand in, that check is missed."""
    report = report_without_one(tiny, name)
    if name == "entry mask":  # `legal` would force the missing wire, and then check nothing
        assert len(report.checks) == sum(CHECKING.values()) - CHECKING["legal"]
    else:
        assert report.unforced
        assert not report.is_sound


@pytest.fixture(scope="module")
def tiny_full() -> MoveCircuit:
    return compile_circuit(full_net(channels=(1, 1)))


@pytest.mark.parametrize("name", FORCING_IN_FULL)
def test_dropping_one_constraint_of_sight_gates_pieces_or_dice_is_seen(
    name: str, tiny_full: MoveCircuit
) -> None:
    report = report_without_one(tiny_full, name)
    assert report.unforced
    assert not report.is_sound


def test_dropping_one_bound_is_seen(tiny_full: MoveCircuit) -> None:
    """`empty boolean` forces nothing: it bounds what lines can carry."""
    bounded = check_soundness(tiny_full.r1cs).magnitude
    assert report_without_one(tiny_full, "empty boolean").magnitude > bounded


def test_gates_upon_gates_stay_within_the_field() -> None:
    net = random_net(3, channels=(2, 2), gates=(0, 1), sight=True, pieces=True, magnitude=2)
    assert check_soundness(compile_circuit(net).r1cs).is_sound


def report_without_one(circuit: MoveCircuit, name: str) -> SoundnessReport:
    """What is found once some constraint of a group is gone."""
    (group,) = (g for g in circuit.r1cs.groups if g.name == name)
    rng = np.random.default_rng(len(name))
    return check_soundness(circuit.r1cs.without(int(rng.integers(group.start, group.stop))))


@pytest.mark.parametrize("name", CHECKING)
def test_dropping_one_check_is_seen(name: str, tiny: MoveCircuit) -> None:
    (group,) = (g for g in tiny.r1cs.groups if g.name == name)
    report = check_soundness(tiny.r1cs.without(group.start))
    assert len(report.checks) == sum(CHECKING.values()) - 1


def _one(*wires: int) -> Lin:
    return Lin.of(list(wires)).sum() if wires else Lin.zero(1)


def test_a_number_in_too_many_bits_is_not_forced() -> None:
    """254 bits can draw a number below P twice."""
    for width, sound in ((253, True), (254, False)):
        builder = Builder(1)
        bits = builder.booleans("bits", width)
        powers = np.array([1 << k for k in range(width)], dtype=object)
        number = Lin.terms(1, np.zeros(width), bits.wire, powers)
        builder.constrain("number", Lin.zero(1), Lin.zero(1), number - _one(1))
        assert check_soundness(builder.finish()).is_sound is sound


def test_a_square_root_is_not_forced() -> None:
    builder = Builder(1)
    root = builder.wires("root", 1)
    builder.constrain("square", root, root, _one(1))
    assert check_soundness(builder.finish()).unforced == [2]


def test_a_quotient_is_not_forced() -> None:
    """x * y = z forces no factor: z and x could both be 0."""
    builder = Builder(2)
    quotient = builder.wires("quotient", 1)
    builder.constrain("division", quotient, _one(1), _one(2))
    assert check_soundness(builder.finish()).unforced == [3]


def test_an_input_in_no_constraint_is_reported() -> None:
    builder = Builder(2)
    builder.linear("copy", _one(1))
    assert check_soundness(builder.finish()).unused == [2]


def test_values_that_could_wrap_are_reported() -> None:
    """Squaring a bit-decomposed number again and again outgrows the field."""
    builder = Builder(1)
    bits = builder.booleans("bits", 30)
    number = bit_sums(bits, np.array([30]))
    builder.constrain("number", Lin.zero(1), Lin.zero(1), number - _one(1))
    value = number
    for k in range(4):
        value = builder.product(f"square {k}", value, value)
    report = check_soundness(builder.finish())
    assert report.unforced == []
    assert not report.is_sound


@pytest.mark.parametrize(
    ("coefs", "verdict"),
    [
        ([1, 2, 4], True),
        ([4, 1, 2], True),
        ([8, 2], True),
        ([3, 6, 12], True),
        ([P - 1, P - 2], True),
        ([1, 1], False),
        ([1, 3], False),
        ([1, P - 1], False),
        ([1, 2, 4, 1], False),
    ],
)
def test_are_bits(coefs: list[int], verdict: bool) -> None:
    assert are_bits(coefs) is verdict
