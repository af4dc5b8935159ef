"""The command `checkproof serve`: settings from everywhere, then the server."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from server.cli_out import printable
from server.config import Settings, read


def run_serve(flags: Mapping[str, Any], *, file: Path | None, show: bool, rebuild: bool) -> None:
    """Serve, or only show the settings.  Raises BadSetting."""
    settings = read(flags, file=file)
    if show:
        show_settings(settings)
        return
    from server.app import run  # noqa: PLC0415  numpy and web3 are not needed to look

    run(settings.config, rebuild=rebuild)


def show_settings(settings: Settings) -> None:
    """What holds, and where each value comes from, on stdout; no secrets."""
    rows = [("setting", "value", "from"), *settings.lines()]
    wide = [max(len(row[column]) for row in rows) for column in range(2)]
    for name, value, found_in in rows:
        print(f"{name:{wide[0]}}  {printable(value):{wide[1]}}  {found_in}")
