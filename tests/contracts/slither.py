"""Slither over the contracts: every finding is answered here, or it is an error.

    python3 -m venv /tmp/slither && /tmp/slither/bin/pip install slither-analyzer
    /tmp/slither/bin/python -m tests.contracts.slither

Not a part of `make test`: it wants a tool of its own.  It compiles with npm's solc, as everything
here does.  Exit code 0: all is answered; 3: something is not, and is printed.
"""

import inspect
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

SOURCES: Final = Path(__file__).parents[2] / "proofs" / "contracts" / "src"
WEB: Final = Path(__file__).parents[2] / "web"

ANSWERS: Final = {
    "assembly": (
        16,
        "precompiles, verifiers under a gas cap, code stored as data, words whose layout is drawn "
        "beside them; each stands alone in a short function",
    ),
    "too-many-digits": (24, "boards, masks and field elements are 64 digits long"),
    "timestamp": (
        5,
        "clocks are seconds of the block: whoever makes blocks can shift them by seconds, which "
        "the grace window of 60 covers; a purse's day may begin some seconds earlier or later",
    ),
    "incorrect-equality": (1, "a day is a number of days, and today's is meant"),
    "arbitrary-send-eth": (1, "a purse sends to whom its owner names, or to whom money is owed"),
    "low-level-calls": (1, "money is sent to an address that may hold code; a refusal reverts"),
    "reentrancy-benign": (
        1,
        "a purse reads nothing before it calls the arena, and writes only what it reads afterwards",
    ),
    "reentrancy-events": (
        1,
        "the fee is told after the arena took the move, because only then it is due",
    ),
    "shadowing-local": (
        7,
        "in the interface a parameter is called game, and so is the view; there is no body in "
        "which the two could be mixed up",
    ),
    "uninitialized-local": (3, "two sums and a struct that begin at zero, as Solidity gives them"),
    "divide-before-multiply": (
        2,
        "quotient and remainder are meant: a place in a list of words, a pair of files; the "
        "table's test and perft go through all of them",
    ),
    "unused-return": (
        2,
        "only the from-square is needed; a purse only asks if there is such a bot",
    ),
}
"""How many findings of a kind there are, and why they stand."""

# Slither calls it as it would a native compiler.
_SOLC: Final = """#!/usr/bin/env node
const solc = require("module").createRequire({web!r})("solc");
if (process.argv.includes("--version")) console.log("Version: " + solc.version());
else {{
  const fs = require("fs");
  const read = (path) => ({{ contents: fs.readFileSync(path, "utf8") }});
  process.stdout.write(solc.compile(fs.readFileSync(0, "utf8"), {{ import: read }}));
}}
"""


def findings() -> list[dict[str, Any]]:
    """What Slither's detectors say of the contracts that are deployed."""
    from crytic_compile import CryticCompile  # noqa: PLC0415  not among this project's packages
    from crytic_compile.platform.solc_standard_json import SolcStandardJson  # noqa: PLC0415
    from slither import Slither  # noqa: PLC0415
    from slither.detectors import all_detectors  # noqa: PLC0415

    source = SolcStandardJson()
    for path in sorted(SOURCES.glob("*.sol")):
        source.add_source_file(str(path))
    settings = {"viaIR": True, "optimizer": {"enabled": False}, "evmVersion": "cancun"}
    source._json.setdefault("settings", {}).update(settings)
    with tempfile.TemporaryDirectory() as folder:
        solc = Path(folder) / "solc"
        solc.write_text(_SOLC.format(web=str(WEB / "package.json")), encoding="utf-8")
        solc.chmod(0o755)
        slither = Slither(
            CryticCompile(source, solc=str(solc), compile_force_framework="solc-json")
        )
    for _, detector in inspect.getmembers(all_detectors, inspect.isclass):
        slither.register_detector(detector)
    found = (result for results in slither.run_detectors() for result in results)
    return list({result["id"]: result for result in found}.values())


def main() -> int:
    kinds: dict[str, list[dict[str, Any]]] = {}
    for finding in findings():
        kinds.setdefault(finding["check"], []).append(finding)
    status = 0
    for kind, found in sorted(kinds.items()):
        answered, why = ANSWERS.get(kind, (0, "not answered"))
        print(f"{len(found):3d} {kind}: {why}")
        if len(found) > answered:
            status = 3
            print(f"{kind}: {answered} are answered, these are there:", file=sys.stderr)
            for finding in found:
                print(finding["description"], file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
