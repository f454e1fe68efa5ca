"""The README's pictures of the Book, made again: ``python tests/portrait.py BOOK`` with the folder of a Book.

They show a page from its picture to the end of its ladder, on light paper and on dark.
"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

PAGE = "maths_exp/mandelbrot.html"
FOLDER = Path(__file__).parents[1] / "shared" / "docs" / "pictures"
LIGHTS = ("light", "dark")
SIZE = {"width": 1440, "height": 1200}
MARGIN = 32  # pixels around what is shown
COLOURS = 128  # of the picture's palette: a photograph of a page needs no more, and 150 kB are enough for it
FROM_TO = """() => {
    const top = document.querySelector("#picture").getBoundingClientRect();
    const table = document.querySelector(".measured table").getBoundingClientRect();
    return [top.left + scrollX, top.top + scrollY, Math.max(top.right, table.right) + scrollX, table.bottom + scrollY];
}"""


def portrait(book: Path, light: str) -> Image.Image:
    """The page as a browser shows it."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as playwright:
        window = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        tab = window.new_page(viewport=SIZE, color_scheme=light)
        tab.goto((book / PAGE).absolute().as_uri())
        tab.evaluate("document.querySelector('.top').style.position = 'static'")  # else it lies upon what is shown
        page = Image.open(io.BytesIO(tab.screenshot(full_page=True)))
        left, top, right, bottom = tab.evaluate(FROM_TO)
        window.close()
    return page.crop((round(left) - MARGIN, round(top) - MARGIN, round(right) + MARGIN, round(bottom) + MARGIN))


if __name__ == "__main__":
    for light in LIGHTS:
        picture = portrait(Path(sys.argv[1]), light).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        picture.save(FOLDER / f"book_{light}.png", optimize=True)
