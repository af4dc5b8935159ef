// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.28;

import {Statement} from "./IMoveVerifier.sol";

/// @notice The message that opens a game, signed by `opener`. Its EIP-712 digest is the game's id.
/// @param opener Who opens the game; need not be the player, whose key may be made for one game.
/// @param white A side: a player's key or a bot's version, see Sides.
/// @param black The other side. At least one of the two is a bot.
/// @param start The starting position's board word, seen by who moves first; 0 for the usual one.
/// @param startContext Its context word and who moves first, see Start; 0 for the usual one.
/// @param baseSeconds What each side's clock begins with, 1 second to 365 days.
/// @param incrementSeconds What a side gains with each move.
/// @param delaySeconds How long a side may think at each move before its clock runs.
/// @param commitment keccak256(abi.encode(secret)) of the operator's secret.
/// @param seed The opener's share of the dice.
/// @param expires The last second (unix time) at which the game may be opened.
/// @param nonce Anything that makes this message differ from the opener's others.
struct Open {
    address opener;
    bytes32 white;
    bytes32 black;
    bytes32 start;
    uint24 startContext;
    uint32 baseSeconds;
    uint16 incrementSeconds;
    uint16 delaySeconds;
    bytes32 commitment;
    bytes32 seed;
    uint64 expires;
    uint256 nonce;
}

enum Result {
    Ongoing,
    WhiteWins,
    BlackWins,
    Draw,
    Aborted
}

enum Reason {
    None,
    Checkmate,
    Stalemate,
    InsufficientMaterial,
    SeventyFiveMoves,
    FivefoldRepetition,
    FiftyMovesClaim,
    ThreefoldClaim,
    Resignation,
    Timeout,
    Aborted
}

/// @notice A game as it stands.
/// @param board The board word, turned to the side to move: four bits a square from a1.
/// @param context Castling rights, en-passant file, earlier occurrences, rule-50 counter (ChessRules).
/// @param firstPly Where the plies begin: 0, or 1 if Black moved first.
/// @param ply The ply to be played: `firstPly` and the moves played so far. White moves at even plies.
/// @param result Ongoing, or how it ended.
/// @param reason Why it ended.
/// @param lastMoveAt When the last move (or the opening) landed: the mover's clock runs since.
/// @param whiteClock White's seconds left at `lastMoveAt`.
/// @param blackClock Black's seconds left at `lastMoveAt`.
/// @param graceUntil The last second for a move after a timeout claim; 0 if there is none.
/// @param incrementSeconds See Open.
/// @param delaySeconds See Open.
/// @param history The game's id, hashed on with each move: keccak256(abi.encode(history, index)).
/// @param seed keccak256(abi.encode(secret, open.seed)), from which all dice follow.
/// @param white See Open.
/// @param black See Open.
struct Game {
    uint256 board;
    // one storage slot, 248 bits
    uint24 context;
    uint8 firstPly;
    uint16 ply;
    Result result;
    Reason reason;
    uint40 lastMoveAt;
    uint40 whiteClock;
    uint40 blackClock;
    uint40 graceUntil;
    uint16 incrementSeconds;
    uint16 delaySeconds;
    // one storage slot each
    bytes32 history;
    bytes32 seed;
    bytes32 white;
    bytes32 black;
}

/// @title Chess games in which every bot move is proven
/// @notice A side is a player, whose moves are signed, or a bot, whose moves come with a proof.
///         Anyone may bring any message or proof: the sender of a transaction counts for nothing.
/// @dev Signatures are 65 bytes r | s | v, v 27 or 28, s in the lower half. Domain: name
///      "checkproof", version "1", the chain's id, this contract. Messages are drawn in Messages.
///
///      Clocks. A side's clock runs from `lastMoveAt`, after the delay, until its move lands; the
///      increment is added then. It runs out when `lastMoveAt + delay + clock` is reached, and
///      nothing happens at that moment: a move that lands later still counts, its clock goes on from
///      zero plus increment. The first `claimTimeout` opens a window of GRACE seconds, in which any
///      move counts too and closes the window, so that a relay that hides a signed move wins nothing
///      by it; a side without time therefore still has GRACE seconds for each move. When
///      `block.timestamp` has passed `graceUntil`, moves and draw claims are refused, and the next
///      `claimTimeout` ends the game. Within one block transactions count in their order: a move
///      before the first claim makes that claim fail, a move after it closes the window; either way
///      the game goes on.
///
///      Draws. Stalemate, insufficient material, 75 moves and fivefold repetition end a game by
///      themselves, in this order and after checkmate. Threefold repetition and 50 moves must be
///      claimed, by the game's player at either side's turn; bots claim nothing. When time runs out
///      against a side that could not mate with any help (FIDE 6.9), the game is drawn.
///
///      Starts. A game begins at the usual position or at any that play could go on from, see Start;
///      what came before it, and how often it occurred, counts for nothing. Before its second move a
///      game's player may abort it: then nobody has won, and it is no draw.
interface IArena {
    event GameOpened(
        bytes32 indexed game, address indexed opener, Open open, bytes32 secret, bytes signature
    );
    /// @dev `ply` is the ply of the move; `board`, `context` and `history` are those after it.
    event PlayerMoved(
        bytes32 indexed game,
        uint16 ply,
        uint16 index,
        bytes signature,
        uint256 board,
        uint256 context,
        bytes32 history
    );
    /// @dev As PlayerMoved.
    event BotMoved(
        bytes32 indexed game,
        uint16 ply,
        uint16 index,
        address payee,
        bytes proof,
        uint256 board,
        uint256 context,
        bytes32 history
    );
    event TimeoutClaimed(bytes32 indexed game, uint16 ply, uint64 deadline);
    /// @param evidence The signature behind a resignation, an abort or a claimed draw, otherwise empty.
    event GameEnded(bytes32 indexed game, Result result, Reason reason, bytes evidence);

    /// @notice Neither side is a bot.
    error NoBot();
    /// @notice No registered bot has this id.
    error UnknownBot(bytes32 id);
    /// @notice The bot's proofs are about another statement than this contract's.
    error UnsupportedStatement(bytes32 bot, bytes32 statement);
    /// @notice No game can begin here: no play leads to it, or it is over.
    error IllegalStart(bytes32 start, uint256 startContext);
    error BadClock(uint256 baseSeconds);
    error OpenExpired(uint256 expires, uint256 now);
    /// @notice The revealed secret does not fit the commitment in the opening.
    error BadSecret(bytes32 commitment, bytes32 found);
    error GameExists(bytes32 game);
    error GameUnknown(bytes32 game);
    error GameOver(bytes32 game, Result result);
    error StalePly(uint256 expected, uint256 got);
    error NotPlayersTurn(uint256 ply);
    error NotBotsTurn(uint256 ply);
    error IllegalMove(uint256 index);
    /// @notice The signature is malformed (`recovered` 0) or of another signer or message.
    error BadSignature(address expected, address recovered);
    /// @notice The verifier did not say yes.
    error ProofRejected(address verifier);
    /// @notice The verifier did not say yes, and had less than its full gas to think.
    error VerifierStarved(uint256 gas, uint256 needed);
    /// @notice The code at the verifier's address is not the registered one any more.
    error VerifierChanged(address verifier, bytes32 expected, bytes32 found);
    /// @notice The mover's time and its grace window are over; only `claimTimeout` is left.
    error GraceOver(uint256 graceUntil);
    /// @notice The mover's clock runs until `runsOutAt`.
    error TimeLeft(uint256 runsOutAt);
    /// @notice A timeout is claimed already, and the window for a move is open.
    error GraceRunning(uint256 graceUntil);
    error NothingToClaim(uint256 repetitions, uint256 halfmoves);
    /// @notice Two moves have been played.
    error TooLateToAbort(uint256 ply);

    /// @notice Open a game. The clock of who moves first starts.
    /// @param secret What the operator committed to.
    /// @return game The digest of `open`.
    function openGame(Open calldata open, bytes calldata signature, bytes32 secret)
        external
        returns (bytes32 game);

    /// @notice Play a player's move, signed as Move{game, ply, history, index}.
    function move(bytes32 game, uint256 ply, uint256 index, bytes calldata signature) external;

    /// @notice Play a bot's move, proven for `statement(game, index, payee)`.
    /// @param payee Who the proof names as its maker.
    function submitBotMove(bytes32 game, uint256 ply, uint256 index, address payee, bytes calldata proof)
        external;

    /// @notice Give the game up, signed by its player as Resign{game}, at any time.
    function resign(bytes32 game, bytes calldata signature) external;

    /// @notice End a game without a result before its second move, signed by its player as Abort{game}.
    function abort(bytes32 game, bytes calldata signature) external;

    /// @notice Claim a draw by threefold repetition, else by 50 moves, as the position stands.
    /// @param signature Its player's over Draw{game, ply, history}.
    function claimDraw(bytes32 game, uint256 ply, bytes calldata signature) external;

    /// @notice Open the grace window of a mover whose clock has run out, or, when it has passed, end the game.
    function claimTimeout(bytes32 game) external;

    /// @notice All that is stored of a game.
    function game(bytes32 id) external view returns (Game memory);

    /// @notice The legal moves: bit `i & 255` of word `i >> 8` is set iff index `i` is legal.
    function legalMask(bytes32 id) external view returns (uint256[8] memory);

    /// @notice What a proof of `index` must show at the game's present ply.
    function statement(bytes32 id, uint256 index, address payee) external view returns (Statement memory);

    /// @notice The id that this opening would get.
    function gameId(Open calldata open) external view returns (bytes32);
}
