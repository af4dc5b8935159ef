// Compiles one contract's source after another, for tests/contracts/mutant_bench.py, in one process.
//
//   in    {"source": "Arena", "quick": true}     a line each
//   out   {"artifacts": {"Arena": {"abi", "bytecode", "deployedBytecode"}}}  or  {"error": "..."}
//
// The quick way is the compiler's old pipeline without its optimizer: a twentieth of the time, code of the same
// meaning that costs more gas.  Warnings stop neither way: what a fault leaves unused shall not.

import { createRequire } from "node:module";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";

import { SETTINGS, compileFile, solidityFiles } from "../../proofs/contracts/compile.mjs";

const QUICK = { ...SETTINGS, viaIR: false, optimizer: { enabled: false } };

const require = createRequire(join(process.cwd(), "web/package.json"));
const solc = require("solc");

function answer({ source, quick }) {
  try {
    const file = solidityFiles().find((path) => basename(path, ".sol") === source);
    const isError = (problem) => problem.severity === "error";
    const compiled = compileFile(solc, file, quick ? QUICK : SETTINGS, isError);
    return { artifacts: Object.fromEntries(compiled) };
  } catch (error) {
    return { error: error.message };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(answer(JSON.parse(line)))}\n`);
}
