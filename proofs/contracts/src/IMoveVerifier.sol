// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

/// @notice "In this position, with these legal moves and these dice, the net plays this move."
/// @dev How the fields become public inputs is drawn in MoveStatement.
/// @param board The board word, turned to the mover: four bits a square from a1.
/// @param context Castling rights, en-passant file, earlier occurrences and rule-50 counter: 20 bits.
/// @param payee Who is owed the fee for this proof, if one is ever paid.
/// @param dice The randomness of this ply, fixed by the opening and the moves so far.
/// @param index The chosen move: an index below 1858 into the policy.
/// @param mask The legal moves: bit `i & 255` of word `i >> 8` is set iff index `i` is legal.
struct Statement {
    uint256 board;
    uint256 context;
    address payee;
    uint128 dice;
    uint256 index;
    uint256[8] mask;
}

/// @title Checks that a move is the one that a particular net plays
interface IMoveVerifier {
    /// @notice Whether `proof` shows that the net behind this verifier plays `statement.index`.
    /// @dev Called by STATICCALL under a gas cap. Anything but exactly one word holding 1 is a no.
    /// @param statement What is to be proven. The arena builds it from its own storage.
    /// @param proof The proof, in the verifier's own format.
    function verifyMove(Statement calldata statement, bytes calldata proof) external view returns (bool);

    /// @notice Which meaning of `Statement` this verifier decides, for example `MoveStatement.ID`.
    function statementId() external view returns (bytes32);
}
