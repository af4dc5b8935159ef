/**
 * The shapes on the wire, as the server's messages name them. Bytes are 0x-prefixed hex, times
 * are unix seconds, an absent value is null. There is no code in this file.
 *
 * @typedef {"white" | "black"} Color
 * @typedef {"proposed" | "queued" | "proving" | "proved" | "submitted" | "verified" | "rejected"}
 *   Stage
 *
 * @typedef {{chainId: number, arena: string}} Domain
 *
 * @typedef {object} Open the signed message that opens a game; its digest is the game's id
 * @property {string} opener
 * @property {string} white a side: a padded address, or a bot's version id
 * @property {string} black
 * @property {string} start the board word of the starting position, zero for the usual one
 * @property {number} [startContext] its context word, bit 20 set if Black moves first
 * @property {number} baseSeconds
 * @property {number} incrementSeconds
 * @property {number} delaySeconds
 * @property {string} commitment
 * @property {string} seed
 * @property {number} expires
 * @property {string} nonce decimal
 *
 * @typedef {object} Bot
 * @property {string} name
 * @property {string} version
 * @property {string} netHash
 * @property {string} circuitHash
 * @property {string} keyHash
 * @property {"development" | "ceremony"} setup
 * @property {boolean} custom
 * @property {number | null} constraints
 * @property {number | null} proveSeconds the median seen
 * @property {string} verifier
 * @property {"groth16" | "ezkl"} [proofSystem]
 * @property {string} [trust] one plain line
 * @property {number | null} [gas] the median of its latest moves on chain
 * @property {boolean} [ready] whether it can be played now
 * @property {string} [step] what is being done for it while it cannot
 * @property {number | null} [expectSeconds] how long a proof will take
 *
 * @typedef {{baseSeconds: number, incrementSeconds: number, delaySeconds: number}} ClockTerms
 *
 * @typedef {object} Config
 * @property {string} name
 * @property {string} version
 * @property {number} chainId
 * @property {string} arena
 * @property {string} registry
 * @property {string | null} rpcUrl
 * @property {ClockTerms} clocks
 * @property {number} graceSeconds
 * @property {string} payee
 * @property {Bot[]} bots
 *
 * @typedef {{kind: "player", address: string}} PlayerSide
 * @typedef {{kind: "bot", version: string, name: string}} BotSide
 * @typedef {PlayerSide | BotSide} Side
 *
 * @typedef {object} Clocks seconds left at unix time `at`; the running side's go down from there
 * @property {number} white
 * @property {number} black
 * @property {Color | null} running
 * @property {number} at
 *
 * @typedef {object} MoveRecord one ply; `fen` and `history` are those after the move
 * @property {number} ply
 * @property {Color} color
 * @property {"player" | "bot"} by
 * @property {number} index
 * @property {string} uci
 * @property {string} san
 * @property {string} fen
 * @property {string} history
 * @property {Stage} stage
 * @property {Partial<Record<Stage, number>>} at
 * @property {number | null} queuePosition
 * @property {number | null} waitSeconds
 * @property {number | null} proveSeconds
 * @property {number | null} cpuSeconds
 * @property {string | null} proof
 * @property {string | null} payee
 * @property {string | null} tx
 * @property {number | null} gas
 * @property {number | null} block
 * @property {string | null} reason
 *
 * @typedef {object} Snapshot
 * @property {string} game
 * @property {number} chainId
 * @property {string} arena
 * @property {Side} white
 * @property {Side} black
 * @property {string} opener
 * @property {ClockTerms} clock
 * @property {string} [startFen] where the game began; its plies count from 1 if Black moved first
 * @property {"opening" | "playing" | "ended"} status
 * @property {{result: string, reason: string} | null} result
 * @property {{stage: Stage, tx: string | null, gas: number | null, reason?: string | null}}
 *   openStage
 * @property {MoveRecord[]} moves
 * @property {string} history
 * @property {Clocks} clocks
 * @property {number} spectators
 * @property {string | null} waiting what holds the game up
 * @property {{since: number, until: number}[]} away when the arena did not run; clocks ran on
 *
 * @typedef {object} GameSummary
 * @property {string} game
 * @property {Side} white
 * @property {Side} black
 * @property {"opening" | "playing" | "ended"} status
 * @property {{result: string, reason: string} | null} result
 * @property {number} plies
 * @property {number} verified
 * @property {ClockTerms} clock
 * @property {number} spectators
 * @property {string} fen where it stands
 * @property {string | null} lastMove as UCI
 *
 * @typedef {{text: string, elo: number | null, error: number | null}} Strength of a net, as known
 *
 * @typedef {object} Lobby
 * @property {GameSummary[]} games those that go on, then the others, each the newest first
 * @property {string | null} featured the game to show on TV
 * @property {number} watching how many pages look on, all in all
 * @property {Record<string, {wins: number, draws: number, losses: number}>} records by bot version
 * @property {Record<string, Strength>} strength by bot version
 *
 * @typedef {object} ProofData
 * @property {number} ply
 * @property {"queued" | "proving" | "proved"} stage
 * @property {number} at
 * @property {number | null} queuePosition
 * @property {number | null} waitSeconds
 * @property {number | null} proveSeconds
 * @property {number | null} cpuSeconds
 * @property {string | null} proof
 *
 * @typedef {object} ChainData ply -1 is the opening
 * @property {number} ply
 * @property {"submitted" | "verified" | "rejected"} stage
 * @property {number} at
 * @property {string | null} tx
 * @property {number | null} gas
 * @property {number | null} block
 * @property {string | null} reason
 *
 * @typedef {{result: string, reason: string, tx: string | null}} EndData
 *
 * @typedef {object} CorrectionData what was shown from `ply` on does not hold
 * @property {number} ply
 * @property {"reorg" | "refused" | "unprovable" | "other_move" | "ended"} cause
 * @property {string} message
 * @property {number} at
 *
 * @typedef {{t: "full", d: Snapshot, v: number} | {t: "move", d: MoveRecord, v: number}
 *   | {t: "proof", d: ProofData, v: number} | {t: "chain", d: ChainData, v: number}
 *   | {t: "clock", d: Clocks, v: number} | {t: "end", d: EndData, v: number}
 *   | {t: "correction", d: CorrectionData, v: number}
 *   | {t: "waiting", d: {reason: string | null, at: number}, v: number}
 *   | {t: "spectators", d: {count: number}, v: number}} GameEvent
 *
 * @typedef {{offer: {commitment: string, expires: number}, opened: {game: string},
 *   ack: Record<string, never>, pong: {at: number}}} Replies
 * @typedef {{t: keyof Replies, id: number, d: Replies[keyof Replies]}} Reply
 * @typedef {{t: "error", id: number | null, d: {code: string, message: string}}} ErrorReply
 * @typedef {GameEvent | Reply | ErrorReply} ServerFrame
 */

export {};
