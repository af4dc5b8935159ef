/**
 * The websocket to the arena: typed frames in, commands out, and it comes back by itself.
 *
 * Events of a game carry a version that counts up without gaps. After a lost connection the
 * socket asks for what it missed (`?v=N`); if a version is missing all the same, it asks for
 * everything again.
 */

/** @import { ErrorReply, GameEvent, Replies, Reply, ServerFrame } from "./types.js" */

/**
 * @typedef {"connecting" | "open" | "lost" | "restarting" | "refused"} Status
 *
 * @typedef {object} Handlers
 * @property {(event: GameEvent) => void} [onEvent]
 * @property {(status: Status) => void} [onStatus]
 * @property {(fault: ProtocolFault | CommandRefused) => void} onFault what no caller waits for
 */

const EVENTS = new Set("full move proof chain clock end correction waiting spectators".split(" "));
const REPLIES = new Set(["offer", "opened", "ack", "pong"]);
const CLOSE_UNKNOWN_GAME = 4004;
/** The server goes away, or restarts: 1001 and 1012 of RFC 6455 and its registry. */
const CLOSE_RESTARTING = [1001, 1012];
const PING_MS = 20_000;
const REPLY_MS = 30_000;
const RETRY_MS = [250, 500, 1000, 2000, 4000, 8000];

/** The server said something that this page does not understand. */
export class ProtocolFault extends Error {
  name = "ProtocolFault";
}

/** The server answered a command with an error. */
export class CommandRefused extends Error {
  name = "CommandRefused";

  /** @param {string} code @param {string} message */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** The connection went away before the answer came; the command may have arrived. */
export class ConnectionLost extends Error {
  name = "ConnectionLost";

  constructor() {
    super("The connection was lost before the server answered.");
  }
}

const IN_WORDS = /** @type {Record<string, string>} */ ({
  over_budget:
    "The arena takes no new games for now: its budget for transactions is spent. Games that have begun go on.",
  closing: "The arena is about to restart. Please try again in a moment.",
});

/** One clear line for what went wrong. @param {unknown} error */
export function lineOf(error) {
  if (error instanceof CommandRefused && error.code in IN_WORDS) return IN_WORDS[error.code];
  if (error instanceof CommandRefused) return `The arena refused: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}

/** @param {unknown} value @returns {value is Record<string, unknown>} */
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * @param {unknown} text one message of the socket
 * @returns {ServerFrame}
 * @throws {ProtocolFault} for anything that is not a frame of a known type
 */
export function parseFrame(text) {
  if (typeof text !== "string") throw new ProtocolFault("The server sent a frame that is no text.");
  /** @type {unknown} */
  let frame;
  try {
    frame = JSON.parse(text);
  } catch {
    throw new ProtocolFault("The server sent a frame that is not JSON.");
  }
  if (!isObject(frame) || typeof frame.t !== "string" || !isObject(frame.d)) {
    throw new ProtocolFault("The server sent a frame without a type or data.");
  }
  if (EVENTS.has(frame.t)) {
    if (!Number.isInteger(frame.v)) {
      throw new ProtocolFault(`The server sent the event “${frame.t}” without a version.`);
    }
    return /** @type {GameEvent} */ (/** @type {unknown} */ (frame));
  }
  if (frame.t === "error") return /** @type {ErrorReply} */ (/** @type {unknown} */ (frame));
  if (REPLIES.has(frame.t)) return /** @type {Reply} */ (/** @type {unknown} */ (frame));
  throw new ProtocolFault(`The server sent a frame of the unknown type “${frame.t.slice(0, 32)}”.`);
}

/** @param {ServerFrame} frame @returns {frame is GameEvent} */
const isEvent = (frame) => EVENTS.has(frame.t);

/**
 * @param {Location} location
 * @param {string | null} game null for the lobby
 * @param {number | null} version the last one seen
 * @param {string | null} [player] whose page it is: a player is not counted as a spectator
 */
export function socketUrl(location, game, version, player = null) {
  const url = new URL("/ws", location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  if (game !== null) url.searchParams.set("game", game);
  if (version !== null) url.searchParams.set("v", String(version));
  if (player !== null) url.searchParams.set("player", player);
  return url.href;
}

export class Connection {
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {number | null} */
  #version = null;
  #attempts = 0;
  /** @type {"lost" | "restarting"} */
  #loss = "lost";
  #nextId = 1;
  #closed = false;
  /** @type {Map<number, {resolve: (data: any) => void, reject: (error: Error) => void}>} */
  #waiting = new Map();
  /** @type {(() => void)[]} */
  #reopened = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #pingTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retryTimer;

  /**
   * @param {(version: number | null) => string} url
   * @param {Handlers} handlers
   */
  constructor(url, handlers) {
    this.url = url;
    this.handlers = handlers;
    this.#connect();
  }

  /**
   * Send a command and wait for its answer.
   *
   * @template {keyof Replies} R
   * @param {string} t the command
   * @param {object} d its data
   * @param {R} answer the type that the answer has to have
   * @returns {Promise<Replies[R]>}
   */
  async request(t, d, answer) {
    await this.#opened();
    const id = this.#nextId++;
    const reply = await new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#drop(), REPLY_MS);
      this.#waiting.set(id, {
        resolve: (frame) => {
          clearTimeout(timer);
          resolve(frame);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
      this.#socket?.send(JSON.stringify({ t, id, d }));
    });
    if (reply.t !== answer) {
      throw new ProtocolFault(`The server answered “${t}” with “${reply.t}”.`);
    }
    return reply.d;
  }

  /** Wait until there is a new connection. @returns {Promise<void>} */
  reopened() {
    return new Promise((resolve) => this.#reopened.push(resolve));
  }

  /** Close for good. */
  close() {
    this.#closed = true;
    clearTimeout(this.#retryTimer);
    this.#socket?.close();
  }

  /** Try again at once, if there is no connection. */
  retryNow() {
    if (this.#closed || this.#socket) return;
    clearTimeout(this.#retryTimer);
    this.#connect();
  }

  #connect() {
    this.handlers.onStatus?.(this.#attempts ? this.#loss : "connecting");
    const socket = new WebSocket(this.url(this.#version));
    this.#socket = socket;
    socket.addEventListener("open", () => {
      this.#attempts = 0;
      this.#loss = "lost";
      this.handlers.onStatus?.("open");
      this.#schedulePing();
      for (const resolve of this.#reopened.splice(0)) resolve();
    });
    socket.addEventListener("message", (message) => {
      if (this.#socket === socket) this.#receive(message.data);
    });
    socket.addEventListener("close", (event) => {
      if (this.#socket === socket) this.#lost(event.code);
    });
  }

  #opened() {
    const socket = this.#socket;
    if (socket?.readyState === WebSocket.OPEN) return Promise.resolve();
    if (socket?.readyState !== WebSocket.CONNECTING) return Promise.reject(new ConnectionLost());
    return new Promise((resolve, reject) => {
      socket.addEventListener("open", () => resolve(undefined), { once: true });
      socket.addEventListener("close", () => reject(new ConnectionLost()), { once: true });
    });
  }

  /** @param {unknown} text */
  #receive(text) {
    try {
      const frame = parseFrame(text);
      if (isEvent(frame)) this.#event(frame);
      else this.#reply(frame);
    } catch (error) {
      if (!(error instanceof ProtocolFault)) throw error;
      this.handlers.onFault(error);
    }
  }

  /** @param {GameEvent} event */
  #event(event) {
    if (event.t !== "full" && this.#version !== null && event.v !== this.#version + 1) {
      this.#version = null;
      this.#drop();
      return;
    }
    this.#version = event.v;
    this.handlers.onEvent?.(event);
  }

  /** @param {Reply | ErrorReply} frame */
  #reply(frame) {
    const waiting = frame.id === null ? undefined : this.#waiting.get(frame.id);
    if (frame.id !== null) this.#waiting.delete(frame.id);
    if (frame.t !== "error") {
      waiting?.resolve(frame);
      return;
    }
    const error = new CommandRefused(frame.d.code, frame.d.message);
    if (waiting) waiting.reject(error);
    else this.handlers.onFault(error);
  }

  #schedulePing() {
    clearTimeout(this.#pingTimer);
    this.#pingTimer = setTimeout(() => {
      this.request("ping", {}, "pong").then(
        () => this.#schedulePing(),
        () => {}, // the loss itself is reported by the close event
      );
    }, PING_MS);
  }

  /** Give the connection up without waiting for the other side's goodbye. */
  #drop() {
    this.#socket?.close();
    this.#lost(1006);
  }

  /** @param {number} code of the close event */
  #lost(code) {
    if (!this.#socket) return;
    this.#socket = null;
    clearTimeout(this.#pingTimer);
    for (const { reject } of this.#waiting.values()) reject(new ConnectionLost());
    this.#waiting.clear();
    if (this.#closed) return;
    if (code === CLOSE_UNKNOWN_GAME) {
      this.#closed = true;
      this.handlers.onStatus?.("refused");
      return;
    }
    if (CLOSE_RESTARTING.includes(code)) this.#loss = "restarting";
    this.handlers.onStatus?.(this.#loss);
    const wait = RETRY_MS[Math.min(this.#attempts++, RETRY_MS.length - 1)];
    this.#retryTimer = setTimeout(() => this.#connect(), wait * (0.75 + Math.random() / 2));
  }
}
