// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {Game, IArena} from "./IArena.sol";
import {IBotRegistry} from "./IBotRegistry.sol";
import {IProofPurse, Terms} from "./IProofPurse.sol";

/// @dev What an arena has besides IArena.
interface IRegistered {
    function registry() external view returns (IBotRegistry);
}

/// @title The purses of all bots of one arena
/// @dev No owner, no upgrade.
contract ProofPurse is IProofPurse {
    /// @param day Days since 1970, of the latest payment.
    /// @param amount What was paid on that day.
    struct Paid {
        uint32 day;
        uint224 amount;
    }

    struct Purse {
        Terms terms;
        Paid paid;
        uint256 balance;
        mapping(bytes32 side => Paid) paidAgainst;
    }

    IArena public immutable arena;
    IBotRegistry public immutable registry;

    mapping(bytes32 bot => Purse) private _purses;

    /// @inheritdoc IProofPurse
    mapping(address payee => uint256) public owed;

    constructor(IArena arena_) {
        arena = arena_;
        registry = IRegistered(address(arena_)).registry();
    }

    /// @inheritdoc IProofPurse
    function deposit(bytes32 bot) external payable {
        registry.binding(bot); // reverts where there is no such bot
        _purses[bot].balance += msg.value;
        emit Deposited(bot, msg.sender, msg.value);
    }

    /// @inheritdoc IProofPurse
    function setTerms(bytes32 bot, Terms calldata terms) external {
        _onlyOwner(bot);
        _purses[bot].terms = terms;
        emit TermsSet(bot, terms.fee, terms.perPlayer, terms.perDay);
    }

    /// @inheritdoc IProofPurse
    function withdraw(bytes32 bot, uint256 amount, address to) external {
        _onlyOwner(bot);
        uint256 balance = _purses[bot].balance;
        if (amount > balance) revert PurseTooSmall(balance, amount);
        _purses[bot].balance = balance - amount;
        emit Withdrawn(bot, to, amount);
        _send(to, amount);
    }

    /// @inheritdoc IProofPurse
    function submit(
        bytes32 game,
        uint256 ply,
        uint256 index,
        address payee,
        bytes calldata proof,
        uint256 least
    ) external returns (uint256 fee) {
        arena.submitBotMove(game, ply, index, payee, proof);
        Game memory g = arena.game(game);
        (bytes32 bot, bytes32 side) = ply & 1 == 0 ? (g.white, g.black) : (g.black, g.white);
        if (payee != address(0)) fee = feeNow(bot, side);
        if (fee < least) revert FeeTooLow(fee, least);
        if (fee == 0) return 0;
        Purse storage its = _purses[bot];
        its.balance -= fee;
        _note(its.paid, fee);
        _note(its.paidAgainst[side], fee);
        owed[payee] += fee;
        emit MovePaid(bot, game, payee, ply, fee);
    }

    /// @inheritdoc IProofPurse
    function claim(address payee) external returns (uint256 amount) {
        amount = owed[payee];
        if (amount == 0) revert NothingOwed(payee);
        owed[payee] = 0;
        emit Claimed(payee, amount);
        _send(payee, amount);
    }

    /// @inheritdoc IProofPurse
    function purse(bytes32 bot)
        external
        view
        returns (Terms memory terms, uint256 balance, uint256 paidToday)
    {
        Purse storage its = _purses[bot];
        return (its.terms, its.balance, _today(its.paid));
    }

    /// @inheritdoc IProofPurse
    function paidAgainst(bytes32 bot, bytes32 side) external view returns (uint256) {
        return _today(_purses[bot].paidAgainst[side]);
    }

    /// @inheritdoc IProofPurse
    function feeNow(bytes32 bot, bytes32 side) public view returns (uint256) {
        Purse storage its = _purses[bot];
        Terms memory terms = its.terms;
        if (its.balance < terms.fee) return 0;
        if (_today(its.paid) + terms.fee > terms.perDay) return 0;
        if (_today(its.paidAgainst[side]) + terms.fee > terms.perPlayer) return 0;
        return terms.fee;
    }

    function _onlyOwner(bytes32 bot) private view {
        address owner = registry.bot(bot).owner;
        if (msg.sender != owner) revert NotTheOwner(owner, msg.sender);
    }

    function _day() private view returns (uint32) {
        return uint32(block.timestamp / 1 days);
    }

    function _today(Paid storage paid) private view returns (uint256) {
        return paid.day == _day() ? paid.amount : 0;
    }

    function _note(Paid storage paid, uint256 fee) private {
        paid.amount = uint224(_today(paid) + fee);
        paid.day = _day();
    }

    function _send(address to, uint256 amount) private {
        (bool taken,) = to.call{value: amount}("");
        if (!taken) revert PaymentRefused(to);
    }
}
