// One step of a Groth16 ceremony by snarkjs, on files.
//
//   node ceremony.mjs PACKAGE_JSON begin CIRCUIT.r1cs PHASE1.ptau OUT.zkey
//   node ceremony.mjs PACKAGE_JSON contribute IN.zkey OUT.zkey NAME
//   node ceremony.mjs PACKAGE_JSON beacon IN.zkey OUT.zkey NAME HEX ITERATIONS_EXPONENT
//   node ceremony.mjs PACKAGE_JSON verify CIRCUIT.r1cs PHASE1.ptau FINAL.zkey
//   node ceremony.mjs PACKAGE_JSON verify-phase1 PHASE1.ptau
//
// PACKAGE_JSON is the package whose node_modules hold snarkjs. Progress goes to stderr; stdout gets
// one line of JSON, {"ok", "problems": [text]}, because snarkjs tells some refusals as text only.

import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { randomBytes } from "node:crypto";

const [packageJson, step, ...given] = process.argv.slice(2);
const problems = [];
const print = process.stdout.write.bind(process.stdout);
// snarkjs prints some of its refusals to the console
console.log = (line) => problems.push(String(line));
const logger = {
  debug: () => {},
  info: (line) => console.error(String(line).replaceAll("\n", " ")),
  warn: (line) => console.error(String(line)),
  error: (line) => problems.push(String(line)),
};

/** What this machine draws; snarkjs mixes entropy of its own into it. */
const entropy = () => randomBytes(64).toString("hex");

const STEPS = {
  begin: ({ zKey }, [circuit, phase1, out]) => zKey.newZKey(circuit, phase1, out, logger),
  contribute: ({ zKey }, [from, to, name]) => zKey.contribute(from, to, name, entropy(), logger),
  beacon: ({ zKey }, [from, to, name, hex, exponent]) =>
    zKey.beacon(from, to, name, hex, Number(exponent), logger),
  verify: ({ zKey }, [circuit, phase1, final]) =>
    zKey.verifyFromR1cs(circuit, phase1, final, logger),
  "verify-phase1": ({ powersOfTau }, [phase1]) => powersOfTau.verify(phase1, logger),
};

async function run() {
  const found = createRequire(packageJson).resolve("snarkjs");
  const { default: snarkjs } = await import(pathToFileURL(found).href);
  const answer = await STEPS[step](snarkjs, given);
  // `begin` answers -1 or a hash, the others true, false or a hash
  return answer !== false && answer !== -1 && answer !== undefined && problems.length === 0;
}

let ok = false;
try {
  ok = await run();
} catch (error) {
  problems.push(error.message);
}
print(`${JSON.stringify({ ok, problems })}\n`, () => process.exit(0));
