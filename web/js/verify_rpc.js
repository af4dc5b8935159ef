/** A chain's JSON-RPC over HTTP, read only. */

/** The endpoint did not answer, or with something that is no answer. */
export class RpcFault extends Error {
  name = "RpcFault";
}

/**
 * @typedef {object} Log
 * @property {string} address
 * @property {string[]} topics
 * @property {string} data
 * @property {string} blockNumber
 * @property {string} logIndex
 * @property {string | null} [transactionHash]
 * @property {boolean} [removed]
 */

const SPAN = 10_000; // public endpoints bound how many blocks one question may be about
const MOST_SPANS = 500;
const TIMEOUT_MS = 20_000;

/** @param {number} value */
const quantity = (value) => `0x${value.toString(16)}`;

export class Rpc {
  #id = 0;

  /** @param {string} url @param {typeof fetch} [ask] another fetch, for tests */
  constructor(url, ask = fetch) {
    this.url = url;
    this.ask = ask;
  }

  /**
   * @param {string} method
   * @param {...unknown} params
   * @returns {Promise<unknown>} its result
   * @throws {RpcFault}
   */
  async run(method, ...params) {
    const body = JSON.stringify({ jsonrpc: "2.0", id: ++this.#id, method, params });
    /** @type {{result?: unknown, error?: {message?: string}} | null} */
    let answer;
    try {
      const response = await this.ask.call(globalThis, this.url, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      answer = /** @type {any} */ (await response.json());
    } catch (error) {
      throw new RpcFault(
        "The endpoint does not answer this page. It may be down, or it may not allow pages of this address to ask.",
        { cause: error },
      );
    }
    if (!answer || typeof answer !== "object" || (!("result" in answer) && !answer.error)) {
      throw new RpcFault(`The endpoint gave no answer to ${method}.`);
    }
    if (answer.error) {
      const message = String(answer.error.message ?? "without a reason").slice(0, 200);
      throw new RpcFault(`The endpoint refused ${method}: ${message}`);
    }
    return answer.result;
  }

  /** @returns {Promise<number>} */
  async chainId() {
    return Number(text(await this.run("eth_chainId"), "eth_chainId"));
  }

  /** @param {string} address @returns {Promise<string>} the code there, 0x for none */
  async code(address) {
    return text(await this.run("eth_getCode", address, "latest"), "eth_getCode");
  }

  /** @param {string} to @param {string} data @returns {Promise<string>} */
  async call(to, data) {
    return text(await this.run("eth_call", { to, data }, "latest"), "eth_call");
  }

  /** The block that a transaction is in, or null. @param {string} tx */
  async blockOf(tx) {
    const receipt = /** @type {any} */ (await this.run("eth_getTransactionReceipt", tx));
    return receipt ? Number(text(receipt.blockNumber, "eth_getTransactionReceipt")) : null;
  }

  /**
   * All logs of an address with these topics from a block on, oldest first.
   *
   * @param {string} address
   * @param {(string | null)[]} topics
   * @param {number} since
   * @returns {Promise<Log[]>}
   */
  async logs(address, topics, since) {
    const head = Number(text(await this.run("eth_blockNumber"), "eth_blockNumber"));
    if (head - since >= MOST_SPANS * SPAN) {
      throw new RpcFault("The game's opening is too many blocks back to be searched for.");
    }
    /** @type {Log[]} */
    const found = [];
    for (let first = since; first <= head; first += SPAN) {
      const last = Math.min(first + SPAN - 1, head);
      const span = { address, topics, fromBlock: quantity(first), toBlock: quantity(last) };
      const answer = await this.run("eth_getLogs", span);
      if (!Array.isArray(answer)) throw new RpcFault("The endpoint gave no list of logs.");
      found.push(...answer.filter((log) => !log.removed));
    }
    return found.sort(
      (a, b) =>
        Number(a.blockNumber) - Number(b.blockNumber) || Number(a.logIndex) - Number(b.logIndex),
    );
  }
}

/** @param {unknown} value @param {string} method */
function text(value, method) {
  if (typeof value === "string" && /^0x[0-9a-fA-F]*$/.test(value)) return value;
  throw new RpcFault(`The endpoint gave no sensible answer to ${method}.`);
}
