"""The protocol's page names every frame, code and path that there is."""

from pathlib import Path
from typing import get_args

import pytest

from server import messages as m
from server.pages import routes

PAGE = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")
FRAMES = [*get_args(m.ClientFrame), *get_args(m.GameEvent), *get_args(m.Reply)]


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame.__name__)
def test_every_frame_is_told_of(frame: type[m.Ping]) -> None:
    (kind,) = get_args(frame.model_fields["t"].annotation)
    assert f"`{kind}`" in PAGE or f'"t": "{kind}"' in PAGE


@pytest.mark.parametrize("code", get_args(m.ErrorCode))
def test_every_error_is_told_of(code: str) -> None:
    assert f"`{code}`" in PAGE


@pytest.mark.parametrize("name", ["CLOSE_TOO_SLOW", "CLOSE_RATE_LIMITED", "CLOSE_UNKNOWN_GAME"])
def test_every_close_code_is_told_of(name: str) -> None:
    assert f"| {getattr(m, name)} |" in PAGE


def test_every_path_is_told_of() -> None:
    for route in routes:
        path = getattr(route, "path", "")
        shown = path.replace("{id}", "ID").replace("{hash}", "HASH").replace("{path:.+}", "…")
        assert shown in PAGE, path
