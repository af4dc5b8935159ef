"""axe-core, run in a page: what keeps people out of it."""

from functools import cache
from pathlib import Path

from playwright.async_api import Page

_SOURCE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
_RUN = """
async () => {
  const {violations} = await axe.run(document, {resultTypes: ["violations"]});
  return violations
    .filter(({impact}) => impact === "serious" || impact === "critical")
    .map(({id, nodes}) => `${id}: ${nodes.map(({html}) => html.slice(0, 120)).join(" | ")}`);
}
"""


@cache
def _source() -> str:
    return _SOURCE.read_text()


async def serious(page: Page) -> list[str]:
    """The serious and critical violations of a page as it stands, one line each."""
    await page.evaluate(_source())  # as the tools do it: the page's policy forbids a script tag
    found: list[str] = await page.evaluate(_RUN)
    return found
