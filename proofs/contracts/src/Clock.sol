// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {Game} from "./IArena.sol";

/// @title Two clocks in seconds, of which the mover's runs
/// @dev The rules are told at IArena.
library Clock {
    /// @notice When the mover's clock runs out.
    function runsOutAt(Game memory g) internal pure returns (uint256) {
        uint256 left = g.ply & 1 == 0 ? g.whiteClock : g.blackClock;
        return uint256(g.lastMoveAt) + g.delaySeconds + left;
    }

    /// @notice Stop the mover's clock, add its increment and start the other one.
    /// @dev Call it before the ply is counted.
    function press(Game memory g) internal view {
        uint256 end = runsOutAt(g);
        uint256 thinksFrom = uint256(g.lastMoveAt) + g.delaySeconds;
        uint256 now_ = block.timestamp < thinksFrom ? thinksFrom : block.timestamp;
        uint256 left = (now_ < end ? end - now_ : 0) + g.incrementSeconds;
        if (g.ply & 1 == 0) g.whiteClock = uint40(left);
        else g.blackClock = uint40(left);
        g.lastMoveAt = uint40(block.timestamp);
        g.graceUntil = 0;
    }
}
