// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

/// @title What is needed to mate
library Material {
    /// @notice Whether the side that is not to move could mate by no series of legal moves at all,
    ///         judged by material alone, as python-chess's has_insufficient_material.
    /// @dev A bare king; king and knight against nothing but a queen or king; or bishops of one
    ///      square colour on the whole board with neither knight nor pawn about.
    /// @param board The board word, turned to the side to move: 1-6 are its pieces, 7-12 the other's.
    function cannotMate(uint256 board) internal pure returns (bool) {
        uint256[13] memory count;
        uint256 bishops; // 1: a dark-squared one exists, 2: a light-squared one
        for (uint256 square = 0; square < 64; ++square) {
            uint256 piece = (board >> (4 * square)) & 15;
            if (piece == 0) continue;
            ++count[piece];
            if (piece == 3 || piece == 9) bishops |= 1 << (((square >> 3) ^ square) & 1);
        }
        if (count[7] + count[10] + count[11] != 0) return false;
        if (count[8] != 0) {
            bool alone = count[8] == 1 && count[9] == 0;
            return alone && count[1] + count[2] + count[3] + count[4] == 0;
        }
        if (count[9] != 0) return bishops != 3 && count[1] + count[2] == 0;
        return true;
    }
}
