// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {CodeStore} from "./CodeStore.sol";
import {Groth16Key} from "./Groth16Key.sol";
import {IMoveVerifier, Statement} from "./IMoveVerifier.sol";
import {MoveStatement} from "./MoveStatement.sol";

/// @title Groth16 proofs of moves, under one verifying key
/// @dev A proof is 256 bytes, every coordinate a big-endian word, G2 as in EIP-197:
///
///      byte    0     64      192    256
///              | A   | B     | C    |
///                G1    G2      G1
///
///      and it is accepted iff, with X = IC[0] + sum of limb[i] * IC[i + 1],
///
///      e(A, B) * e(-alpha, beta) * e(X, -gamma) * e(C, -delta) = 1
///
///      Only points of the key are negated, so a proof reaches the precompiles byte for byte, and
///      they refuse coordinates at or above the modulus and points outside the groups. Groth16
///      proofs can be re-randomised by anyone: nothing may ever be keyed on a proof's hash.
contract Groth16MoveVerifier is IMoveVerifier {
    uint256 private constant R = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001;
    uint256 private constant PROOF_LENGTH = 256;

    /// @notice The contract whose code is a zero byte and then the verifying key.
    address public immutable keyStore;

    /// @param key The verifying key, laid out as in Groth16Key, which says what is refused.
    constructor(bytes memory key) {
        Groth16Key.check(key);
        keyStore = CodeStore.write(key);
    }

    /// @inheritdoc IMoveVerifier
    function statementId() external pure returns (bytes32) {
        return MoveStatement.ID;
    }

    /// @inheritdoc IMoveVerifier
    function verifyMove(Statement calldata statement, bytes calldata proof) external view returns (bool) {
        Statement memory s = statement;
        if (!MoveStatement.inRange(s)) return false;
        return _verify(MoveStatement.limbs(s), proof);
    }

    /// @notice Whether `proof` is accepted for these public inputs, given as numbers.
    /// @dev A limb at or above the group's order would stand for a second string: refused.
    function verifyLimbs(uint256[10] calldata limbs, bytes calldata proof) external view returns (bool) {
        for (uint256 i = 0; i < 10; ++i) {
            if (limbs[i] >= R) return false;
        }
        return _verify(limbs, proof);
    }

    function _verify(uint256[10] memory limbs, bytes calldata proof) private view returns (bool accepted) {
        if (proof.length != PROOF_LENGTH) return false;
        address store = keyStore;
        uint256 p = Groth16Key.P;
        assembly ("memory-safe") {
            // Scratch: key (1152) | sum (64) | term (96) | pairing input (768).
            let key := mload(0x40)
            let sum := add(key, 1152)
            let term := add(sum, 64)
            let input := add(term, 96)
            extcodecopy(store, key, 1, 1152)

            // sum = IC[0] + limb[0] * IC[1] + ...; a product is written over its factor.
            mcopy(sum, add(key, 448), 64)
            let ok := 1
            for { let i := 0 } lt(i, 10) { i := add(i, 1) } {
                mcopy(term, add(key, add(512, shl(6, i))), 64)
                mstore(add(term, 64), mload(add(limbs, shl(5, i))))
                ok := and(ok, staticcall(gas(), 7, term, 96, term, 64))
                ok := and(ok, staticcall(gas(), 6, sum, 128, sum, 64))
            }

            function negate(place, modulus) {
                mstore(place, mod(sub(modulus, mload(place)), modulus))
            }

            calldatacopy(input, proof.offset, 192) // A, B
            mcopy(add(input, 192), key, 192) // alpha, beta
            negate(add(input, 224), p)
            mcopy(add(input, 384), sum, 64) // X
            mcopy(add(input, 448), add(key, 192), 128) // gamma
            negate(add(input, 512), p)
            negate(add(input, 544), p)
            calldatacopy(add(input, 576), add(proof.offset, 192), 64) // C
            mcopy(add(input, 640), add(key, 320), 128) // delta
            negate(add(input, 704), p)
            negate(add(input, 736), p)

            mstore(0, 0) // a chain without the precompile answers nothing
            ok := and(ok, staticcall(gas(), 8, input, 768, 0, 32))
            accepted := and(ok, eq(mload(0), 1))
        }
    }
}
