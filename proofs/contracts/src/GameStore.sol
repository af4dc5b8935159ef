// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {Game, Reason, Result} from "./IArena.sol";
import {QUIET_WORDS} from "./QuietMoves.sol";

/// @notice A game in storage, fourteen slots. The names are Game's but for two.
/// @param packed What is small, see GameStore.
/// @param quiet The latest moves that can be taken back, see QuietMoves.
struct Stored {
    uint256 board;
    uint256 packed;
    bytes32 history;
    bytes32 seed;
    bytes32 white;
    bytes32 black;
    uint256[QUIET_WORDS] quiet;
}

/// @title Games in and out of storage
/// @dev A move changes board, packed and history, and one of the words of quiet moves if it is one.
///      It reads these and its mover's side, and a bot's move the seed. The packed word, from the
///      lowest bit, with names as in Game, and last the number of quiet moves that are kept:
///
///      bit  0         20         24    40       48       56           96           136          176
///           | context | firstPly | ply | result | reason | lastMoveAt | whiteClock | blackClock |
///
///      bit  176          216                232            248     256
///           | graceUntil | incrementSeconds | delaySeconds | quiet |
library GameStore {
    /// @notice What moves change; seed and sides are left zero. `lastMoveAt` is zero if there is no game.
    /// @return g The game.
    /// @return quiet How many quiet moves are kept.
    function load(Stored storage s) internal view returns (Game memory g, uint256 quiet) {
        uint256 packed = s.packed;
        g.board = s.board;
        g.context = uint24(packed & 0xfffff);
        g.firstPly = uint8(packed >> 20 & 15);
        g.ply = uint16(packed >> 24);
        g.result = Result(packed >> 40 & 255);
        g.reason = Reason(packed >> 48 & 255);
        g.lastMoveAt = uint40(packed >> 56);
        g.whiteClock = uint40(packed >> 96);
        g.blackClock = uint40(packed >> 136);
        g.graceUntil = uint40(packed >> 176);
        g.incrementSeconds = uint16(packed >> 216);
        g.delaySeconds = uint16(packed >> 232);
        g.history = s.history;
        quiet = packed >> 248;
    }

    /// @notice Store what moves change.
    function save(Stored storage s, Game memory g, uint256 quiet) internal {
        uint256 packed = uint256(g.context) | uint256(g.firstPly) << 20 | uint256(g.ply) << 24;
        packed |= uint256(g.result) << 40 | uint256(g.reason) << 48;
        packed |= uint256(g.lastMoveAt) << 56 | uint256(g.whiteClock) << 96 | uint256(g.blackClock) << 136;
        packed |= uint256(g.graceUntil) << 176;
        packed |= uint256(g.incrementSeconds) << 216 | uint256(g.delaySeconds) << 232 | quiet << 248;
        s.packed = packed;
        s.board = g.board;
        s.history = g.history;
    }

    /// @notice Store the end of a game that went on until now.
    function end(Stored storage s, Result result, Reason reason) internal {
        s.packed |= uint256(result) << 40 | uint256(reason) << 48;
    }

    /// @notice Store the end of a grace window where none was open.
    function openGrace(Stored storage s, uint256 graceUntil) internal {
        s.packed |= graceUntil << 176;
    }
}
