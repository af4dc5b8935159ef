// Compiles a verifier that ezkl generated, with npm's solc and nothing from the network.
//
//   node ezkl_solc.mjs PACKAGE_JSON SOURCE.sol     prints {bytecode, deployedBytecode} as JSON
//
// PACKAGE_JSON is the package whose node_modules hold solc. No metadata is appended, so equal sources give equal code.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [packageJson, source] = process.argv.slice(2);
let solc;
try {
  solc = createRequire(packageJson)("solc");
} catch {
  console.error("npm's solc is not installed; run `npm ci` in web/");
  process.exit(1);
}
const input = {
  language: "Solidity",
  sources: { "Verifier.sol": { content: readFileSync(source, "utf8") } },
  settings: {
    optimizer: { enabled: true, runs: 1 },
    evmVersion: "cancun",
    metadata: { appendCBOR: false, bytecodeHash: "none" },
    outputSelection: { "*": { "*": ["evm.bytecode.object", "evm.deployedBytecode.object"] } },
  },
};
const output = JSON.parse(solc.compile(JSON.stringify(input)));
const errors = (output.errors ?? []).filter((problem) => problem.severity === "error");
if (errors.length > 0) {
  console.error(errors[0].formattedMessage);
  process.exit(1);
}
const { evm } = output.contracts["Verifier.sol"].Halo2Verifier;
const bytecode = `0x${evm.bytecode.object}`;
const deployedBytecode = `0x${evm.deployedBytecode.object}`;
console.log(JSON.stringify({ bytecode, deployedBytecode }));
