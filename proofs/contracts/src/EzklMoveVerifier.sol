// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {IMoveVerifier, Statement} from "./IMoveVerifier.sol";
import {MoveStatement} from "./MoveStatement.sol";
import {PolicyTable} from "./PolicyTable.sol";

/// @title Moves of an ONNX net, proven by ezkl
/// @dev ezkl's generated verifier takes public numbers, its instances, which this contract makes:
///
///      instance   0             64        69              69 + n
///                 | piece codes | binding | outputs of net |
///
///      binding    the low 120 bits of keccak256(context | payee | dice), 24 bits each, lowest first
///      outputs    n = 131:  64 from, 64 to, 3 promotions to queen, rook, bishop
///                 n = 451:  64 from, 64 to for each of own P N B R Q K, 3 promotions
///
///      The net does not read the binding, but a proof is about all of its instances. The logit of a
///      move is its from-square's, plus its to-square's, plus its promotion's if it is one of those;
///      the move is the legal one of the highest logit, the lowest index among equals.
///
///      A proof is
///
///      byte       0                      4n               4n + proofLength
///                 | outputs, int32 each  | ezkl's proof |
///
///      so each output has one form, and none can reach the field's order. A negative number x is
///      the field element R - |x|; the circuit keeps all below 2^27 in size, and so does this.
contract EzklMoveVerifier is IMoveVerifier {
    uint256 private constant R = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001;

    uint256 internal constant SQUARES = 64;
    uint256 internal constant BINDINGS = 5;
    uint256 internal constant BINDING_BITS = 24;
    uint256 internal constant INPUTS = SQUARES + BINDINGS;
    uint256 internal constant PROMOTIONS = 3;
    uint256 internal constant PLAIN_OUTPUTS = 2 * SQUARES + PROMOTIONS;
    uint256 internal constant BY_PIECE_OUTPUTS = 7 * SQUARES + PROMOTIONS;
    int256 internal constant OUTPUT_LIMIT = 2 ** 27;

    /// @notice The verifier that ezkl generated for one verifying key.
    address public immutable halo2Verifier;

    /// @notice The code that it had when this contract was made, and must have at every proof.
    bytes32 public immutable halo2CodeHash;

    /// @notice How many outputs the net has: 131 or 451.
    uint256 public immutable outputs;

    /// @notice Bytes of ezkl's part of a proof.
    uint256 public immutable proofLength;

    /// @notice There is no contract at the verifier's address, or another one than expected.
    error WrongVerifierCode(address verifier, bytes32 expected, bytes32 found);
    /// @notice No net has this many outputs.
    error WrongOutputs(uint256 count);

    /// @param verifier ezkl's generated verifier, deployed.
    /// @param codeHash Its code hash, so that what is bound is what was meant.
    constructor(address verifier, bytes32 codeHash, uint256 outputCount, uint256 proofBytes) {
        bytes32 found = verifier.codehash;
        if (verifier.code.length == 0 || found != codeHash) {
            revert WrongVerifierCode(verifier, codeHash, found);
        }
        if (outputCount != PLAIN_OUTPUTS && outputCount != BY_PIECE_OUTPUTS) {
            revert WrongOutputs(outputCount);
        }
        halo2Verifier = verifier;
        halo2CodeHash = codeHash;
        outputs = outputCount;
        proofLength = proofBytes;
    }

    /// @inheritdoc IMoveVerifier
    function statementId() external pure returns (bytes32) {
        return MoveStatement.ID;
    }

    /// @inheritdoc IMoveVerifier
    function verifyMove(Statement calldata statement, bytes calldata proof) external view returns (bool) {
        Statement memory s = statement;
        if (!MoveStatement.inRange(s)) return false;
        if (proof.length != 4 * outputs + proofLength) return false;
        (int256[] memory scores, bool inRange) = _scores(proof);
        if (!inRange || !_isBest(s, scores)) return false;
        return _verify(_instances(s, scores), proof[4 * outputs:]);
    }

    /// @dev The outputs as numbers, and whether all keep to their range.
    function _scores(bytes calldata proof) private view returns (int256[] memory scores, bool inRange) {
        uint256 count = outputs;
        scores = new int256[](count);
        uint256 limit = uint256(OUTPUT_LIMIT);
        uint256 outside;
        assembly ("memory-safe") {
            let place := add(scores, 32)
            let end := add(proof.offset, shl(2, count))
            for { let word := proof.offset } lt(word, end) { word := add(word, 4) } {
                let score := sar(224, calldataload(word))
                mstore(place, score)
                place := add(place, 32)
                // -limit < score < limit, in one unsigned comparison
                outside := or(outside, iszero(lt(add(score, sub(limit, 1)), sub(shl(1, limit), 1))))
            }
        }
        inRange = outside == 0;
    }

    /// @dev Whether the statement's move is the legal one of the highest logit, the first of equals.
    function _isBest(Statement memory s, int256[] memory scores) private pure returns (bool) {
        uint256 index = s.index;
        if (index >= PolicyTable.SIZE || (s.mask[index >> 8] >> (index & 255)) & 1 == 0) return false;
        int256 best = _logit(s.board, scores, index);
        uint256 memoryBefore;
        assembly ("memory-safe") {
            memoryBefore := mload(0x40)
        }
        for (uint256 word = 0; word < 8; ++word) {
            for (uint256 left = s.mask[word]; left != 0; left &= left - 1) {
                uint256 other = (word << 8) | _lowest(left);
                if (other == index) continue;
                int256 logit = _logit(s.board, scores, other);
                // The move tables that PolicyTable.read left behind are of no more use.
                assembly ("memory-safe") {
                    mstore(0x40, memoryBefore)
                }
                if (logit > best || (logit == best && other < index)) return false;
            }
        }
        return true;
    }

    function _logit(uint256 board, int256[] memory scores, uint256 index)
        private
        pure
        returns (int256 logit)
    {
        (uint256 from, uint256 to, uint256 promotion) = PolicyTable.read(index);
        uint256 row = 0;
        if (scores.length == BY_PIECE_OUTPUTS) {
            uint256 piece = (board >> (4 * from)) & 15;
            // A legal move's piece is one's own; any other has no row and no legal move.
            if (piece != 0) row = (piece - 1) % 6;
        }
        logit = scores[from] + scores[SQUARES * (1 + row) + to];
        // 5 queen, 4 rook, 3 bishop.
        if (promotion != 0) logit += scores[scores.length - PROMOTIONS + 5 - promotion];
    }

    function _instances(Statement memory s, int256[] memory scores)
        private
        pure
        returns (uint256[] memory all)
    {
        all = new uint256[](INPUTS + scores.length);
        uint256 bound = uint256(keccak256(abi.encode(s.context, s.payee, s.dice)));
        for (uint256 k = 0; k < BINDINGS; ++k) {
            all[SQUARES + k] = bound & ((1 << BINDING_BITS) - 1);
            bound >>= BINDING_BITS;
        }
        uint256 board = s.board;
        uint256 first = INPUTS + 1; // the first output, the length of `all` counted in
        assembly ("memory-safe") {
            let place := add(all, 32)
            for { let shift := 0 } lt(shift, 256) { shift := add(shift, 4) } {
                mstore(place, and(shr(shift, board), 15))
                place := add(place, 32)
            }
            place := add(all, shl(5, first))
            let score := add(scores, 32)
            let end := add(score, shl(5, mload(scores)))
            for {} lt(score, end) { score := add(score, 32) } {
                let x := mload(score)
                mstore(place, add(x, mul(R, slt(x, 0))))
                place := add(place, 32)
            }
        }
    }

    /// @dev ezkl's verifier answers 1 or reverts without a word; a call to an address without code
    ///      succeeds without one. So only its own code, and exactly the answer 1, will do.
    function _verify(uint256[] memory instances, bytes calldata proof) private view returns (bool accepted) {
        address verifier = halo2Verifier;
        if (verifier.codehash != halo2CodeHash) return false;
        bytes memory input = abi.encodeWithSignature("verifyProof(bytes,uint256[])", proof, instances);
        assembly ("memory-safe") {
            mstore(0, 0)
            let done := staticcall(gas(), verifier, add(input, 32), mload(input), 0, 32)
            accepted := and(done, and(eq(returndatasize(), 32), eq(mload(0), 1)))
        }
    }

    /// @dev The number of the lowest set bit.
    function _lowest(uint256 set) private pure returns (uint256 bit) {
        unchecked {
            set &= 0 - set;
        }
        for (uint256 half = 128; half != 0; half >>= 1) {
            if (set >> half != 0) {
                set >>= half;
                bit += half;
            }
        }
    }
}
