// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

/// @notice What a bot pays for its proven moves, in wei. All zero: nothing.
/// @param fee For one move.
/// @param perPlayer The most in one day for moves against one and the same side.
/// @param perDay The most in one day for all of its moves.
struct Terms {
    uint80 fee;
    uint80 perPlayer;
    uint80 perDay;
}

/// @title Fees for whoever proves a bot's moves
/// @notice Anyone may put money into the purse of a bot's version. The version's owner in the
///         registry says what is paid out of it, and may take back what is not paid out yet: who
///         gives, trusts the owner. A proven move that is brought through this contract credits its
///         fee to the payee that the proof names, so nobody can redirect it; the payee, or anyone
///         on his behalf, then has it sent.
/// @dev The arena knows nothing of this: a move brought to it directly counts the same and earns
///      nothing. Who copies a proof from the pool and brings it there first so denies its payee the
///      fee, at the price of the move's gas and to no gain.
///
///      A move is never refused for want of money: where the purse is empty or a cap is reached, it
///      earns nothing, unless the sender asked for `least`.
///
///      Days are those of unix time, from midnight to midnight. A player may make keys as he likes,
///      so `perPlayer` is a limit for the honest, and `perDay` the one that holds.
///
///      No call leaves this contract after which it relies on what it read before. What it holds is
///      the sum of all purses and all that is owed, or more where it was forced upon it.
interface IProofPurse {
    event Deposited(bytes32 indexed bot, address indexed from, uint256 amount);
    event TermsSet(bytes32 indexed bot, uint256 fee, uint256 perPlayer, uint256 perDay);
    event Withdrawn(bytes32 indexed bot, address indexed to, uint256 amount);
    event MovePaid(
        bytes32 indexed bot, bytes32 indexed game, address indexed payee, uint256 ply, uint256 fee
    );
    event Claimed(address indexed payee, uint256 amount);

    /// @notice Only the bot's owner may do that.
    error NotTheOwner(address owner, address sender);
    /// @notice The purse holds less.
    error PurseTooSmall(uint256 balance, uint256 amount);
    /// @notice The move would earn less than its sender wants.
    error FeeTooLow(uint256 fee, uint256 least);
    error NothingOwed(address payee);
    /// @notice The receiver does not take money.
    error PaymentRefused(address to);

    /// @notice Put money into a registered bot's purse.
    function deposit(bytes32 bot) external payable;

    /// @notice Say what is paid from now on; the bot's owner only.
    function setTerms(bytes32 bot, Terms calldata terms) external;

    /// @notice Take money out of a purse; the bot's owner only. What is owed is no part of it.
    function withdraw(bytes32 bot, uint256 amount, address to) external;

    /// @notice Bring a bot's move to the arena, as its `submitBotMove`, and credit the fee to `payee`.
    /// @param least Revert if the move earns less than that.
    /// @return fee What it earned.
    function submit(
        bytes32 game,
        uint256 ply,
        uint256 index,
        address payee,
        bytes calldata proof,
        uint256 least
    ) external returns (uint256 fee);

    /// @notice Have all that is owed to `payee` sent to it.
    function claim(address payee) external returns (uint256 amount);

    /// @notice A bot's terms, its balance, and what it paid today.
    function purse(bytes32 bot) external view returns (Terms memory terms, uint256 balance, uint256 paidToday);

    /// @notice What the bot paid today for moves against `side`.
    function paidAgainst(bytes32 bot, bytes32 side) external view returns (uint256);

    /// @notice What is owed to a payee.
    function owed(address payee) external view returns (uint256);

    /// @notice What `bot` would pay now for a move against `side`.
    function feeNow(bytes32 bot, bytes32 side) external view returns (uint256);
}
