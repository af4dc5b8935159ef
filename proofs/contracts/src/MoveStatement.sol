// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {Statement} from "./IMoveVerifier.sol";

/// @title The public inputs of a move proof
/// @dev The fields of a Statement are laid end to end, lowest bit first:
///
///      bit      0       256      276      436     564     575            2433
///               | board | context | payee  | dice  | index | mask ...... |
///      width      256       20       160      128     11        1858
///
///      and the string is cut into ten limbs of 253 bits, the last of 156:
///
///      limb k = bits [253k, 253k + 253)
///
///      253 bits are always below the order of bn254's scalar field (about 2^253.6), so that each
///      string has one list of limbs and each list of limbs one string.
///      With S the string as 256-bit words S0..S9, word borders drift three bits a limb:
///
///      limb k = ((S[k-1] >> (256 - 3k)) | (S[k] << 3k)) mod 2^253
///
///      Word 2 holds dice bits 76..127, the index and mask bits 0..192:  | 52 | 11 | 193 |
///      so the mask is 63 bits askew from there on.
library MoveStatement {
    bytes32 internal constant ID = keccak256("checkproof/move/1");

    uint256 internal constant CONTEXT_BITS = 20;
    uint256 internal constant INDEX_BITS = 11;
    uint256 internal constant TOP_MASK_BITS = 66; // 1858 - 7 * 256

    uint256 private constant LIMB_MASK = (1 << 253) - 1;

    /// @notice Whether every field keeps to its width; payee and dice do by their types.
    function inRange(Statement memory s) internal pure returns (bool) {
        return s.context >> CONTEXT_BITS == 0 && s.index >> INDEX_BITS == 0 && s.mask[7] >> TOP_MASK_BITS == 0;
    }

    /// @notice The ten public inputs of a statement that is in range.
    function limbs(Statement memory s) internal pure returns (uint256[10] memory out) {
        uint256 dice = s.dice;
        uint256 previous = s.board;
        out[0] = previous & LIMB_MASK;
        for (uint256 k = 1; k < 10; ++k) {
            uint256 word;
            if (k == 1) word = s.context | (uint256(uint160(s.payee)) << 20) | (dice << 180);
            else if (k == 2) word = (dice >> 76) | (s.index << 52) | (s.mask[0] << 63);
            else word = (s.mask[k - 3] >> 193) | (s.mask[k - 2] << 63);
            out[k] = ((previous >> (256 - 3 * k)) | (word << (3 * k))) & LIMB_MASK;
            previous = word;
        }
    }
}
