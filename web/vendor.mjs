/**
 * Copies what the page needs from node_modules into vendor/, with licences and hashes.
 *
 *   node vendor.mjs           write vendor/ and vendor/manifest.json
 *   node vendor.mjs --check   exit 1 if a file differs from the manifest, is missing or is unknown
 *
 * The `.d.ts` files beside the copies are written by hand: they type only what the page uses.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(fileURLToPath(import.meta.url));
const VENDOR = join(ROOT, "vendor");
const MANIFEST = join(VENDOR, "manifest.json");

/**
 * @typedef {{find: string, replace: string}} Patch
 * @typedef {{to: string, licence: string, files: Record<string, string>,
 *   licences?: Record<string, string>, patches?: Record<string, Patch[]>}} Library
 * @typedef {{package: string, version: string, licence: string, sha256: string,
 *   patched?: true, stripped?: true}} Entry
 */

// The server's content security policy allows no style attributes in markup, and
// `setAttribute("style", ..)` counts as one; the CSSOM does not.
const DRAG_PATCHES = [
  {
    find: 'this.draggablePiece.setAttribute("style", "pointer-events: none")',
    replace: 'this.draggablePiece.style.cssText = "pointer-events: none"',
  },
  {
    find: 'this.draggablePiece.setAttribute("style",\n            `pointer-events: none; position: absolute; left: ${x - (this.view.squareHeight / 2)}px; top: ${y - (this.view.squareHeight / 2)}px`)',
    replace:
      "this.draggablePiece.style.cssText =\n            `pointer-events: none; position: absolute; left: ${x - (this.view.squareHeight / 2)}px; top: ${y - (this.view.squareHeight / 2)}px`",
  },
];
const STYLE_PATCH = {
  find: "element.setAttribute(attribute, attributes[attribute])",
  replace:
    'if (attribute === "style") element.style.cssText = attributes[attribute]\n                    else element.setAttribute(attribute, attributes[attribute])',
};

// Browsers resolve no bare names, and an import map would have to be inline.
const CURVES_PATCHES = {
  "utils.js": [
    {
      find: "randomBytes as randomBytes_, } from '@noble/hashes/utils.js'",
      replace: "randomBytes as randomBytes_, } from '../noble-hashes/utils.js'",
    },
  ],
  "abstract/weierstrass.js": [
    {
      find: "import { hmac as nobleHmac } from '@noble/hashes/hmac.js'",
      replace: "import { hmac as nobleHmac } from '../../noble-hashes/hmac.js'",
    },
    {
      find: "import { ahash } from '@noble/hashes/utils.js'",
      replace: "import { ahash } from '../../noble-hashes/utils.js'",
    },
  ],
};

/** @type {Record<string, Library>} */
const LIBRARIES = {
  "cm-chessboard": {
    to: "cm-chessboard",
    licence: "MIT",
    files: Object.fromEntries(
      [
        "LICENSE",
        "assets/chessboard.css",
        "assets/pieces/standard.svg",
        "assets/extensions/promotion-dialog/promotion-dialog.css",
        "src/Chessboard.js",
        "src/extensions/accessibility/Accessibility.js",
        "src/extensions/accessibility/I18n.js",
        "src/extensions/markers/Markers.js",
        "src/extensions/promotion-dialog/PromotionDialog.js",
        "src/lib/Svg.js",
        "src/lib/Utils.js",
        "src/model/ChessboardState.js",
        "src/model/Extension.js",
        "src/model/Position.js",
        "src/view/ChessboardView.js",
        "src/view/PositionAnimationsQueue.js",
        "src/view/VisualMoveInput.js",
      ].map((file) => [file, file]),
    ),
    // The other sets that come with the board are for non-commercial use only.
    licences: { "assets/pieces/standard.svg": "CC-BY-SA-3.0" },
    patches: {
      "src/view/VisualMoveInput.js": DRAG_PATCHES,
      "src/lib/Svg.js": [STYLE_PATCH],
    },
  },
  "chess.js": {
    to: "chess.js",
    licence: "BSD-2-Clause",
    files: { LICENSE: "LICENSE", "dist/esm/chess.js": "chess.js" },
  },
  "@noble/curves": {
    to: "noble-curves",
    licence: "MIT",
    files: Object.fromEntries(
      [
        "LICENSE",
        "abstract/bls.js",
        "abstract/curve.js",
        "abstract/der.js",
        "abstract/hash-to-curve.js",
        "abstract/modular.js",
        "abstract/tower.js",
        "abstract/weierstrass.js",
        "bn254.js",
        "utils.js",
      ].map((file) => [file, file]),
    ),
    patches: CURVES_PATCHES,
  },
  "@noble/hashes": {
    to: "noble-hashes",
    licence: "MIT",
    files: Object.fromEntries(
      ["LICENSE", "_md.js", "_u64.js", "hmac.js", "sha2.js", "sha3.js", "utils.js"].map((file) => [
        file,
        file,
      ]),
    ),
  },
  "@noble/secp256k1": {
    to: "noble-secp256k1",
    licence: "MIT",
    files: { LICENSE: "LICENSE", "index.js": "index.js" },
  },
};

/** @param {string | Buffer} data */
const sha256 = (data) => createHash("sha256").update(data).digest("hex");

/**
 * @param {string} text
 * @param {Patch[]} patches
 * @param {string} file
 */
function patched(text, patches, file) {
  for (const { find, replace } of patches) {
    if (text.split(find).length !== 2) throw new Error(`${file}: the patch does not apply`);
    text = text.replace(find, () => replace);
  }
  return text.replace(/\n?(\/\/|\/\*)# sourceMappingURL=.*\n?$/, "\n");
}

/** @param {string} folder @returns {string[]} */
function filesUnder(folder) {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesUnder(path) : [relative(VENDOR, path)];
  });
}

const copies = () =>
  filesUnder(VENDOR).filter((file) => file !== "manifest.json" && !file.endsWith(".d.ts"));

/**
 * The same code without its comments, which are a third of what a page would load of it. Those
 * that begin with an exclamation mark name an author or a licence, and stay.
 *
 * @param {string} text
 * @param {string} file
 */
async function stripped(text, file) {
  const { default: ts } = await import("typescript"); // not needed for --check
  const compilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ES2022,
    removeComments: true,
    verbatimModuleSyntax: true,
    allowJs: true,
  };
  return ts.transpileModule(text, { fileName: file, compilerOptions }).outputText;
}

async function write() {
  mkdirSync(VENDOR, { recursive: true });
  for (const file of copies()) rmSync(join(VENDOR, file));
  /** @type {Record<string, Entry>} */
  const manifest = {};
  for (const [name, library] of Object.entries(LIBRARIES)) {
    const source = join(ROOT, "node_modules", name);
    const { version } = JSON.parse(readFileSync(join(source, "package.json"), "utf8"));
    for (const [from, to] of Object.entries(library.files)) {
      const patches = library.patches?.[from] ?? [];
      const whole = patched(readFileSync(join(source, from), "utf8"), patches, from);
      const isCode = from.endsWith(".js");
      const text = isCode ? await stripped(whole, from) : whole;
      const target = join(library.to, to);
      mkdirSync(dirname(join(VENDOR, target)), { recursive: true });
      writeFileSync(join(VENDOR, target), text);
      manifest[target] = {
        package: name,
        version,
        licence: library.licences?.[from] ?? library.licence,
        sha256: sha256(text),
        ...(patches.length ? { patched: /** @type {const} */ (true) } : {}),
        ...(isCode ? { stripped: /** @type {const} */ (true) } : {}),
      };
    }
  }
  writeFileSync(MANIFEST, `${JSON.stringify(manifest, null, 2)}\n`);
}

/** @returns {string[]} what differs, one line each */
function differences() {
  /** @type {Record<string, Entry>} */
  const manifest = JSON.parse(readFileSync(MANIFEST, "utf8"));
  const present = new Set(copies());
  const missing = Object.keys(manifest).filter((file) => !present.has(file));
  const unknown = [...present].filter((file) => !(file in manifest));
  const changed = Object.keys(manifest).filter(
    (file) =>
      present.has(file) && sha256(readFileSync(join(VENDOR, file))) !== manifest[file].sha256,
  );
  return [
    ...missing.map((file) => `missing: ${file}`),
    ...unknown.map((file) => `not in the manifest: ${file}`),
    ...changed.map((file) => `changed: ${file}`),
  ];
}

if (process.argv.includes("--check")) {
  const lines = differences();
  for (const line of lines) console.error(line);
  process.exitCode = lines.length ? 1 : 0;
} else {
  await write();
}
