// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

/// @title Parts of the context word, which is drawn at ChessRules
library Context {
    /// @notice Both sides' castling rights, no en passant, nothing repeated, clock at zero.
    uint256 internal constant START = 15;

    /// @notice Whether the move that led from `before` to `next` was quiet, see QuietMoves: no pawn
    ///         moved, nothing was taken, and castling and en-passant rights are what they were.
    function isQuiet(uint256 before, uint256 next) internal pure returns (bool) {
        uint256 turnedRights = (before >> 2 & 3) | (before & 3) << 2;
        return halfmoves(next) != 0 && before & 0xf0 == 0 && next & 0xff == turnedRights;
    }

    /// @notice Earlier occurrences of the position, where 2 means two or more.
    function repetitions(uint256 context) internal pure returns (uint256) {
        return (context >> 8) & 3;
    }

    function withRepetitions(uint256 context, uint256 before) internal pure returns (uint256) {
        return context | ((before < 2 ? before : 2) << 8);
    }

    /// @notice Plies since the last capture or pawn move, at most 255.
    function halfmoves(uint256 context) internal pure returns (uint256) {
        return (context >> 10) & 255;
    }
}
