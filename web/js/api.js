/** The arena's JSON over HTTP. */

/** @import { Config, GameSummary } from "./types.js" */

/** The arena did not answer as it should. */
export class ApiFault extends Error {
  name = "ApiFault";
}

/** @param {string} path @returns {Promise<unknown>} @throws {ApiFault} */
async function getJson(path) {
  try {
    const response = await fetch(path, { headers: { Accept: "application/json" } });
    if (!response.ok) throw new ApiFault(`The arena answered ${path} with ${response.status}.`);
    return await response.json();
  } catch (error) {
    if (error instanceof ApiFault) throw error;
    throw new ApiFault("The arena does not answer.", { cause: error });
  }
}

export const fetchConfig = async () => /** @type {Config} */ (await getJson("/api/config"));

/** The newest games first. */
export const fetchGames = async () => /** @type {GameSummary[]} */ (await getJson("/api/games"));
