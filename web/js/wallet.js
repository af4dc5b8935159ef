/**
 * A wallet of the player's (EIP-1193), found by its announcement (EIP-6963). It signs one thing:
 * the opening of a game, which names the key that signs the moves.
 */
import { openTypedData } from "./signing.js";

/** @import { Domain, Open } from "./types.js" */

/**
 * @typedef {object} Provider
 * @property {(call: {method: string, params?: unknown[]}) => Promise<unknown>} request
 *
 * @typedef {{info: {uuid: string, name: string, icon: string, rdns: string}, provider: Provider}}
 *   Announced
 */

const ANSWER_MS = 300;
const HEX_ADDRESS = /^0x[0-9a-fA-F]{40}$/;
const HEX_SIGNATURE = /^0x[0-9a-fA-F]{130}$/;

/** The wallet did not do what it was asked for; the message is one line for the player. */
export class WalletFault extends Error {
  name = "WalletFault";
}

/** @param {unknown} value @returns {value is Announced} */
function isAnnounced(value) {
  const { info, provider } = /** @type {Partial<Announced>} */ (value ?? {});
  return typeof info?.rdns === "string" && typeof provider?.request === "function";
}

/**
 * The wallets that announce themselves within a moment.
 *
 * @returns {Promise<Wallet[]>}
 */
export function findWallets() {
  /** @type {Map<string, Wallet>} */
  const found = new Map();
  const hear = (/** @type {Event} */ event) => {
    const { detail } = /** @type {CustomEvent<unknown>} */ (event);
    if (isAnnounced(detail)) found.set(detail.info.rdns, new Wallet(detail));
  };
  addEventListener("eip6963:announceProvider", hear);
  dispatchEvent(new Event("eip6963:requestProvider"));
  return new Promise((resolve) => {
    setTimeout(() => {
      removeEventListener("eip6963:announceProvider", hear);
      resolve([...found.values()]);
    }, ANSWER_MS);
  });
}

export class Wallet {
  #account = "";

  /** @param {Announced} announced */
  constructor({ info, provider }) {
    this.rdns = info.rdns;
    this.name = info.name;
    this.provider = provider;
  }

  /** @param {string} rdns @throws {WalletFault} if it is not there any more */
  static async named(rdns) {
    const wallet = (await findWallets()).find((each) => each.rdns === rdns);
    if (wallet) return wallet;
    throw new WalletFault(`The wallet ${rdns} is not in this browser. Choose another signer.`);
  }

  /** @param {string} method @param {unknown[]} params @returns {Promise<unknown>} */
  async #ask(method, params = []) {
    try {
      return await this.provider.request({ method, params });
    } catch (error) {
      const { code, message } = /** @type {{code?: number, message?: string}} */ (error ?? {});
      if (code === 4001) throw new WalletFault(`You declined in ${this.name}.`, { cause: error });
      throw new WalletFault(`${this.name}: ${message ?? "no answer"}`, { cause: error });
    }
  }

  /** @returns {Promise<string>} its account, in lower case @throws {WalletFault} */
  async account() {
    const accounts = await this.#ask("eth_requestAccounts");
    const first = Array.isArray(accounts) ? accounts[0] : null;
    if (typeof first !== "string" || !HEX_ADDRESS.test(first)) {
      throw new WalletFault(`${this.name} gave no account.`);
    }
    this.#account = first.toLowerCase();
    return this.#account;
  }

  /** Most wallets sign only for the chain that they are on. @param {number} chainId */
  async useChain(chainId) {
    const present = Number(await this.#ask("eth_chainId"));
    if (present === chainId) return;
    try {
      const params = [{ chainId: `0x${chainId.toString(16)}` }];
      await this.#ask("wallet_switchEthereumChain", params);
    } catch (error) {
      const where = `${this.name} is on chain ${present}, this arena on chain ${chainId}`;
      throw new WalletFault(`${where}. Switch it there and try again.`, { cause: error });
    }
  }

  /**
   * @param {Domain} domain
   * @param {Open} open
   * @returns {Promise<string>} 65 bytes, v 27 or 28
   * @throws {WalletFault}
   */
  async signOpen(domain, open) {
    const data = JSON.stringify(openTypedData(domain, open));
    const signature = await this.#ask("eth_signTypedData_v4", [this.#account, data]);
    if (typeof signature !== "string" || !HEX_SIGNATURE.test(signature)) {
      throw new WalletFault(`${this.name} gave no signature that the contract knows.`);
    }
    const v = Number.parseInt(signature.slice(130), 16);
    return `${signature.slice(0, 130)}${(v < 27 ? v + 27 : v).toString(16)}`.toLowerCase();
  }
}
