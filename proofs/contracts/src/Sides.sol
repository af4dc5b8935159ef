// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

/// @title Who plays one colour, as one word
/// @dev  | 96 zero bits | 160 bits of address |   a player's key, not zero
///       | 256 bits of hash                   |   a bot's version id, else
library Sides {
    function isPlayer(bytes32 side) internal pure returns (bool) {
        return side != 0 && uint256(side) >> 160 == 0;
    }

    /// @dev Only for a side that is a player.
    function player(bytes32 side) internal pure returns (address) {
        return address(uint160(uint256(side)));
    }
}
