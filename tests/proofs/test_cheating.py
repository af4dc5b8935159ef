from dataclasses import replace

import numpy as np
import pytest

from engine.move_groups import group_of, groups
from proofs.circuit import MoveCircuit, compile_circuit
from proofs.field import Words
from proofs.statement import Statement
from tests.proofs.cheats import (
    CHEATS,
    MIDDLE,
    best_of,
    honest,
    legal_of,
    middle_statement,
    tied_net,
)
from tests.proofs.cheats_net import NET_CHEATS
from tests.proofs.circuits import NAMES, circuit_of

ABOUT = {
    "other_dice_in_the_logits": "noise",
    "repetition_denied": "repeat_noise",
    "repeat_coin_turned": "repeat_noise",
}


def violated_groups(circuit: MoveCircuit, words: Words) -> set[str]:
    labels = [circuit.r1cs.label(k) for k in circuit.r1cs.violations(words)]
    return {label[: label.rindex("[")] for label in labels}


def cases() -> list[tuple[str, str]]:
    """Every cheat with every net that has what it lies about."""
    return [
        (name, cheat)
        for name in NAMES
        for cheat in (*CHEATS, *NET_CHEATS)
        if getattr(circuit_of(name).net, ABOUT.get(cheat, "head"))
    ]


@pytest.mark.parametrize(("net", "cheat"), cases())
def test_cheat_fails_in_its_own_constraints(net: str, cheat: str) -> None:
    circuit = circuit_of(net)
    statement = middle_statement(circuit.net)
    assert not circuit.r1cs.violations(honest(circuit, statement))
    cheated = (CHEATS | NET_CHEATS)[cheat](circuit, statement)
    broken = violated_groups(circuit, cheated.words)
    assert broken
    assert broken <= set(cheated.groups)


def test_second_best_fails_at_the_best_move(pawn: MoveCircuit) -> None:
    statement = middle_statement(pawn.net)
    cheat = CHEATS["second_best"](pawn, statement)
    labels = {pawn.r1cs.label(k) for k in pawn.r1cs.violations(cheat.words)}
    index = statement.index
    assert labels <= {f"compare[{group_of()[index]}]", f"block compare[{index % 32}]"}


def test_two_legal_moves_of_a_group_have_no_witness(small: MoveCircuit) -> None:
    """Even where the better of the two is played: no position has such a mask."""
    statement = middle_statement(small.net)
    trace = small.net.forward(statement.board)
    label = "one of group"
    for number, members in enumerate(groups()[:40]):
        for k in range(1, len(members)):
            mask = 1 << int(members[k - 1]) | 1 << int(members[k])
            words = honest(small, best_of(replace(statement, mask=mask), trace))
            violated = {small.r1cs.label(k) for k in small.r1cs.violations(words)}
            assert f"{label}[{number}]" in violated
            assert violated <= {f"{label}[{number}]", f"compare[{number}]"}


@pytest.fixture(scope="module")
def tied() -> MoveCircuit:
    return compile_circuit(tied_net())


def test_only_the_first_of_tied_moves_is_accepted(tied: MoveCircuit) -> None:
    position, mask = legal_of(MIDDLE)
    legal = [i for i in range(1858) if mask >> i & 1]
    groups = {}
    for index in legal:
        statement = Statement.of(position, mask, index, payee=1, dice=2)
        groups[index] = violated_groups(tied, honest(tied, statement))
    first, *later = legal
    assert groups[first] == set()
    for index in later:
        expected = {"block compare"} if index // 32 == first // 32 else {"compare"}
        assert groups[index] >= expected
        assert groups[index] <= {"compare", "block compare"}


def test_second_best_fails_in_every_pair_of_blocks(small: MoveCircuit) -> None:
    """Every legal move but one is refused, wherever it lies relative to the best."""
    position, mask = legal_of(MIDDLE)
    accepted = []
    for index in (i for i in range(1858) if mask >> i & 1):
        statement = Statement.of(position, mask, index, payee=1, dice=2)
        if not small.r1cs.violations(honest(small, statement)):
            accepted.append(index)
    logits = small.net.forward(position.board).logits
    legal = [i for i in range(1858) if mask >> i & 1]
    assert accepted == [max(legal, key=lambda i: (logits[i], -i))]


@pytest.mark.parametrize("name", NAMES)
def test_any_single_changed_wire_is_noticed(name: str) -> None:
    circuit = circuit_of(name)
    words = honest(circuit, middle_statement(circuit.net))
    rng = np.random.default_rng(5)
    for wire in rng.integers(1, circuit.r1cs.n_wires, size=80):
        changed = words.copy()
        changed[wire, 0] ^= np.uint64(1)
        assert circuit.r1cs.violations(changed), f"wire {wire} can be anything"


@pytest.mark.parametrize("name", NAMES)
def test_no_run_of_bits_can_wrap_around(name: str) -> None:
    """The text at the head of proofs/circuit.py, in numbers."""
    circuit, bits = circuit_of(name), 50
    layout, bounds = circuit.layout.wiring, circuit.net.bounds()
    widths = [layer.widths for layer in layout.layers]
    widths += [layout.compare_widths, layout.block_compare_widths]
    assert max(int(w.max()) for w in widths if len(w)) <= bits
    lowest = min(int(lo.min()) for lo in [*bounds.pre_lo, bounds.logit_lo - bounds.logit_hi.max()])
    assert lowest > -(2 ** (bits - 1))
