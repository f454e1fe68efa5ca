"""The Book in a real browser: quiet, alone, by keyboard, and for everybody."""

from __future__ import annotations

import shutil
from pathlib import Path

import library
import pytest

from exp_core.book.site import write_book

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright, which hatch test installs")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PACKAGE = "acme_shown"
LOOK = "A first word & a second"
LONG = r"$u_{ij} \leftarrow (1 - 4\alpha) u_{ij} + \alpha (u_{i-1,j} + u_{i+1,j} + u_{i,j-1} + u_{i,j+1})$"
FILES = {
    "alpha/first.py": library.plain(look=LOOK),
    "alpha/second.py": library.plain("once more"),
    "beta/third.py": library.plain("a zebra", look=LONG),
    "beta/broken.py": library.BROKEN,
}
UNFOLD = "for (const part of document.querySelectorAll('details, .difference')) part.open = part.checked = true"
SIZES = {"phone": (390, 844), "laptop": (1280, 800), "wide": (1920, 1080)}

pytestmark = [
    pytest.mark.skipif(BROWSER is None, reason="needs a browser: apt-get install chromium"),
    pytest.mark.xdist_group("browser"),
]


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """The Book of four experiments, two of them measured."""
    folder = tmp_path_factory.mktemp("book")
    library.make_package(folder / "packages", PACKAGE, FILES)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder / "packages")
        library.forget(PACKAGE)
        slow = library.result(PACKAGE, "third", median_s=1e-2)
        sizes = [library.result(PACKAGE, "first", n=n, median_s=n * 1e-5) for n in (16, 32, 64, 64)]
        hard = library.result(PACKAGE, "first", problem="hard")
        measured = library.history(folder / "history.db", *sizes, hard, slow)
        written = write_book(folder / "out", library.contents(PACKAGE), measured, PACKAGE)
        library.forget(PACKAGE)
    return written.index.parent


@pytest.fixture(scope="module")
def chromium():
    """A browser, without its sandbox where the tests run as root."""
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium, book):
    """Opens a page in a new window; afterwards nothing may have been complained of, or asked of the network."""
    heard: list[str] = []
    contexts = []

    def opened(page="index.html", size="laptop", light="light", folder=book, **options):
        width, height = SIZES[size]
        context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=light, **options)
        contexts.append(context)
        tab = context.new_page()
        tab.on("console", lambda message: heard.append(message.text))
        tab.on("pageerror", lambda error: heard.append(str(error)))
        tab.on("request", lambda request: request.url.startswith(("file:", "data:")) or heard.append(request.url))
        tab.on("requestfailed", lambda request: heard.append(f"{request.url} failed"))
        tab.goto((folder / page).as_uri())
        return tab

    opened.heard = heard
    yield opened
    for context in contexts:
        context.close()


def pages(book: Path) -> list[str]:
    return sorted(str(path.relative_to(book)) for path in book.rglob("*.html"))


def test_no_page_complains_or_asks_the_network(visit, book):
    assert len(pages(book)) == 4 + len(FILES)
    for page in pages(book):
        tab = visit(page)
        tab.wait_for_load_state("networkidle")
        colour = tab.evaluate("getComputedStyle(document.body).fontFamily")
        assert "system-ui" in colour, "the style sheet is there in spite of the policy"
    assert visit.heard == []


def test_a_request_and_an_inline_script_would_be_seen(visit, book, tmp_path):
    shutil.copytree(book, tmp_path / "book")
    page = tmp_path / "book" / "index.html"
    text = page.read_text()
    page.write_text(text.replace("</main>", '<script>alert(1)</script><img src="https://example.org/x.png"></main>'))
    visit(folder=tmp_path / "book").wait_for_load_state("networkidle")
    assert any("script" in words for words in visit.heard)
    assert any("example.org" in words for words in visit.heard)


@pytest.mark.parametrize(("size", "light"), [("phone", "light"), ("wide", "dark")])
def test_axe_finds_nothing(visit, size, light):
    for page in ("index.html", "scoreboard.html", f"{PACKAGE}/first.html", f"{PACKAGE}/broken.html"):
        tab = visit(page, size, light)
        tab.evaluate(UNFOLD)
        found = accessible(tab)
        assert found == [], (page, found)


@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_wider_than_the_page(visit, book, size):
    for page in ("index.html", "scoreboard.html", "machine.html", f"{PACKAGE}/first.html", f"{PACKAGE}/third.html"):
        tab = visit(page, size)
        tab.evaluate(UNFOLD)
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), page


def test_a_long_formula_that_may_not_break_would_be_wider(visit):
    tab = visit(f"{PACKAGE}/third.html", "phone")
    tab.evaluate("for (const place of document.querySelectorAll('.explanation p')) place.style.whiteSpace = 'nowrap'")
    assert tab.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_a_figure_scrolls_in_its_own_box_on_a_phone(visit):
    """It stays large enough to be read, and its end can be reached; the page itself stands still."""
    tab = visit(f"{PACKAGE}/first.html", "phone")
    tab.evaluate(UNFOLD)
    boxes = tab.eval_on_selector_all(
        "figure > .scroll",
        """all => all.map(box => {
            const before = box.getBoundingClientRect();
            box.scrollLeft = 10000;
            const inside = box.firstElementChild.getBoundingClientRect();
            return [before.left >= 0 && before.right <= innerWidth, box.scrollWidth > box.clientWidth,
                    inside.right <= before.right + 1, getComputedStyle(box).overflowX, window.scrollX];
        })""",
    )
    assert len(boxes) == 4
    assert all(box == [True, True, True, "auto", 0] for box in boxes)


@pytest.mark.slow
def test_a_book_of_a_hundred_experiments(chromium, tmp_path, monkeypatch, record_property):
    """Less than 15 MB; how soon its index stands is recorded, since it depends on the machine."""
    name = "acme_hundred"
    files = {f"topic{n % 10}/experiment{n}.py": library.plain(f"number {n}", f"Look {n}.") for n in range(100)}
    library.make_package(tmp_path / "packages", name, files)
    monkeypatch.syspath_prepend(tmp_path / "packages")
    library.forget(name)
    results = [library.result(name, f"experiment{n}", n=size) for n in range(100) for size in (16, 64)]
    measured = library.history(tmp_path / "history.db", *results)
    written = write_book(tmp_path / "out", library.contents(name), measured, name)
    library.forget(name)
    assert len(written.made) == 100
    assert written.bytes < 15e6
    tab = chromium.new_page()
    tab.goto(written.index.as_uri(), wait_until="load")
    assert tab.locator("a[href*='experiment']").count() >= 100
    opened = tab.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
    tab.close()
    record_property("megabytes", written.bytes / 1e6)
    record_property("milliseconds to open", opened)
    print(f"{written.bytes / 1e6:.1f} MB, {opened:.0f} ms to open")


def accessible(tab):
    """What axe has to say against a page, each with the first element that it means."""
    said = axe.Axe().run(tab).response["violations"]
    return [f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:200]}" for one in said]


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ('role="img" ', 'role="img" data-', "svg-img-alt"),
        ('<html lang="en">', "<html>", "html-has-lang"),
        ('class="subtitle"', 'class="subtitle" data-faint', "color-contrast"),
        ("<main", "<div", "landmark-one-main"),
    ],
)
def test_axe_would_find_it(visit, book, tmp_path, old, new, rule):
    shutil.copytree(book, tmp_path / "book")
    page, sheet = tmp_path / "book" / PACKAGE / "first.html", tmp_path / "book" / "assets" / "book.css"
    text = page.read_text()
    assert old in text
    page.write_text(text.replace(old, new) if rule != "svg-img-alt" else text.replace(" aria-label=", " data-label="))
    sheet.write_text(sheet.read_text() + "[data-faint] { color: #bbb !important; }")
    assert any(one.startswith(rule) for one in accessible(visit(f"{PACKAGE}/first.html", folder=tmp_path / "book")))


def test_every_picture_says_what_there_is_to_see(visit):
    tab = visit(f"{PACKAGE}/first.html")
    alternatives = tab.eval_on_selector_all("svg.figure", "all => all.map(one => one.getAttribute('aria-label'))")
    assert len(alternatives) == 4, "picture, roofline, scaling, history"
    assert all(len(words) > 20 for words in alternatives)
    assert LOOK in alternatives[0]
    silent = "svg:not([aria-label]):not([aria-hidden=true]), img:not([alt])"
    assert tab.locator(silent).count() == 0


def test_search_by_keyboard(visit):
    tab = visit()
    tab.keyboard.press("/")
    tab.keyboard.type("zebra")
    assert tab.locator(".card:visible").count() == 1
    assert tab.locator("#count").inner_text() == "1 of 4 experiments"
    tab.keyboard.press("Escape")
    assert tab.locator(".card:visible").count() == 4
    tab.keyboard.type("no such thing")
    assert tab.locator("#nothing").is_visible() and tab.locator(".part:visible").count() == 0
    tab.keyboard.press("Escape")
    tab.keyboard.type("FIRST word")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/first.html")
    assert visit.heard == []


def test_filters_by_keyboard(visit):
    tab = visit()
    tab.locator("#query").focus()
    tab.keyboard.press("Tab")
    seen = []
    for _ in range(5):
        tab.keyboard.press("ArrowRight")
        seen.append(tab.locator(".card:visible .name").all_inner_texts())
    faster, slower, unmeasured, wrong, everything = seen
    assert (faster, slower, wrong) == (["first", "third"], [], ["broken"])
    assert sorted(unmeasured) == ["broken", "second"]
    assert len(everything) == 4


def test_sort_by_keyboard(visit):
    tab = visit(f"{PACKAGE}/first.html")
    ladder = tab.locator(".measured .exp-ladder").first
    names = ladder.locator("tbody").first.locator("th code")
    heading = ladder.get_by_role("button", name="time", exact=True)
    heading.focus()
    tab.keyboard.press("Enter")
    assert names.all_inner_texts() == ["doubled", "library", "looped", "looped_backwards"]
    assert ladder.locator("th[aria-sort=ascending]").inner_text().startswith("time")
    tab.keyboard.press("Space")
    assert names.all_inner_texts() == ["looped", "library", "doubled", "looped_backwards"], "unknown is last both ways"
    ladder.get_by_role("button", name="implementation").press("Enter")
    assert names.all_inner_texts() == ["doubled", "library", "looped", "looped_backwards"]
    assert ladder.locator("th[aria-sort]").count() == 1


def test_code_unfolds_and_its_difference_shows_by_keyboard_and_without_a_script(visit):
    tab = visit(f"{PACKAGE}/first.html", java_script_enabled=False)
    second = tab.locator("details.implementation").nth(1)
    assert second.locator("pre").first.is_hidden()
    second.locator("summary").first.press("Enter")
    assert second.locator("pre").first.is_visible()
    gone, new = second.locator(".line.gone").first, second.locator(".line.new").first
    assert new.is_visible() and gone.is_hidden()
    second.locator("input.difference").press("Space")
    assert gone.is_visible() and "for" in second.locator(".line.gone").all_inner_texts()[-1]


def test_without_a_script_every_word_is_there(visit):
    tab = visit(java_script_enabled=False)
    assert tab.locator(".card:visible").count() == 4
    assert tab.locator("search").is_hidden()


def test_copying_says_that_it_did(visit):
    tab = visit(f"{PACKAGE}/first.html")
    button = tab.get_by_role("button", name=f"copy python -m {PACKAGE} first", exact=True)
    button.press("Enter")
    tab.wait_for_function("document.querySelector('.try button.copy').textContent !== 'copy'")
    assert visit.heard == []


def test_every_link_resolves_and_the_next_page_is_the_next(visit, book):
    for page in pages(book):
        tab = visit(page)
        links = tab.eval_on_selector_all("a[href]", "all => all.map(one => one.href)")
        for link in (link for link in links if link.startswith("file:")):
            path, _, anchor = link.removeprefix("file://").partition("#")
            assert Path(path).is_file(), link
            assert not anchor or f'id="{anchor}"' in Path(path).read_text(), link
    tab = visit(f"{PACKAGE}/first.html")
    tab.locator("a[rel=next]").press("Enter")
    tab.wait_for_url("**/second.html")
    tab.locator("a[rel=prev]").press("Enter")
    tab.wait_for_url("**/first.html")


def test_on_paper_everything_is_unfolded(visit, tmp_path):
    tab = visit(f"{PACKAGE}/first.html")
    assert len(tab.pdf()) > 10_000
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert tab.locator("details:not([open])").count() == 0
    tab.evaluate("dispatchEvent(new Event('afterprint'))")
    assert tab.locator("details.implementation[open]").count() == 1
    assert visit.heard == []


def test_on_paper_code_is_cut_between_lines_and_a_repeated_heading_has_its_words(visit):
    """An inline block is never cut, so that code longer than a sheet ended with it; nor is a button repeated."""
    tab = visit(f"{PACKAGE}/first.html")
    shown = "all => [...new Set(all.map(one => getComputedStyle(one).display))]"
    assert tab.eval_on_selector_all("pre code", shown) == ["inline-block"]
    tab.emulate_media(media="print")
    assert tab.eval_on_selector_all("pre code", shown) == ["block"]
    assert tab.eval_on_selector_all("th[data-sort] button", shown) == ["contents"]
