/** The arena's JSON over HTTP. */

/** @import { Config, Lobby } from "./types.js" */

/** The arena did not answer as it should. */
export class ApiFault extends Error {
  name = "ApiFault";

  /** @param {string} message @param {{status?: number, cause?: unknown}} [options] */
  constructor(message, { status, cause } = {}) {
    super(message, { cause });
    /** Of the HTTP answer, if there was one. */
    this.status = status;
  }
}

/** @param {string} path @returns {Promise<unknown>} @throws {ApiFault} */
async function getJson(path) {
  try {
    const response = await fetch(path, { headers: { Accept: "application/json" } });
    const { ok, status } = response;
    if (!ok) throw new ApiFault(`The arena answered ${path} with ${status}.`, { status });
    return await response.json();
  } catch (error) {
    if (error instanceof ApiFault) throw error;
    throw new ApiFault("The arena does not answer.", { cause: error });
  }
}

export const fetchConfig = async () => /** @type {Config} */ (await getJson("/api/config"));

/** The games in short, what is featured, and how the bots fared. */
export const fetchLobby = async () => /** @type {Lobby} */ (await getJson("/api/lobby"));
