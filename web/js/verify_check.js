/**
 * One bot move checked from the chain's own data: the opening and the moves are read from an
 * endpoint, the position, the dice and the legal moves are made again here, and the proof is
 * verified here. The server's word is not asked for.
 *
 * What can be believed of the endpoint's answers: the opening hashes to the game's id, so it names
 * the sides, the bot's version and the dice's seed; the version hashes to its id, so it names the
 * key; the key's bytes hash to its name; players' moves are signed, each over all moves before it.
 * What an endpoint makes up beyond that does not fit the proof.
 */
import { sha256 } from "../vendor/noble-hashes/sha2.js";
import { keccak_256 } from "../vendor/noble-hashes/sha3.js";
import { fromHex, toHex } from "./bytes.js";
import { grouped, short } from "./format.js";
import { boardWord, contextWord, firstPly, startFen } from "./encoding.js";
import { after, repetitions, startOf, turnOf } from "./line.js";
import { gameId, moveDigest, sidePlayer, signerOf } from "./signing.js";
import {
  AbiFault,
  callData,
  readAddress,
  readLog,
  readVersion,
  readYes,
  verifyMoveData,
} from "./verify_abi.js";
import { Groth16Fault, holds } from "./verify_groth16.js";
import { Rpc, RpcFault } from "./verify_rpc.js";
import { STATEMENT_ID, gameSeed, hash, limbs, statementOf } from "./verify_statement.js";

/** @import { Position } from "./line.js" */
/** @import { Domain, Open } from "./types.js" */
/** @import { Moved, Opened, Version } from "./verify_abi.js" */
/** @import { Statement } from "./verify_statement.js" */

/**
 * @typedef {object} Question
 * @property {string} endpoint
 * @property {Domain} domain
 * @property {string} game
 * @property {number} ply
 * @property {string | null} openTx where the opening may be found; a hint, which saves a search
 * @property {string | null} proof what the server showed, to be compared
 * @property {"groth16" | "ezkl" | null} system how the bot's proofs are said to be made, if known
 *
 * @typedef {object} Step one thing that was looked at
 * @property {string} title
 * @property {string} detail
 * @property {boolean} ok
 *
 * @typedef {object} Verdict
 * @property {"verified" | "forged" | "undecided"} result
 * @property {string} line
 * @property {Step[]} steps
 * @property {string[]} inputs the public inputs, as hex; empty if it did not come to that
 * @property {number} milliseconds what the proof itself took to verify
 */

/** Something that does not fit: the move is not proven. */
class Forged extends Error {
  name = "Forged";
}

/** Something that is missing: nothing can be said. */
class Undecided extends Error {
  name = "Undecided";
}

/**
 * @param {Question} question
 * @param {{onStep?: (step: Step) => void, ask?: typeof fetch}} [options]
 * @returns {Promise<Verdict>}
 */
export async function check(question, { onStep = () => {}, ask } = {}) {
  /** @type {Step[]} */
  const steps = [];
  const run = new Check(question, new Rpc(question.endpoint, ask), (title, detail, ok = true) => {
    steps.push({ title, detail, ok });
    onStep({ title, detail, ok });
  });
  const verdict = await run.verdict();
  return { ...verdict, steps, inputs: run.inputs, milliseconds: run.milliseconds };
}

class Check {
  /** @type {string[]} */
  inputs = [];
  milliseconds = 0;

  /**
   * @param {Question} question
   * @param {Rpc} rpc
   * @param {(title: string, detail: string, ok?: boolean) => void} tell
   */
  constructor(question, rpc, tell) {
    this.question = question;
    this.rpc = rpc;
    this.tell = tell;
  }

  /** @returns {Promise<Pick<Verdict, "result" | "line">>} */
  async verdict() {
    try {
      const line = await this.#all();
      return { result: "verified", line };
    } catch (error) {
      if (error instanceof Forged) {
        this.tell("It does not fit", error.message, false);
        return { result: "forged", line: error.message };
      }
      if (error instanceof AbiFault) {
        const line = `The endpoint’s data cannot be read: ${error.message}.`;
        this.tell("It cannot be read", line, false);
        return { result: "undecided", line };
      }
      if (error instanceof RpcFault || error instanceof Undecided) {
        this.tell("It cannot be decided", error.message, false);
        return { result: "undecided", line: error.message };
      }
      throw error;
    }
  }

  async #all() {
    await this.#chain();
    const { opened, moves } = await this.#logs();
    this.#opening(opened);
    const { line, moved } = this.#replay(opened.open, moves);
    const side = this.question.ply % 2 ? opened.open.black : opened.open.white;
    const version = await this.#version(side);
    const seed = gameSeed(opened.secret, opened.open.seed);
    const statement = statementOf(line, line.length - 1, { ...moved, seed });
    this.inputs = limbs(statement).map((limb) => `0x${limb.toString(16)}`);
    this.tell(
      "Public inputs",
      `Board, context, payee, dice, move and ${legalCount(statement)} legal moves made again here, ten numbers.`,
    );
    const keyStore = await this.#keyStore(version);
    if (keyStore) return this.#groth16(version, keyStore, moved);
    return this.#onChain(version, statement, moved);
  }

  async #chain() {
    const { chainId } = this.question.domain;
    const found = await this.rpc.chainId();
    if (found !== chainId) {
      throw new Undecided(`The endpoint is on chain ${found}, the game on chain ${chainId}.`);
    }
    this.tell("Chain", `The endpoint is on chain ${chainId}.`);
  }

  /** @returns {Promise<{opened: Opened, moves: Moved[]}>} */
  async #logs() {
    const { domain, game, openTx } = this.question;
    const since = openTx ? await this.rpc.blockOf(openTx) : 0;
    if (since === null) {
      throw new Undecided("The endpoint does not know the transaction that opened this game.");
    }
    const logs = await this.rpc.logs(domain.arena, [null, game], since);
    const events = logs.flatMap((log) => readLog(log) ?? []);
    const opened = events.find((event) => event.kind === "opened");
    if (!opened) throw new Undecided("The endpoint knows no opening of this game.");
    const moves = /** @type {Moved[]} */ (events.filter((event) => event.kind !== "opened"));
    return { opened: /** @type {Opened} */ (opened), moves };
  }

  /** @param {Opened} opened */
  #opening({ open, secret }) {
    const { domain, game } = this.question;
    if (gameId(domain, open) !== game) {
      throw new Forged("The opening that the endpoint gives is not the one that names this game.");
    }
    if (hash(fromHex(secret)) !== open.commitment) {
      throw new Forged("The secret of the dice is not the one that was committed to.");
    }
    this.tell(
      "Opening",
      `It hashes to the game’s id ${short(game)}: sides, bot and dice are fixed.`,
    );
  }

  /**
   * @param {Open} open
   * @param {Moved[]} moves
   * @returns {{line: Position[], moved: Moved}} the line up to the move in question
   */
  #replay(open, moves) {
    const { game, ply } = this.question;
    const line = [startOf(game, startFen(open))];
    const at = ply - firstPly(open);
    for (const move of moves.slice(0, at)) line.push(this.#step(open, line, move));
    const moved = moves[at];
    if (!moved) throw new Undecided("The chain does not hold this move yet.");
    const next = this.#step(open, line, moved);
    if (moved.kind !== "bot") throw new Forged("The chain holds a player’s move at this place.");
    this.tell(
      "Moves",
      `${at + 1} ${at ? "plies" : "ply"} replayed by this page’s own rules: ` +
        `${next.move?.san} is legal, and boards and hashes are the contract’s.`,
    );
    return { line, moved };
  }

  /** @param {Open} open @param {Position[]} line @param {Moved} moved @returns {Position} */
  #step(open, line, moved) {
    const ply = firstPly(open) + line.length - 1;
    const name = `Ply ${ply + 1}`;
    const last = line[line.length - 1];
    if (moved.ply !== ply) throw new Undecided(`The endpoint leaves ${name.toLowerCase()} out.`);
    const next = after(last, moved.index);
    if (!next) throw new Forged(`${name} is not legal.`);
    if (next.history !== moved.history) throw new Forged(`${name} has another history.`);
    const context = contextWord(next.fen, repetitions([...line, next], line.length));
    if (boardWord(next.fen) !== moved.board || context !== moved.context) {
      throw new Forged(`${name} leads to another position than the contract says.`);
    }
    const player = sidePlayer(turnOf(last.fen) === "white" ? open.white : open.black);
    if ((player === null) !== (moved.kind === "bot")) {
      throw new Forged(`${name} is not the mover’s.`);
    }
    if (player !== null) this.#signature(player, ply, moved, last);
    return next;
  }

  /** @param {string} player @param {number} ply @param {Moved} moved @param {Position} last */
  #signature(player, ply, { index, evidence }, { history }) {
    const { domain, game } = this.question;
    const digest = moveDigest(domain, { game, ply, history, index });
    if (signerOf(digest, evidence) !== player) {
      throw new Forged(`Ply ${ply + 1} is not signed by the game’s player.`);
    }
  }

  /** @param {string} side @returns {Promise<Version>} */
  async #version(side) {
    const { arena } = this.question.domain;
    const registry = readAddress(await this.rpc.call(arena, callData("registry")));
    const answer = await this.rpc.call(registry, callData("bot", side.slice(2)));
    const version = readVersion(answer);
    if (version.id !== side) throw new Forged("The registered bot is not the one of the opening.");
    if (version.statement !== STATEMENT_ID) {
      throw new Undecided("This bot’s proofs are about another statement.");
    }
    const code = await this.rpc.code(version.verifier);
    if (toHex(keccak_256(fromHex(code))) !== version.verifierCodeHash) {
      throw new Forged("The verifier’s code is not the registered one.");
    }
    this.tell("Bot", `Version ${short(side)} names the key ${short(version.keyHash)}.`);
    return version;
  }

  /** Where a house bot's key is; null for a bot that brought its verifier. @param {Version} version */
  async #keyStore({ custom, verifier }) {
    if (!custom) return readAddress(await this.rpc.call(verifier, callData("keyStore")));
    // A version's id does not bind this flag, and the verifier of an endpoint that lies says yes.
    if (this.question.system === "groth16") {
      throw new Forged("The endpoint says that this bot brought its own verifier; it did not.");
    }
    return null;
  }

  /** @param {Version} version @param {string} store @param {Moved} moved */
  async #groth16(version, store, { evidence }) {
    const key = fromHex(await this.rpc.code(store)).slice(1); // the code begins with a zero byte
    if (toHex(sha256(key)) !== version.keyHash) {
      throw new Forged("The verifying key’s bytes do not hash to the registered name.");
    }
    this.tell(
      "Verifying key",
      `${grouped(key.length)} bytes, whose SHA-256 is the registered one.`,
    );
    const began = performance.now();
    let proven = false;
    try {
      proven = holds(key, fromHex(evidence), this.inputs.map(BigInt));
    } catch (error) {
      if (!(error instanceof Groth16Fault)) throw error;
      throw new Forged(`This is no proof: ${error.message}.`);
    }
    this.milliseconds = performance.now() - began;
    if (!proven) throw new Forged("The proof does not prove this move.");
    this.#shown(evidence);
    const took = `${Math.round(this.milliseconds)} ms`;
    this.tell("Proof", `The pairing equation holds, computed in this browser in ${took}.`);
    return "This proof was verified in this browser, from the chain’s data.";
  }

  /** @param {Version} version @param {Statement} statement @param {Moved} moved */
  async #onChain({ verifier }, statement, { evidence }) {
    const began = performance.now();
    let yes = false;
    try {
      yes = readYes(await this.rpc.call(verifier, verifyMoveData(statement, evidence)));
    } catch (error) {
      // ezkl's verifier says no by a revert, without a word
      if (!(error instanceof RpcFault) || !error.message.includes("revert")) throw error;
    }
    this.milliseconds = performance.now() - began;
    if (!yes) throw new Forged("The bot’s verifier does not accept this proof.");
    this.#shown(evidence);
    this.tell("Proof", `The registered verifier ${short(verifier)} accepts it, asked by eth_call.`);
    return "The registered verifier accepts this proof, asked anew at the endpoint, with inputs made here.";
  }

  /** @param {string} evidence */
  #shown(evidence) {
    const { proof } = this.question;
    if (proof !== null && proof.toLowerCase() !== evidence) {
      this.tell("Shown", "The server showed other bytes than the chain holds.", false);
    }
  }
}

/** @param {Statement} statement */
const legalCount = ({ mask }) => mask.toString(2).replaceAll("0", "").length;
