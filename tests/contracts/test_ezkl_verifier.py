"""The ezkl verifier: which moves it takes from an ONNX net, and that it takes no other.

What only ezkl can decide is tried with real proofs.  Which move is the best one is tried with a
stand-in for ezkl's verifier that accepts everything, so that outputs can be chosen freely.
"""

import json
import random
from dataclasses import replace
from typing import Any, Final

import chess
import numpy as np
import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from engine.encoding import Position
from engine.export import Heads
from engine.policy_map import FROM_SQUARE, TO_SQUARE, legal_mask, move_index
from proofs.ezkl_build import CODE_LIMIT, Manifest
from proofs.ezkl_prover import EzklProver
from proofs.ezkl_shape import FIELD, inputs, pack_outputs, to_field, unpack_outputs
from proofs.field import Q as BASE_FIELD
from proofs.statement import STATEMENT_ID, Statement
from tests.contracts.ground import Contract, Node, Reverted
from tests.contracts.scene import CIRCUIT, NET, PAYEE, ZERO, Scene, as_struct, raw
from tests.proofs.ezkl_fixture import Proven, proven

PLAIN: Final = Heads(by_piece=False)
BY_PIECE: Final = Heads(by_piece=True)
STUB_PROOF: Final = 32
ANSWER_ONE: Final = bytes.fromhex("60015f5260205ff3")  # return one word: 1


def deploy_code(node: Node, creation: str) -> str:
    """The address of a contract made by this creation code."""
    transaction = {"from": node.accounts[0], "data": creation, "gas": hex(12_000_000)}
    receipt = node.mined(node.ask("eth_sendTransaction", transaction))
    assert receipt["status"] == "0x1"
    address: str = receipt["contractAddress"]
    return address.lower()


def deploy_runtime(node: Node, code: bytes) -> str:
    """The address of a contract with this runtime code."""
    copy = bytes.fromhex(f"61{len(code):04x}80600a5f395ff3")
    return deploy_code(node, "0x" + copy.ljust(10, b"\0").hex() + code.hex())


def wrapped(node: Node, halo2: str, *, outputs: int, proof_bytes: int) -> Contract:
    """An EzklMoveVerifier around the verifier at `halo2`."""
    code_hash = keccak(node.code(halo2))
    return Contract.deploy(node, "EzklMoveVerifier", halo2, code_hash, outputs, proof_bytes)


@pytest.fixture(scope="module")
def honest() -> Proven:
    return proven(1)


@pytest.fixture(scope="module")
def halo2(shared_node: Node, honest: Proven) -> str:
    code = json.loads((honest.folder / "verifier.json").read_text())
    return deploy_code(shared_node, code["bytecode"])


@pytest.fixture(scope="module")
def verifier(shared_node: Node, halo2: str, honest: Proven) -> Contract:
    manifest = Manifest.read(honest.folder)
    proof_bytes = manifest.proof_bytes
    return wrapped(shared_node, halo2, outputs=manifest.outputs, proof_bytes=proof_bytes)


@pytest.fixture(scope="module")
def judge(shared_node: Node) -> Contract:
    """131 outputs, and any proof of 32 bytes will do."""
    stub = deploy_runtime(shared_node, ANSWER_ONE)
    return wrapped(shared_node, stub, outputs=PLAIN.outputs, proof_bytes=STUB_PROOF)


@pytest.fixture(scope="module")
def piece_judge(shared_node: Node) -> Contract:
    stub = deploy_runtime(shared_node, ANSWER_ONE)
    return wrapped(shared_node, stub, outputs=BY_PIECE.outputs, proof_bytes=STUB_PROOF)


def accepts(verifier: Contract, statement: Statement, proof: bytes) -> bool:
    answer: bool = verifier.call("verifyMove", as_struct(statement), proof)
    return answer


def plays(judge: Contract, statement: Statement, outputs: Any) -> bool:
    """Whether the move is the best one by these outputs."""
    return accepts(judge, statement, pack_outputs(np.array(outputs)) + bytes(STUB_PROOF))


def verify_proof(node: Node, halo2: str, proof: bytes, instances: list[int]) -> bytes | None:
    """What ezkl's own verifier answers, None if it reverts."""
    words = [value % 2**256 for value in instances]
    selector = keccak(b"verifyProof(bytes,uint256[])")[:4]
    contract = Contract.at(node, "EzklMoveVerifier", halo2)
    try:
        return contract.call_raw(selector + encode(["bytes", "uint256[]"], [proof, words]))
    except Reverted:
        return None


def outputs_of(honest: Proven) -> Any:
    return unpack_outputs(honest.proof, PLAIN.outputs)


def instances_of(honest: Proven) -> list[int]:
    outputs = [to_field(int(value)) for value in outputs_of(honest)]
    return [*inputs(honest.statement), *outputs]


def ezkl_part(honest: Proven) -> bytes:
    return honest.proof[4 * PLAIN.outputs :]


# ---- real proofs ----


def test_verifyMove_succeedsForAnHonestProof(verifier: Contract, honest: Proven) -> None:
    assert accepts(verifier, honest.statement, honest.proof)
    assert verifier.call("statementId") == "0x" + STATEMENT_ID.hex()


def test_generatedVerifier_fitsAContract(shared_node: Node, halo2: str, honest: Proven) -> None:
    code = shared_node.code(halo2)
    assert len(code) == Manifest.read(honest.folder).code_bytes < CODE_LIMIT
    expected = json.loads((honest.folder / "verifier.json").read_text())["deployedBytecode"]
    assert code.hex() == expected[2:]


def test_verifyMove_failsForEveryOtherMove(verifier: Contract, honest: Proven) -> None:
    for index in [i for i in range(1858) if honest.statement.mask >> i & 1] + [1857, 1858, 2047]:
        if index != honest.statement.index:
            assert not accepts(verifier, replace(honest.statement, index=index), honest.proof)


@pytest.mark.parametrize(
    "changes",
    [{"payee": 1}, {"dice": 1}, {"context": 0}, {"board": 0}],
    ids=["payee", "dice", "context", "board"],
)
def test_verifyMove_failsInAnotherGame(
    verifier: Contract, honest: Proven, changes: dict[str, int]
) -> None:
    assert not accepts(verifier, replace(honest.statement, **changes), honest.proof)


def test_verifyMove_failsOnAnotherBoard(verifier: Contract, honest: Proven) -> None:
    empty = next(s for s in range(64) if not honest.statement.board >> 4 * s & 15)
    board = honest.statement.board | 8 << 4 * empty
    assert not accepts(verifier, replace(honest.statement, board=board), honest.proof)


def test_verifyMove_failsIfALogitIsChanged(verifier: Contract, honest: Proven) -> None:
    for output in (0, 63, 64, 127, 128, 130):
        outputs = outputs_of(honest).copy()
        outputs[output] -= 1  # not of the best move's alone, so that it may well stay the best
        changed = pack_outputs(outputs) + ezkl_part(honest)
        assert not accepts(verifier, honest.statement, changed)


def test_verifyMove_failsIfTheBestLogitIsRaised(verifier: Contract, honest: Proven) -> None:
    outputs = outputs_of(honest).copy()
    other = next(
        i for i in range(1858) if honest.statement.mask >> i & 1 and i != honest.statement.index
    )
    outputs[:128] += 2 * np.isin(np.arange(128), _reads(other)) * 10_000_000
    statement = replace(honest.statement, index=other)
    assert PLAIN.choose(outputs, statement.board, statement.mask) == other
    assert not accepts(verifier, statement, pack_outputs(outputs) + ezkl_part(honest))


def _reads(index: int) -> list[int]:
    return [int(FROM_SQUARE[index]), 64 + int(TO_SQUARE[index])]


def test_verifyMove_failsIfAWordOfTheProofIsChanged(verifier: Contract, honest: Proven) -> None:
    rng = random.Random(3)
    start = 4 * PLAIN.outputs
    for word in range(start, len(honest.proof), 32):
        changed = bytearray(honest.proof)
        changed[word + rng.randrange(32)] ^= 1 << rng.randrange(8)
        assert not accepts(verifier, honest.statement, bytes(changed))


def test_verifyMove_failsIfANumberOfTheProofReachesItsModulus(
    verifier: Contract, honest: Proven
) -> None:
    """A number has one form, whether it is a coordinate or an evaluation."""
    start = 4 * PLAIN.outputs
    for word in range(start, len(honest.proof), 32):
        number = int.from_bytes(honest.proof[word : word + 32], "big")
        for modulus in (FIELD, BASE_FIELD):
            if number + modulus < 2**256:
                more = (number + modulus).to_bytes(32, "big")
                changed = honest.proof[:word] + more + honest.proof[word + 32 :]
                assert not accepts(verifier, honest.statement, changed)


@pytest.mark.parametrize(
    "change", ["empty", "short", "long", "zeros", "less outputs", "more outputs"]
)
def test_verifyMove_failsIfTheProofHasAnotherLength(
    verifier: Contract, honest: Proven, change: str
) -> None:
    proofs = {
        "empty": b"",
        "short": honest.proof[:-1],
        "long": honest.proof + b"\0",
        "zeros": bytes(len(honest.proof)),
        "less outputs": honest.proof[4:],
        "more outputs": bytes(4) + honest.proof,
    }
    assert not accepts(verifier, honest.statement, proofs[change])


def test_verifyMove_failsForAProofOfOtherWeights(verifier: Contract, honest: Proven) -> None:
    other = proven(2)
    assert len(other.proof) == len(honest.proof)
    assert not accepts(verifier, other.statement, other.proof)


def test_verifyMove_failsForAProofUnderAnotherSrs(verifier: Contract, honest: Proven) -> None:
    other = proven(1, store="second")
    assert other.statement == honest.statement
    assert other.proof[: 4 * PLAIN.outputs] == honest.proof[: 4 * PLAIN.outputs]
    assert not accepts(verifier, other.statement, other.proof)


# ---- ezkl's own verifier, which must not be looser than we think ----


def test_generatedVerifier_succeedsWithTheInstancesDrawn(
    shared_node: Node, halo2: str, honest: Proven
) -> None:
    answer = verify_proof(shared_node, halo2, ezkl_part(honest), instances_of(honest))
    assert answer is not None
    assert int.from_bytes(answer, "big") == 1


@pytest.mark.parametrize("place", [0, 64, 69, 199], ids=["code", "binding", "first", "last"])
def test_generatedVerifier_failsIfAnInstanceReachesTheModulus(
    shared_node: Node, halo2: str, honest: Proven, place: int
) -> None:
    instances = instances_of(honest)
    instances[place] += FIELD
    assert verify_proof(shared_node, halo2, ezkl_part(honest), instances) is None


def test_generatedVerifier_failsWithTooFewOrManyInstances(
    shared_node: Node, halo2: str, honest: Proven
) -> None:
    instances = instances_of(honest)
    for wrong in ([], instances[:-1], instances[1:], [*instances, 0], [0, *instances]):
        assert verify_proof(shared_node, halo2, ezkl_part(honest), wrong) is None


# ---- the best move ----


def board_statement(fen: str, san: str) -> Statement:
    board = chess.Board(fen)
    here = Position.of(board)
    index = move_index(board, board.parse_san(san))
    return Statement.of(here, legal_mask(board), index, payee=PAYEE, dice=0)


KINGS: Final = "k7/8/8/8/8/8/8/K7 w - - 0 1"  # Ka2 Kb1 Kb2
PROMOTING: Final = "8/P6k/8/8/8/8/8/K7 w - - 0 1"


def zeros(heads: Heads = PLAIN) -> Any:
    return np.zeros(heads.outputs, dtype=np.int64)


def test_verifyMove_takesTheLowestIndexOfTies(judge: Contract) -> None:
    statements = [board_statement(KINGS, san) for san in ("Kb1", "Ka2", "Kb2")]
    statements.sort(key=lambda statement: statement.index)
    assert [plays(judge, statement, zeros()) for statement in statements] == [True, False, False]


def test_verifyMove_prefersASmallPositiveToALargeNegative(judge: Contract) -> None:
    outputs = zeros()
    outputs[64 + chess.B1] = -(2**27) + 1
    outputs[64 + chess.A2] = -1
    outputs[64 + chess.B2] = 1
    assert plays(judge, board_statement(KINGS, "Kb2"), outputs)
    assert not plays(judge, board_statement(KINGS, "Kb1"), outputs)
    assert not plays(judge, board_statement(KINGS, "Ka2"), outputs)


def test_verifyMove_comparesNegatives(judge: Contract) -> None:
    outputs = zeros() - 5
    outputs[64 + chess.A2] = -4
    assert plays(judge, board_statement(KINGS, "Ka2"), outputs)
    assert not plays(judge, board_statement(KINGS, "Kb2"), outputs)


def test_verifyMove_passesOverIllegalMoves(judge: Contract) -> None:
    outputs = zeros()
    outputs[64 + chess.C3] = outputs[chess.H8] = 1_000_000
    outputs[64 + chess.B2] = 1
    assert plays(judge, board_statement(KINGS, "Kb2"), outputs)


def test_verifyMove_failsIfTheMoveIsIllegal(judge: Contract) -> None:
    statement = board_statement(KINGS, "Kb2")
    outputs = zeros()
    outputs[64 + chess.B2] = 1
    assert plays(judge, statement, outputs)
    assert not plays(judge, replace(statement, mask=statement.mask ^ 1 << statement.index), outputs)


@pytest.mark.parametrize(("san", "place"), [("a8=Q", 0), ("a8=R", 1), ("a8=B", 2), ("a8=N", 3)])
def test_verifyMove_addsThePromotionsLogit(judge: Contract, san: str, place: int) -> None:
    outputs = zeros()
    outputs[64 + chess.A8] = 5
    outputs[128:] = -1
    if place < 3:
        outputs[128 + place] = 1
    assert plays(judge, board_statement(PROMOTING, san), outputs)


@pytest.mark.parametrize("length", [0, STUB_PROOF - 1, STUB_PROOF + 1])
def test_verifyMove_failsIfEzklsPartHasAnotherLength(judge: Contract, length: int) -> None:
    """Whatever ezkl's verifier would make of it."""
    statement, outputs = board_statement(KINGS, "Kb2"), zeros()
    outputs[64 + chess.B2] = 1
    assert accepts(judge, statement, pack_outputs(outputs) + bytes(STUB_PROOF))
    assert not accepts(judge, statement, pack_outputs(outputs) + bytes(length))


def test_verifyMove_failsIfAnOutputLeavesItsRange(judge: Contract) -> None:
    statement = board_statement(KINGS, "Kb2")
    for limit in (2**27, -(2**27), 2**31 - 1, -(2**31)):
        outputs = zeros()
        outputs[64 + chess.B2] = 1
        outputs[chess.H8] = limit
        assert not plays(judge, statement, outputs)
    outputs[chess.H8] = 2**27 - 1
    assert plays(judge, statement, outputs)


@pytest.mark.parametrize("by_piece", [False, True], ids=["plain", "by piece"])
def test_verifyMove_agreesWithPython(
    judge: Contract, piece_judge: Contract, by_piece: bool
) -> None:
    heads, contract = (BY_PIECE, piece_judge) if by_piece else (PLAIN, judge)
    rng = random.Random(7)
    for board in _positions(rng, 12):
        # Few values, so that ties are common.
        outputs = np.array([rng.choice([-9, -1, 0, 1, 2**26]) for _ in range(heads.outputs)])
        here, mask = Position.of(board), legal_mask(board)
        best = heads.choose(outputs, here.board, mask)
        legal = [move_index(board, move) for move in board.legal_moves]
        for index in {best, *rng.sample(legal, min(3, len(legal)))}:
            statement = Statement.of(here, mask, index, payee=PAYEE, dice=0)
            assert plays(contract, statement, outputs) == (index == best), board.fen()


def _positions(rng: random.Random, count: int) -> list[chess.Board]:
    """Positions of random games, promotions among them."""
    found = [chess.Board("1n2k3/P1P5/8/8/8/8/p7/4K3 w - - 0 1")]
    while len(found) < count:
        board = chess.Board()
        for _ in range(rng.randrange(10, 120)):
            if not any(board.legal_moves):
                break
            board.push(rng.choice(list(board.legal_moves)))
        if any(board.legal_moves):
            found.append(board)
    return found


# ---- the verifier behind it ----


def test_constructor_failsIfTheVerifierHasNoCode(shared_node: Node) -> None:
    nobody = "0x" + "12" * 20
    for code_hash in (ZERO, keccak(b"")):
        with pytest.raises(Reverted, match="WrongVerifierCode"):
            Contract.deploy(shared_node, "EzklMoveVerifier", nobody, code_hash, 131, 32)


def test_constructor_failsIfTheCodeIsNotTheOneMeant(shared_node: Node, halo2: str) -> None:
    with pytest.raises(Reverted, match="WrongVerifierCode"):
        Contract.deploy(shared_node, "EzklMoveVerifier", halo2, keccak(b"other"), 131, 32)


def test_constructor_failsIfNoNetHasTheseOutputs(shared_node: Node, halo2: str) -> None:
    code_hash = keccak(shared_node.code(halo2))
    for outputs in (0, 130, 450, 1858):
        with pytest.raises(Reverted, match="WrongOutputs"):
            Contract.deploy(shared_node, "EzklMoveVerifier", halo2, code_hash, outputs, 32)


@pytest.mark.parametrize(
    "code",
    ["60025f5260205ff3", "5f5ff3", "5f5ffd", "60015f5260405ff3", "6001601f53601f5ff3", ""],
    ids=["two", "nothing", "revert", "two words", "31 bytes", "no code"],
)
def test_verifyMove_failsUnlessTheAnswerIsOne(scene: Scene, code: str) -> None:
    """Also that a changed code is refused: all but the first answers are given by another code."""
    stub = deploy_runtime(scene.node, bytes.fromhex(code or "00"))
    judge = wrapped(scene.node, stub, outputs=131, proof_bytes=STUB_PROOF)
    if not code:
        scene.node.set_code(stub, b"")
    assert not plays(judge, board_statement(KINGS, "Kb1"), zeros())


def test_verifyMove_failsIfTheVerifiersCodeChanges(scene: Scene) -> None:
    stub = deploy_runtime(scene.node, ANSWER_ONE)
    judge = wrapped(scene.node, stub, outputs=131, proof_bytes=STUB_PROOF)
    statement = board_statement(KINGS, "Kb1")
    outputs = zeros()
    outputs[64 + chess.B1] = 1
    assert plays(judge, statement, outputs)
    scene.node.set_code(stub, ANSWER_ONE + b"\0")
    assert not plays(judge, statement, outputs)


# ---- in the arena ----


def test_submitBotMove_succeedsWithAnEzklProofOnly(scene: Scene, honest: Proven) -> None:
    manifest = Manifest.read(honest.folder)
    code = json.loads((honest.folder / "verifier.json").read_text())
    halo2 = deploy_code(scene.node, code["bytecode"])
    verifier = wrapped(
        scene.node, halo2, outputs=manifest.outputs, proof_bytes=manifest.proof_bytes
    )
    receipt = scene.registry.send(
        *("registerCustom", NET, CIRCUIT, bytes.fromhex(manifest.key_hash)),
        *(STATEMENT_ID, verifier.address, "ezkl"),
    )
    bot = raw(receipt.event("BotRegistered")["id"])
    live = scene.open(white=bot, black=scene.player_side())
    with EzklProver(honest.folder) as prover:
        here = live.game.position
        index = prover.choose(here.board, here.context, live.game.mask)
        proof = prover.prove(live.statement(index)).proof
    for wrong in (honest.proof, b"", proof[:-1]):
        with pytest.raises(Reverted, match="ProofRejected"):
            live.send_bot_move(index, wrong)
    with pytest.raises(Reverted, match="ProofRejected"):
        live.send_bot_move(index, proof, payee=PAYEE + 1)
    moved = live.send_bot_move(index, proof)
    assert moved.names == ["BotMoved"]
    assert moved.gas < 1_250_000
