import random
import time
from dataclasses import replace

import numpy as np
import pytest

from engine.bounds import Bounds
from engine.errors import InvalidPosition
from engine.move_groups import groups
from engine.net import NetSpec, Trace, house_net
from engine.train.model import torch_logits
from engine.wiring import BLOCK
from proofs.circuit import MoveCircuit, best_index, compile_circuit
from proofs.errors import NotTheNetsMove
from proofs.field import Words, words_to_ints
from proofs.r1cs import Ints, Matrix, R1cs, parse_wtns
from proofs.statement import LIMBS, Statement
from proofs.witness import public_bit_places
from tests.engine.boards import game_boards, wild_boards
from tests.engine.nets import full_net, random_net
from tests.proofs.circuits import FULL, NAMES, circuit_of
from tests.proofs.positions import CORNERS, corner_statements, game_statements
from tests.proofs.solver import Solver

POSITIONS = 1_000


@pytest.mark.parametrize("corner", CORNERS)
def test_honest_witness_satisfies_every_constraint(corner: str, pawn: MoveCircuit) -> None:
    statement = corner_statements(pawn.net)[corner]
    words = parse_wtns(pawn.witness(statement))
    assert pawn.r1cs.violations(words) == []
    assert words_to_ints(words[1 : 1 + LIMBS]) == list(statement.limbs)


@pytest.mark.parametrize(
    "net",
    [
        random_net(1, channels=(3, 2), shift=0),
        random_net(2, channels=(1,), magnitude=30, shift=5),
        random_net(3, channels=(), magnitude=1),
        random_net(4, channels=(2,), taps=((0, 7), (1, 2), (0, 0), (0, 0))),
        random_net(5, channels=(), sight=True, pieces=True),
        random_net(6, channels=(2, 2), gates=(0, 1), noise=1000),
        random_net(7, channels=(), repeat_noise=1000),
        full_net(7),
    ],
    ids=["no shift", "wide", "no layers", "odd taps", "sight", "gates", "repeats", "everything"],
)
def test_any_net_compiles(net: NetSpec) -> None:
    circuit = compile_circuit(net)
    for statement in [*corner_statements(net).values(), *game_statements(net, 20)]:
        assert circuit.r1cs.violations(parse_wtns(circuit.witness(statement))) == []


@pytest.mark.parametrize("name", NAMES)
def test_circuit_numpy_and_torch_agree_on_positions_from_games(name: str) -> None:
    circuit = circuit_of(name)
    file = R1cs.from_bytes(circuit.r1cs_bytes)
    statements = game_statements(circuit.net, 400 if name == FULL else POSITIONS)
    from_torch = torch_logits(
        circuit.net,
        [s.board for s in statements],
        [s.dice for s in statements],
        [s.earlier for s in statements],
    )
    reader = LogitReader(circuit, file)
    for k, (statement, torch_row) in enumerate(zip(statements, from_torch, strict=True)):
        trace = circuit.trace(statement)
        words = circuit.assign(statement, trace)
        assert np.array_equal(trace.logits, torch_row)
        assert np.array_equal(reader.logits(words), torch_row)
        assert reader.value(words, "best") == torch_row[statement.index]
        assert best_index(torch_row, statement.mask) == statement.index
        assert_within(trace, circuit.net.bounds())
        if k % 20 == 0:
            assert file.violations(words) == []


def assert_within(trace: Trace, bounds: Bounds) -> None:
    values = [*trace.pre, *trace.act, trace.logits]
    lows = [*bounds.pre_lo, *bounds.act_lo, bounds.logit_lo]
    highs = [*bounds.pre_hi, *bounds.act_hi, bounds.logit_hi]
    for value, lo, hi in zip(values, lows, highs, strict=True):
        assert (lo <= value).all()
        assert (value <= hi).all()


def test_witnesses_are_what_the_constraints_force(full: MoveCircuit) -> None:
    """Also on boards with any pieces anywhere; the solver knows nothing of nets."""
    boards = wild_boards(24, seed=3)[-11:] + game_boards(1, seed=4)
    rng = random.Random(1)
    statements = []
    for board in boards:
        dice, mask = rng.getrandbits(128), sum(1 << int(g[1]) for g in groups())
        blank = Statement(board, rng.randrange(4) << 8, 5, dice, 0, mask)
        index = best_index(full.trace(blank).logits, mask)
        assert index is not None
        statements.append(replace(blank, index=index))
    solver = Solver(full.r1cs, [statement.limbs for statement in statements])
    for k, statement in enumerate(statements):
        words = parse_wtns(full.witness(statement))
        assert np.array_equal(words, solver.words(k))
        assert full.r1cs.violations(words) == []


class LogitReader:
    """Reads the logits back out of a witness, by the comparisons of the circuit's file.

    The A of each index is best - logit_i - later_i, for the last of a group in `compare` and for
    the others in `ahead`.
    """

    def __init__(self, circuit: MoveCircuit, file: R1cs) -> None:
        self._circuit = circuit
        lasts = [int(members[-1]) for members in groups()]
        others = np.setdiff1d(np.arange(1858), lasts)
        self._parts = [
            (others, _factor(circuit, file, "ahead")),
            (np.array(lasts), _factor(circuit, file, "compare")),
        ]
        small = [v if v < 2**62 else v - circuit_modulus() for v in file.table]
        self._coefs = np.array([v if abs(v) < 2**62 else 0 for v in small], dtype=np.int64)

    def logits(self, words: Words) -> Ints:
        values = self._values(words)
        ahead = np.zeros(1858, dtype=np.int64)
        for indices, rows in self._parts:
            sums = np.cumsum(self._coefs[rows.coef] * values[rows.wire])
            ahead[indices] = np.diff(np.concatenate([[0], sums])[rows.ptr])
        later = values[self._circuit.layout.blocks["later block"]]
        return np.asarray(self.value(words, "best") - ahead - later[np.arange(1858) // BLOCK])

    def value(self, words: Words, name: str) -> int:
        return int(self._values(words)[self._circuit.layout.blocks[name]][0])

    @staticmethod
    def _values(words: Words) -> Ints:
        """Wires as signed integers; the limbs, which are larger, read as anything."""
        low = np.array(words[:, 0]).astype(np.int64)
        modulus = np.array(circuit_modulus() & (2**64 - 1), dtype=np.uint64).astype(np.int64)
        return np.where(words[:, 3] > 0, low - modulus, low)


def _factor(circuit: MoveCircuit, file: R1cs, name: str) -> Matrix:
    """The rows of A of a group of constraints."""
    (group,) = (g for g in circuit.r1cs.groups if g.name == name)
    first, last = int(file.a.ptr[group.start]), int(file.a.ptr[group.stop])
    ptr = file.a.ptr[group.start : group.stop + 1] - first
    return Matrix(ptr, file.a.wire[first:last], file.a.coef[first:last])


def circuit_modulus() -> int:
    """BN254's group order, from EIP-197."""
    return 21888242871839275222246405745257275088548364400416034343698204186575808495617


def test_every_public_bit_but_the_spare_ones_has_a_wire() -> None:
    assert set(range(2433)) - set(public_bit_places().tolist()) == {256 + 18, 256 + 19}


@pytest.mark.parametrize(("name", "log_size"), [("pawn", 16), ("knight", 17), ("queen", 19)])
def test_each_house_net_is_small_enough(name: str, log_size: int) -> None:
    """The prover's domain holds the constraints and one row for each public input and the one."""
    assert circuit_of(name).n_constraints + LIMBS + 1 <= 2**log_size


def test_compiling_and_witnesses_are_quick(pawn: MoveCircuit) -> None:
    statement = corner_statements(pawn.net)["start"]
    start = time.process_time()
    compile_circuit(pawn.net)
    compiled = time.process_time()
    for _ in range(5):
        pawn.witness(statement)
    assert compiled - start < 5
    assert (time.process_time() - compiled) / 5 < 0.3


def test_the_same_net_gives_the_same_circuit(pawn: MoveCircuit) -> None:
    again = compile_circuit(NetSpec.from_bytes(house_net("pawn").to_bytes()))
    assert again.hash == pawn.hash
    assert again.r1cs_bytes == pawn.r1cs_bytes


def test_other_weights_give_another_circuit(small: MoveCircuit) -> None:
    assert compile_circuit(random_net(9, channels=(2, 1))).hash != small.hash


def test_a_false_statement_gets_no_witness(pawn: MoveCircuit) -> None:
    true = corner_statements(pawn.net)["start"]
    false = Statement(true.board, true.context, true.payee, true.dice, true.index ^ 1, true.mask)
    with pytest.raises(NotTheNetsMove) as caught:
        pawn.witness(false)
    assert (caught.value.index, caught.value.best) == (false.index, true.index)
    with pytest.raises(NotTheNetsMove):
        pawn.witness(Statement(true.board, true.context, 1, 1, true.index, 0))


def test_a_board_of_no_pieces_gets_no_witness(pawn: MoveCircuit) -> None:
    with pytest.raises(InvalidPosition):
        pawn.witness(Statement(13, 0, 0, 0, 0, 1))
