// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

// Receivers of money that no one should trust. For tests.

/// Takes money only while its owner says so, and then calls back with what it was told.
contract FickleReceiver {
    bool public takes;
    address public target;
    bytes public callback;
    bool public succeeded;

    function set(bool takes_, address target_, bytes calldata callback_) external {
        (takes, target, callback) = (takes_, target_, callback_);
    }

    function poke() external {
        (bool done,) = target.call(callback);
        require(done, "refused");
    }

    receive() external payable {
        require(takes, "no money");
        if (target != address(0)) (succeeded,) = target.call(callback);
    }
}
