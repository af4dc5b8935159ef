// Verifies Groth16 proofs with snarkjs, many in one process.
//
//   node snarkjs_verify.mjs PACKAGE_JSON
//
// PACKAGE_JSON is the package whose node_modules hold snarkjs. Standard input is one JSON object, its parts in snarkjs'
// own forms:     {"keys": [KEY, ...], "claims": [{"key": place in keys, "public": [LIMB, ...], "proof": PROOF}, ...]}
// Standard output is another: {"version", "verdicts": [true, false, or a text that says what went wrong, ...]}

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const require = createRequire(process.argv[2]);

function load() {
  try {
    return require("snarkjs");
  } catch {
    console.error("snarkjs is not installed; run `make setup`");
    process.exit(1);
  }
}

const snarkjs = load();
const folder = join(dirname(process.argv[2]), "node_modules", "snarkjs");
const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
const { keys, claims } = JSON.parse(readFileSync(0, "utf8"));
const verdicts = [];
for (const { key, public: limbs, proof } of claims) {
  try {
    verdicts.push(await snarkjs.groth16.verify(keys[key], limbs, proof));
  } catch (error) {
    verdicts.push(String(error));
  }
}
// its worker threads would keep the process alive
process.stdout.write(JSON.stringify({ version, verdicts }), () => process.exit(0));
