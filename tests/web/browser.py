"""Real Chromium, and a hand that plays on the page by clicking squares."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import chess
from playwright.async_api import Browser, Locator, Page, async_playwright, expect

Color = Literal["white", "black"]
Scheme = Literal["light", "dark"]

expect.set_options(timeout=30_000)  # others may have the processors

_ARGUMENTS = (
    "--no-sandbox",  # tests run as root in containers
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)

_HEAR_OF_COPYING = """
button => {
  button.told = new Promise((tell) => {
    const look = () => button.dataset.copied && tell(button.dataset.copied);
    new MutationObserver(look).observe(button, {attributeFilter: ["data-copied"]});
  });
}
"""


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Chromium of the machine, or Playwright's own where there is none."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=_ARGUMENTS
        )
        try:
            yield browser
        finally:
            await browser.close()


class Hand:
    """One browser context with one page; `faults` are the errors of its console."""

    def __init__(self, page: Page) -> None:
        self.page = page
        page.set_default_navigation_timeout(60_000)  # others may have the processors
        self.faults: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(f"page: {error}"))
        page.on(
            "console",
            lambda line: (
                self.faults.append(f"console: {line.text}")
                if line.type in ("error", "warning")
                else None
            ),
        )

    @classmethod
    async def of(
        cls,
        browser: Browser,
        *,
        width: int = 1280,
        height: int = 800,
        scheme: Scheme = "light",
        touch: bool = False,
    ) -> "Hand":
        context = await browser.new_context(
            has_touch=touch,
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            reduced_motion="reduce",
        )
        return cls(await context.new_page())

    async def start(self, base: str, bot: str, color: Color) -> str:
        """Start a game from the lobby; returns its id when the board is there."""
        await self.page.goto(base)
        card = self.page.locator(f"[data-testid=bot-card][data-bot='{bot}']")
        await card.get_by_test_id(f"start-{color}").click()
        await self.page.wait_for_url("**/game/0x*", wait_until="commit")
        await expect(self.board).to_have_attribute("data-orientation", color)
        return self.page.url.rsplit("/", 1)[1]

    @property
    def board(self) -> Locator:
        return self.page.get_by_test_id("board")

    @property
    def moves(self) -> Locator:
        return self.page.get_by_test_id("move")

    def move(self, ply: int) -> Locator:
        return self.page.locator(f"[data-testid=move][data-ply='{ply}']")

    async def position(self) -> chess.Board:
        """What the board shows."""
        fen = await self.board.get_attribute("data-fen")
        assert fen is not None
        return chess.Board(fen)

    async def drawn_pieces(self) -> dict[str, str]:
        """The pieces that are really drawn once none is moving, such as {"e1": "wk"}."""
        drawn = await self.page.wait_for_function(
            """() => {
                const board = document.getElementById("board");
                if (board?.dataset.animated !== "no") return null;
                const all = [...board.querySelectorAll(".pieces > [data-square]")];
                return Object.fromEntries(all.map(p => [p.dataset.square, p.dataset.piece]));
            }"""
        )
        pieces: dict[str, str] = await drawn.json_value()
        return pieces

    async def my_turn(self, color: Color, *, within: float = 60) -> chess.Board:
        """Wait until the board takes moves of `color` (`within` seconds); returns the position."""
        await expect(self.board).to_have_attribute("data-input", color, timeout=within * 1000)
        await self.at_rest()
        return await self.position()

    async def at_rest(self) -> None:
        """Wait until no piece is moving: until then the board hears no click, touch or key."""
        await expect(self.board).to_have_attribute("data-animated", "no")

    async def point(self, square: chess.Square) -> tuple[float, float]:
        """The middle of a square, in pixels of the page."""
        box = await self.board.locator("svg.cm-chessboard").bounding_box()
        assert box is not None
        file, rank = chess.square_file(square), chess.square_rank(square)
        if await self.board.get_attribute("data-orientation") == "black":
            file, rank = 7 - file, 7 - rank
        size = box["width"] / 8
        return box["x"] + size * (file + 0.5), box["y"] + size * (7 - rank + 0.5)

    async def click(self, square: chess.Square) -> None:
        await self.at_rest()
        await self.page.mouse.click(*await self.point(square))

    async def play(self, move: chess.Move) -> None:
        """Click a legal move, and wait until the server has taken it."""
        board = await self.position()
        await self.click_move(move)
        if move.promotion:
            piece = ("w" if board.turn else "b") + chess.piece_symbol(move.promotion)
            await self.page.locator(f".promotion-dialog-button-group[data-piece={piece}]").click()
        await expect(self.move(board.ply())).to_be_attached()

    async def click_move(self, move: chess.Move) -> None:
        await self.click(move.from_square)
        await self.click(move.to_square)

    async def tap(self, square: chess.Square) -> None:
        await self.at_rest()
        await self.page.touchscreen.tap(*await self.point(square))

    async def drag(self, move: chess.Move) -> None:
        await self.at_rest()
        mouse = self.page.mouse
        await mouse.move(*await self.point(move.from_square))
        await mouse.down()
        await mouse.move(*await self.point(move.to_square), steps=6)
        await mouse.up()

    async def stop_clock(self) -> None:
        """Have the page's clock, which must be installed, stand where run_for does not move it."""
        now = await self.page.evaluate("Date.now()")
        await self.page.clock.pause_at(now / 1000 + 20)

    async def complains(self, words: str) -> None:
        """Wait until the console shows an error with these words."""
        async with asyncio.timeout(60):
            while not any(words in fault for fault in self.faults):  # noqa: ASYNC110 of a callback
                await asyncio.sleep(0.05)

    async def copied(self, button: Locator) -> str:
        """Press a button that copies; the text, once the button has said that it is copied.

        It says so for a moment only, which looking again and again could miss.
        """
        await button.evaluate(_HEAR_OF_COPYING)
        await button.click()
        async with asyncio.timeout(60):
            assert await button.evaluate("button => button.told") == "yes"
        return str(await self.page.evaluate("navigator.clipboard.readText()"))

    async def close(self) -> None:
        await self.page.context.close()
