// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {ChessRules} from "../ChessRules.sol";
import {PolicyTable} from "../PolicyTable.sol";

/// ChessRules from outside, one position at a time or many in one call. For tests.
contract ChessRulesHarness {
    /// What there is to say about one position. `gasUsed` is what its mask cost.
    struct Report {
        uint256[8] mask;
        bool hasLegalMove;
        bool inCheck;
        bool insufficientMaterial;
        uint256 gasUsed;
    }

    function isLegal(uint256 board, uint256 context, uint256 index) external pure returns (bool) {
        return ChessRules.isLegal(ChessRules.legalMask(board, context), index);
    }

    /// From-square, to-square and promotion (piece code or 0) of every policy index.
    function moves() external pure returns (uint256[3][] memory list) {
        list = new uint256[3][](PolicyTable.SIZE);
        for (uint256 index = 0; index < PolicyTable.SIZE; ++index) {
            (list[index][0], list[index][1], list[index][2]) = PolicyTable.read(index);
        }
    }

    function reports(uint256[2][] calldata positions) external view returns (Report[] memory list) {
        list = new Report[](positions.length);
        for (uint256 i = 0; i < positions.length; ++i) {
            uint256 before = gasleft();
            uint256[8] memory mask = ChessRules.legalMask(positions[i][0], positions[i][1]);
            uint256 gasUsed = before - gasleft();
            list[i] = Report({
                mask: mask,
                hasLegalMove: ChessRules.hasLegalMove(mask),
                inCheck: ChessRules.inCheck(positions[i][0]),
                insufficientMaterial: ChessRules.insufficientMaterial(positions[i][0]),
                gasUsed: gasUsed
            });
        }
    }

    /// The position after every legal move, in the order of their indices: board and context.
    function children(uint256 board, uint256 context) external view returns (uint256[3][] memory list) {
        uint256[8] memory mask = ChessRules.legalMask(board, context);
        list = new uint256[3][](_count(mask));
        uint256 filled = 0;
        for (uint256 index = 0; index < PolicyTable.SIZE; ++index) {
            if (!ChessRules.isLegal(mask, index)) continue;
            uint256 before = gasleft();
            (list[filled][0], list[filled][1]) = ChessRules.play(board, context, index);
            list[filled++][2] = before - gasleft();
        }
    }

    /// The number of lines of `depth` (>= 1) legal moves.
    function perft(uint256 board, uint256 context, uint256 depth) external view returns (uint256 leaves) {
        uint256[8] memory mask = ChessRules.legalMask(board, context);
        if (depth == 1) return _count(mask);
        for (uint256 index = 0; index < PolicyTable.SIZE; ++index) {
            if (mask[index >> 8] >> (index & 255) == 0) {
                index |= 255; // nothing more in this word
                continue;
            }
            if (!ChessRules.isLegal(mask, index)) continue;
            (uint256 nextBoard, uint256 nextContext) = ChessRules.play(board, context, index);
            leaves += this.perft(nextBoard, nextContext, depth - 1);
        }
    }

    function _count(uint256[8] memory mask) private pure returns (uint256 count) {
        for (uint256 i = 0; i < 8; ++i) {
            for (uint256 word = mask[i]; word != 0; word &= word - 1) {
                ++count;
            }
        }
    }
}
