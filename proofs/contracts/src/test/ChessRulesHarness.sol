// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {Bitboard} from "../Bitboard.sol";
import {ChessRules} from "../ChessRules.sol";
import {Context} from "../Context.sol";
import {Material} from "../Material.sol";
import {PolicyTable} from "../PolicyTable.sol";
import {Start} from "../Start.sol";

/// ChessRules from outside, one position at a time or many in one call. For tests and for `checkproof bench`.
contract ChessRulesHarness {
    using Bitboard for uint256;

    /// What there is to say about one position. `gasUsed` is what its mask cost.
    struct Report {
        uint256[8] mask;
        bool hasLegalMove;
        bool canMove; // the same, found without the mask
        bool inCheck;
        bool insufficientMaterial;
        bool cannotMate; // of the side that is not to move
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
            (uint256 board, uint256 context) = (positions[i][0], positions[i][1]);
            uint256 before = gasleft();
            uint256[8] memory mask = ChessRules.legalMask(board, context);
            uint256 gasUsed = before - gasleft();
            list[i] = Report({
                mask: mask,
                hasLegalMove: ChessRules.hasLegalMove(mask),
                canMove: ChessRules.hasLegalMove(board, context),
                inCheck: ChessRules.inCheck(board),
                insufficientMaterial: ChessRules.insufficientMaterial(board),
                cannotMate: Material.cannotMate(board),
                gasUsed: gasUsed
            });
        }
    }

    /// For each board, context and index, 1 if the index is a legal move by itself, without the mask.
    function areLegal(uint256[3][] calldata questions) external pure returns (uint256[] memory list) {
        list = new uint256[](questions.length);
        for (uint256 i = 0; i < questions.length; ++i) {
            uint256 free = _freeMemory();
            if (ChessRules.isLegal(questions[i][0], questions[i][1], questions[i][2])) list[i] = 1;
            _forgetFrom(free);
        }
    }

    /// For each board and context, 1 if a game may begin there.
    function arePlayable(uint256[2][] calldata positions) external pure returns (uint256[] memory list) {
        list = new uint256[](positions.length);
        for (uint256 i = 0; i < positions.length; ++i) {
            if (Start.isPlayable(positions[i][0], positions[i][1])) list[i] = 1;
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

    /// How many legal moves each position has.
    function counts(uint256[2][] calldata positions) external pure returns (uint256[] memory list) {
        list = new uint256[](positions.length);
        for (uint256 i = 0; i < positions.length; ++i) {
            uint256 free = _freeMemory();
            list[i] = _count(ChessRules.legalMask(positions[i][0], positions[i][1]));
            _forgetFrom(free);
        }
    }

    /// The positions after every legal move of each position, in the order of positions and indices.
    function successors(uint256[2][] calldata positions) external view returns (uint256[2][] memory list) {
        uint256[] memory sizes = this.counts(positions);
        uint256 filled = 0;
        for (uint256 i = 0; i < sizes.length; ++i) {
            filled += sizes[i];
        }
        list = new uint256[2][](filled);
        filled = 0;
        for (uint256 i = 0; i < positions.length; ++i) {
            uint256 free = _freeMemory();
            filled = _playAll(positions[i][0], positions[i][1], list, filled);
            _forgetFrom(free);
        }
    }

    /// Writes the positions after every legal move into `list` from `filled` on; where the next one goes.
    function _playAll(uint256 board, uint256 context, uint256[2][] memory list, uint256 filled)
        private
        pure
        returns (uint256)
    {
        uint256[8] memory mask = ChessRules.legalMask(board, context);
        for (uint256 k = 0; k < 8; ++k) {
            for (uint256 word = mask[k]; word != 0; word &= word - 1) {
                uint256 free = _freeMemory();
                (list[filled][0], list[filled][1]) = ChessRules.play(board, context, k << 8 | _lowest(word));
                _forgetFrom(free);
                ++filled;
            }
        }
        return filled;
    }

    /// What the contracts read out of each position: the pieces by square in 64 bytes, told by Bitboard's sets, then
    /// rights, en-passant file + 1, earlier occurrences and halfmove clock.
    function read(uint256[2][] calldata positions) external pure returns (uint256[6][] memory list) {
        list = new uint256[6][](positions.length);
        for (uint256 i = 0; i < positions.length; ++i) {
            (uint256 board, uint256 context) = (positions[i][0], positions[i][1]);
            list[i][0] = _pieces(board);
            list[i][1] = _pieces(board >> 128);
            list[i][2] = context & 15;
            list[i][3] = context >> 4 & 15;
            list[i][4] = Context.repetitions(context);
            list[i][5] = Context.halfmoves(context);
        }
    }

    /// The piece codes of the lower 32 squares of `board`, a byte each, found by what the sets of squares say.
    function _pieces(uint256 board) private pure returns (uint256 codes) {
        uint256[12] memory sets = [
            board.ownPawns(),
            board.ownKnights(),
            board.ownDiagonal() & ~board.ownStraight(),
            board.ownStraight() & ~board.ownDiagonal(),
            board.ownDiagonal() & board.ownStraight(),
            board.ownKing(),
            board.theirPawns(),
            board.theirKnights(),
            board.theirDiagonal() & ~board.theirStraight(),
            board.theirStraight() & ~board.theirDiagonal(),
            board.theirDiagonal() & board.theirStraight(),
            board.theirKing()
        ];
        for (uint256 code = 1; code <= 12; ++code) {
            for (uint256 square = 0; square < 32; ++square) {
                codes |= (sets[code - 1] >> 4 * square & 1) * code << 8 * square;
            }
        }
    }

    function _freeMemory() private pure returns (uint256 free) {
        assembly ("memory-safe") {
            free := mload(0x40)
        }
    }

    /// Gives back the memory taken since; a call about hundreds of positions would drown in its price.
    function _forgetFrom(uint256 free) private pure {
        assembly ("memory-safe") {
            mstore(0x40, free)
        }
    }

    /// The number of the lowest bit that is set.
    function _lowest(uint256 word) private pure returns (uint256 bit) {
        unchecked {
            word &= 0 - word;
        }
        for (uint256 half = 128; half != 0; half >>= 1) {
            if (word >> half != 0) (word, bit) = (word >> half, bit + half);
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
