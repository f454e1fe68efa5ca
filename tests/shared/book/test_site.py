"""Writing the Book: only what changed, whole at every moment, into a folder that is ours."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import library
import pytest

from exp_core.book import site
from exp_core.book.site import BookError, write_book

PACKAGE = "acme_book"
FILES = {
    "alpha/first.py": library.plain(),
    "alpha/second.py": library.plain("once more"),
    "beta/third.py": library.plain("a third time"),
}
ADDRESS = re.compile(r'(?:href|src)="([^"#:]+)(?:#([^"]*))?"')


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of three experiments; a file added to it is seen."""
    monkeypatch.syspath_prepend(tmp_path / "packages")
    library.make_package(tmp_path / "packages", PACKAGE, FILES)
    library.forget(PACKAGE)
    yield tmp_path / "packages" / PACKAGE
    library.forget(PACKAGE)


@pytest.fixture
def write(tmp_path):
    """Writes the Book, as a new process would."""

    def written(*results, out=tmp_path / "out", **options):
        library.forget(PACKAGE)
        measured = library.history(tmp_path / "history.db", *results)
        return write_book(out, library.contents(PACKAGE), measured, PACKAGE, **options)

    return written


def test_a_page_for_each_experiment_and_every_link_leads_somewhere(package, write, tmp_path):
    written = write(library.result(PACKAGE, "first"))
    assert written.made == ("first", "second", "third")
    for page in (tmp_path / "out").rglob("*.html"):
        text = page.read_text()
        for address, anchor in ADDRESS.findall(text):
            target = (page.parent / address).resolve()
            assert target.is_file(), (page, address)
            assert not anchor or f'id="{anchor}"' in target.read_text(), (page, address, anchor)


def test_a_page_is_made_again_only_when_its_source_or_its_results_changed(package, write, tmp_path):
    write()
    assert write().made == ()
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert write().kept == ("first", "second", "third")
    assert {path: path.stat().st_mtime_ns for path in before} == before, "what is the same is not written"
    (package / "alpha/second.py").write_text(FILES["alpha/second.py"].replace("All at once", "At one stroke"))
    assert write().made == ("second",)
    assert write(library.result(PACKAGE, "third")).made == ("third",)
    assert "At one stroke" in (tmp_path / "out" / PACKAGE / "second.html").read_text()


def test_a_file_that_an_experiment_uses_counts_as_its_source(package, write):
    (package / "beta/_part.py").write_text("def part(x):\n    return x\n")
    use = FILES["beta/third.py"].replace("return helper(x)", "return part(helper(x))")
    (package / "beta/third.py").write_text(
        use.replace("import numpy", f"from {PACKAGE}.beta._part import part\nimport numpy")
    )
    write()
    (package / "beta/_part.py").write_text("def part(x):\n    return +x\n")
    assert write().made == ("third",)


def test_a_part_of_it_is_refreshed_and_the_rest_keeps_its_place(package, write, tmp_path):
    """``book --only`` into a whole Book's folder left an index of one."""
    whole = {chapter.entry.name: chapter for chapter in library.contents(PACKAGE).chapters}
    write()
    fronts = {path: path.read_text() for path in (tmp_path / "out").glob("*.html")}
    for name in ("first", "second"):
        path = package / f"alpha/{name}.py"
        path.write_text(path.read_text().replace("All at once", "At one stroke"))
    written = write(only=[whole["second"]])
    assert (written.made, written.kept, written.beside) == (("second",), (), 2)
    assert {path: path.read_text() for path in fronts} == fronts, "nothing that the index shows has changed"
    assert write(only=[whole["second"]]).kept == ("second",)
    assert write().made == ("first",), "what was not named had been left as it was"


def test_a_small_book_grows_and_its_neighbours_lead_to_the_new_page(package, write, tmp_path):
    whole = {chapter.entry.name: chapter for chapter in library.contents(PACKAGE).chapters}
    assert write(only=[whole["first"]]).made == ("first",)
    assert "second" not in (tmp_path / "out/index.html").read_text()
    assert write(only=[whole["third"]]).made == ("first", "third"), "first has a next page now"
    assert write(only=[whole["second"]]).made == ("first", "second", "third")
    index = (tmp_path / "out/index.html").read_text()
    assert all(f'href="{PACKAGE}/{name}.html"' in index for name in whole)
    assert write().made == (), "it is the whole Book"


def test_an_older_renderer_made_older_pages(package, write, monkeypatch):
    write()
    monkeypatch.setattr(site, "renderer", lambda: "another")
    assert write().made == ("first", "second", "third")


def test_a_page_that_was_damaged_is_made_again(package, write, tmp_path):
    write()
    page = tmp_path / "out" / PACKAGE / "first.html"
    page.write_text("half a p")
    assert write().made == ("first",)
    assert page.read_text().endswith("</html>")


def test_an_experiment_that_is_no_more_has_no_page(package, write, tmp_path):
    write()
    foreign = tmp_path / "out" / PACKAGE / "mine.html"
    foreign.write_text("<p>not of the Book")
    (package / "alpha/second.py").unlink()
    assert write().made == ("first", "third"), "its neighbours lead past it now"
    assert not (tmp_path / "out" / PACKAGE / "second.html").exists()
    assert foreign.exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (library.BROKEN, "RuntimeError: &lt;b&gt;no&lt;/b&gt;"),
        (library.QUITTING, "ends the program"),
        ("(", "SyntaxError"),
    ],
)
def test_an_experiment_that_cannot_be_read_has_a_page_that_says_so(package, write, tmp_path, text, said):
    (package / "alpha/second.py").write_text(text)
    written = write()
    assert written.made == ("first", "third") and written.broken == ("second",)
    assert said in (tmp_path / "out" / PACKAGE / "second.html").read_text()
    (package / "alpha/second.py").write_text(FILES["alpha/second.py"])
    assert "second" in write().made, "it is tried again"


def test_a_picture_that_fails_is_a_sentence_and_is_tried_again(package, write, tmp_path):
    failing = FILES["alpha/first.py"].replace("axes = figure.subplots()", "raise ValueError('no ink')")
    (package / "alpha/first.py").write_text(failing)
    write()
    assert "No figure: ValueError: no ink." in (tmp_path / "out" / PACKAGE / "first.html").read_text()
    assert write().made == ("first",)


def test_hostile_words_are_words(package, write, tmp_path):
    title = library.HOSTILE.replace('"', "")
    hostile = library.plain(title, title.replace("'", "").replace("\n", " "))
    (package / "alpha/first.py").write_text(hostile)
    machine = library.MACHINE | {"system": library.HOSTILE, "processor": {"model": library.HOSTILE}}
    ladder = library.result(PACKAGE, "first")
    object.__setattr__(ladder, "machine", machine)
    object.__setattr__(ladder, "notes", (library.HOSTILE,))
    assert write(ladder).made[0] == "first"
    assert "alert(1)" in (tmp_path / "out" / PACKAGE / "first.html").read_text()
    for page in (tmp_path / "out").rglob("*.html"):
        harmless(page.read_text())


def harmless(text):
    assert "<script>" not in text and "<img" not in text and "</style>" not in text


def test_an_unescaped_word_would_be_seen(package, write, tmp_path, monkeypatch):
    monkeypatch.setattr("exp_core.book.page.prose", __import__("markupsafe").Markup)
    test = library.plain(library.HOSTILE.replace('"', ""))
    (package / "alpha/first.py").write_text(test)
    write()
    with pytest.raises(AssertionError):
        harmless((tmp_path / "out" / PACKAGE / "first.html").read_text())


@pytest.mark.parametrize("name", ["..", "a b", "x'y", "é", "CON" * 40, "a<b>", "&amp;"])
def test_names_of_files_are_safe(package, write, tmp_path, name):
    (package / "alpha" / f"{name}.py").write_text(library.plain())
    pages = {path.relative_to(tmp_path / "out") for path in (write(), tmp_path / "out")[1].rglob("*.html")}
    assert len(pages) == 4 + 4
    assert all(re.fullmatch(r"[A-Za-z0-9_./-]{1,130}", str(page)) for page in pages)


def test_a_file_is_no_folder_and_another_folder_is_not_ours(package, write, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(BookError, match="is a file"):
        write(out=tmp_path / "file")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("mine")
    with pytest.raises(BookError, match="holds other things"):
        write(out=tmp_path / "full")
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["thesis.tex"]
    with pytest.raises(BookError, match="could not be written"):
        write(out=tmp_path / "file" / "below")


def test_a_disk_that_fills_leaves_the_pages_that_were_there(package, write, tmp_path, monkeypatch):
    write()
    before = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*.html")}
    (package / "alpha/second.py").write_text(FILES["alpha/second.py"] + "# changed\n")

    def full(*args, **keywords):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(BookError, match="No space left"):
        write()
    assert {path: path.read_bytes() for path in (tmp_path / "out").rglob("*.html")} == before
    assert not list((tmp_path / "out").rglob("*.part"))


CHILD = """
import os, sys
sys.path[:0] = {paths!r}
import library
from pathlib import Path
from exp_core.book import site
if {stop}:
    put, left = site.put, [{stop}]
    def counted(path, text):
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), 9)
        put(path, text)
    site.put = counted
site.write_book(Path({out!r}), library.contents({package!r}), library.history(Path({db!r})), {package!r})
"""


def start(tmp_path, stop=0):
    """A process that writes the Book, and is killed before it puts that file in its place."""
    paths = [str(Path(library.__file__).parent), str(tmp_path / "packages")]
    text = CHILD.format(paths=paths, stop=stop, out=str(tmp_path / "out"), package=PACKAGE, db=str(tmp_path / "no.db"))
    return subprocess.Popen([sys.executable, "-c", text])


@pytest.mark.parametrize(("stop", "kept"), [(5, 1), (8, 3)])  # after the mark, two assets, and a page or all
def test_a_kill_leaves_whole_pages_and_the_next_one_goes_on(package, write, tmp_path, stop, kept):
    assert start(tmp_path, stop).wait() == -9
    pages = list((tmp_path / "out").rglob("*.html"))
    assert all(page.read_text().endswith("</html>") for page in pages)
    written = write()
    assert len(written.made) + len(written.kept) == 3
    assert len(written.kept) == kept


def test_two_at_once_write_one_book(package, write, tmp_path):
    both = [start(tmp_path), start(tmp_path)]
    assert [process.wait() for process in both] == [0, 0]
    assert not list((tmp_path / "out").rglob("*.part"))
    assert write().made == ()


def test_pages_allow_nothing_that_comes_from_elsewhere(package, write, tmp_path):
    write(library.result(PACKAGE, "first"))
    for page in (tmp_path / "out").rglob("*.html"):
        text = page.read_text()
        assert "default-src 'none'" in text
        assert not re.search(r'<(?:script|link|img|iframe)[^>]*(?:src|href)="(?:https?:)?//', text)
        assert " style=" not in text and not re.search(r"\son\w+=", text), "the policy would refuse it"
