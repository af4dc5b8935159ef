// Compiles every contract under src/ with npm's solc and writes abi/<Name>.json: {abi, bytecode, deployedBytecode}.
//
//   node proofs/contracts/compile.mjs            write the artifacts
//   node proofs/contracts/compile.mjs --check    compile afresh, exit 1 naming what differs from the committed files
//   node proofs/contracts/compile.mjs Arena ...  only the files of these names
//   node proofs/contracts/compile.mjs --sizes    also print the bytes of code of each contract
//
// Each source file is a compilation of its own, with nothing in it but its imports: via-IR output can depend on
// what else is compiled beside a contract, so this keeps one contract's bytecode from changing with another's.
// No metadata is appended, so the same sources give the same bytes on every machine.

import { mkdirSync, readdirSync, readFileSync, realpathSync, unlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, posix, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(fileURLToPath(import.meta.url));
const SRC = join(ROOT, "src");
const ABI = join(ROOT, "abi");
export const SETTINGS = {
  viaIR: true,
  // From about 5,000 runs on the compiler copies helpers into their callers: the rules twice as large, 6 % less gas.
  optimizer: { enabled: true, runs: 3_000 },
  evmVersion: "cancun",
  metadata: { appendCBOR: false, bytecodeHash: "none" },
};

/**
 * Every warning stops a contract; code over EIP-170's 24,576 bytes is one. But these are known and harmless:
 * [error code, file name pattern, reason].
 */
const JUSTIFIED_WARNINGS = [];

const require = createRequire(join(ROOT, "../../web/package.json"));

export function solidityFiles(folder = SRC) {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return solidityFiles(path);
      return entry.name.endsWith(".sol") ? [path] : [];
    });
}

/** The file and everything it imports, by path relative to src/. */
function closure(file) {
  const sources = {};
  const visit = (name) => {
    if (sources[name]) return;
    const content = readFileSync(join(SRC, name), "utf8");
    sources[name] = { content };
    for (const [, target] of content.matchAll(/^\s*import\b[^;"]*"([^"]+)"/gm)) {
      visit(posix.normalize(posix.join(posix.dirname(name), target)));
    }
  };
  visit(relative(SRC, file).split(sep).join("/"));
  return sources;
}

function isJustified(problem) {
  const file = problem.sourceLocation?.file ?? "";
  return JUSTIFIED_WARNINGS.some(
    ([code, pattern]) => problem.errorCode === code && pattern.test(file),
  );
}

/**
 * The artifacts of one source file: [[name, artifact, code size], ...]; throws with the compiler's own words about
 * any problem that `stops`.
 */
export function compileFile(solc, file, settings = SETTINGS, stops = (problem) => !isJustified(problem)) {
  const sources = closure(file);
  const own = Object.keys(sources)[0];
  const selection = { "*": ["abi", "evm.bytecode", "evm.deployedBytecode"], "": ["ast"] };
  const input = {
    language: "Solidity",
    sources,
    settings: { ...settings, outputSelection: { [own]: selection } },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input)));
  const problems = (output.errors ?? []).filter(stops);
  if (problems.length > 0)
    throw new Error(problems.map((problem) => problem.formattedMessage).join("\n"));
  const nodes = output.sources[own].ast.nodes.filter(
    (node) => node.nodeType === "ContractDefinition",
  );
  return nodes
    .filter((node) => node.contractKind !== "library")
    .map((node) => {
      const { abi, evm } = output.contracts[own][node.name];
      if (Object.keys(evm.bytecode.linkReferences).length > 0)
        throw new Error(`${node.name}: needs linking`);
      const size = evm.deployedBytecode.object.length / 2;
      const bytecode = `0x${evm.bytecode.object}`;
      const deployedBytecode = `0x${evm.deployedBytecode.object}`;
      return [node.name, { abi, bytecode, deployedBytecode }, size];
    });
}

function readOrNull(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

/** The artifacts of every file that compiles, by file name, and whether all did. */
function compileAll(files, sizes) {
  const solc = require("solc");
  const texts = new Map();
  let complete = true;
  for (const file of files) {
    try {
      for (const [name, artifact, size] of compileFile(solc, file)) {
        if (texts.has(`${name}.json`)) throw new Error(`${name}: two contracts of this name`);
        texts.set(`${name}.json`, `${JSON.stringify(artifact, null, 1)}\n`);
        if (sizes) console.log(`${name} ${size}`);
      }
    } catch (error) {
      console.error(error.message);
      complete = false;
    }
  }
  return { texts, complete };
}

function main(args) {
  const names = args.filter((arg) => !arg.startsWith("--"));
  const files = solidityFiles().filter(
    (file) => names.length === 0 || names.includes(basename(file, ".sol")),
  );
  const unknown = names.filter((name) => !files.some((file) => basename(file, ".sol") === name));
  if (unknown.length > 0) throw new Error(`no such source file: ${unknown.join(", ")}`);

  const { texts, complete } = compileAll(files, args.includes("--sizes"));
  mkdirSync(ABI, { recursive: true });
  const stale =
    complete && names.length === 0 ? readdirSync(ABI).filter((name) => !texts.has(name)) : [];
  const differing = [...texts.keys()].filter(
    (name) => readOrNull(join(ABI, name)) !== texts.get(name),
  );
  if (args.includes("--check")) {
    for (const name of differing) console.error(`abi/${name} differs from a fresh compile`);
    for (const name of stale) console.error(`abi/${name} has no source`);
    return complete && differing.length + stale.length === 0 ? 0 : 1;
  }
  for (const name of differing) writeFileSync(join(ABI, name), texts.get(name));
  for (const name of stale) unlinkSync(join(ABI, name));
  return complete ? 0 : 1;
}

const isCommand = process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url);
if (isCommand) {
  try {
    process.exitCode = main(process.argv.slice(2));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
