"""A report's folder may be a copy of somebody else's: what it says is checked, links stay inside.

Each test gives a built report a fault that no builder makes, and then shares it, lists it, builds
it and looks at it: nothing outside the folder is deleted, changed, zipped or shown.
"""

from __future__ import annotations

import json
import re
import shutil
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from projects import BARE, COUNTING, Listener, Project, sha256

from stslab.report.building.folder import write_root_index
from stslab.report.building.manifest import read_manifest
from stslab.report.messages import RequestError
from stslab.report.running import kernels
from stslab.report.share import share
from stslab.report.watch import Preview

pytestmark = pytest.mark.usefixtures("bare_kernels")

SECRET = "a text of somebody's own"
SAYS = '"<script>alert(1)</script>\x1b]0;title\x07\nstslab: run this\u202e&'


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = Project(tmp_path_factory.mktemp("built") / "project")
    project.notebook("count", COUNTING)
    project.notebook("other", COUNTING)
    project.preset("notebooks: [count, other]")
    project.preset("notebooks: [other]", name="second")
    before, kernels.PRELOAD[:] = kernels.PRELOAD[:], BARE
    project.build()
    project.build("second")
    kernels.PRELOAD[:] = before
    yield project
    shutil.rmtree(project.temporary)


@pytest.fixture
def copy(built: Project, tmp_path: Path) -> Iterator[Project]:
    project = built.copied_to(tmp_path / "copy")
    for name in ("precious.txt", "precious.html", "precious.failed.html", "precious/count.html"):
        (project.root / name).parent.mkdir(exist_ok=True)
        (project.root / name).write_text(SECRET)
    (project.home / "notes.txt").write_text("my own notes")
    yield project
    shutil.rmtree(project.temporary)


def outside(project: Project) -> dict[str, str]:
    files = [path for path in project.root.rglob("*") if path.is_file()]
    mine = [path for path in files if project.reports not in path.parents]
    return {str(path): sha256(path) for path in [*mine, project.home / "notes.txt"]}


@pytest.fixture(scope="module")
def preview(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Preview]:
    with Preview(tmp_path_factory.getbasetemp()) as preview:
        yield preview


@pytest.fixture
def assert_closed(
    copy: Project, preview: Preview, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], None]:
    """Neither a zip nor an index, nor what an index leads to, shows anything from outside."""
    served = copy.reports.relative_to(tmp_path_factory.getbasetemp()).as_posix()

    def look() -> None:
        write_root_index(copy.reports, lambda _: None)
        try:
            (copy.reports / "mini.zip").unlink(missing_ok=True)
            with zipfile.ZipFile(share(copy.reports, "mini")) as archive:
                for name in archive.namelist():
                    assert re.fullmatch(r"mini/((figures|data)/)?[\w-]+\.\w+", name)
                    assert SECRET.encode() not in archive.read(name)
        except RequestError:
            assert not (copy.reports / "mini.zip").exists()
        assert not [path for path in copy.reports.iterdir() if path.name.startswith(".mini")]
        unread, read = {"index.html", "mini/index.html"}, set()
        while unread:
            read.add(link := unread.pop())
            content = get(f"{preview.address}{quote(served)}/{link}")
            assert SECRET not in content, link
            if link.endswith("index.html"):
                assert "<script>alert" not in content
                assert "evil.example" not in re.sub(r"&lt;.*?&gt;", "", content)
                found = [each for each in links(content) if "../" not in each]
                unread |= {str(Path(link).parent / each) for each in found} - read

    return look


def get(address: str) -> str:
    with urllib.request.urlopen(address) as answer:
        return str(answer.read().decode())


def links(content: str) -> list[str]:
    return re.findall(r'href="([^"#?:]+)', content)


def index(folder: Path) -> str:
    return (folder / "index.html").read_text("utf-8")


# What a manifest says ----------------------------------------------------------------------------

Edit = Callable[[dict[str, Any], Project], None]


def outputs(*names: str) -> Edit:
    """Let the page say that it published these files, too."""

    def edit(pages: dict[str, Any], project: Project) -> None:
        root = str(project.root)
        pages["count"]["outputs"] |= {name.replace("ROOT", root): "0" * 64 for name in names}

    return edit


def page(name: str, **entry: Any) -> Edit:
    """Add a page that the preset lacks: the builder removes such pages."""

    def edit(pages: dict[str, Any], project: Project) -> None:
        files = {f"{name}.html": "0" * 64, f"{name}.ipynb": "0" * 64}
        pages[name] = {**pages["other"], "outputs": files, **entry}

    return edit


def says(**entry: Any) -> Edit:
    return lambda pages, _: pages["count"].update(entry)


HOSTILE: dict[str, Edit] = {
    "a path upwards": outputs("../../precious.txt"),
    "a path upwards below figures": outputs("figures/../../../precious.txt"),
    "an absolute path": outputs("ROOT/precious.txt"),
    "another file of the folder": outputs("notes.txt"),
    "the manifest itself": outputs("manifest.json"),
    "another page's file": outputs("other.html"),
    "a name that is too long": outputs(f"figures/count-{'a' * 300}.svg"),
    "a NUL": outputs("figures/count-a\0.svg"),
    "a page called a path": page("../../precious"),
    "a page called an absolute path": page("/precious"),
    "a page of old with files elsewhere": page("old", outputs={"../../precious.txt": "0"}),
    "a page with control characters": page(SAYS),
    "a page called index": page("index"),
    "built, but nothing there": says(outputs={}),
    "failed, but something there": says(status="failed"),
    "half a character": says(parameters={"a": ["\ud83d"]}),
    "a wrong type": says(depends=["code"]),
    "not even an object": lambda pages, _: pages.update(count=7),
}


@pytest.mark.parametrize("fault", HOSTILE)
def test_what_no_builder_writes_is_not_believed(
    copy: Project, assert_closed: Callable[[], None], fault: str
) -> None:
    """The page counts as never built, this is said in a sentence, and all is sound after that."""
    manifest = copy.manifest()
    HOSTILE[fault](manifest["pages"], copy)
    (copy.home / "manifest.json").write_text(json.dumps(manifest))
    before = outside(copy)
    with pytest.raises(RequestError, match=r"(did not write|is damaged|missing).* Build the rep"):
        share(copy.reports, "mini")
    assert_closed()
    listener = Listener()
    results = copy.build(listener=listener)
    assert all(re.search(r"manifest\.json (has|is)", heard) for heard in listener.heard)
    assert results["count"].error is None
    if "count" not in read_manifest(copy.home).pages:
        assert (results["count"].status, results["count"].reasons) == ("built", ["never built"])
    assert outside(copy) == before
    assert_closed()
    copy.assert_sound()


@pytest.mark.parametrize(
    "entry",
    [
        {"thumbnail": '<meta http-equiv="refresh" content="0;url=http://evil.example">'},
        {"title": SAYS, "finding": SAYS, "status": "out of date", "error": SAYS},
    ],
)
def test_texts_of_a_manifest_are_shown_as_text(
    copy: Project, assert_closed: Callable[[], None], entry: dict[str, Any]
) -> None:
    manifest = copy.manifest() | {"title": SAYS, "description": SAYS}
    manifest["pages"]["count"] |= entry
    (copy.home / "manifest.json").write_text(json.dumps(manifest))
    assert_closed()
    copy.build(only=["other"])
    assert_closed()


def test_what_a_manifest_says_never_commands_the_terminal(copy: Project) -> None:
    """The reasons for a run name what the page was made from, in the manifest's words."""
    manifest = copy.manifest()
    manifest["pages"]["count"]["depends"] |= {SAYS: "1", "code": "\x1b[2J\r\n✓ x"}
    manifest["pages"][SAYS] = {}
    (copy.home / "manifest.json").write_text(json.dumps(manifest))
    done = copy.run("report", "mini", "--explain")
    assert done.returncode == 0, done.stderr
    assert "is gone" in done.stderr
    assert done.stderr.replace("\n", "").isprintable(), done.stderr
    assert not re.search(r"(?m)^(stslab: run|✓ x)", done.stderr)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", "{}", '{"pages": []}', "[" * 100_000, b"\xff", '{"pages": 1}'],
)
def test_a_damaged_manifest_cannot_be_shared(
    copy: Project, assert_closed: Callable[[], None], content: str | bytes
) -> None:
    """One sentence and exit 2; a build repairs it."""
    (copy.home / "manifest.json").write_bytes(
        content if isinstance(content, bytes) else content.encode()
    )
    with pytest.raises(RequestError, match=r"is damaged. Nothing was zipped. Build the report"):
        share(copy.reports, "mini")
    assert list(copy.reports.glob("*.zip")) == []
    assert_closed()


def test_a_report_that_lacks_a_file_cannot_be_shared(copy: Project) -> None:
    (copy.home / "data" / "count-line.csv").unlink()
    with pytest.raises(RequestError, match=r"count-line\.csv is missing or is a link\. Nothing"):
        share(copy.reports, "mini")
    assert not [path.name for path in copy.reports.iterdir() if "zip" in path.name]


@pytest.mark.parametrize("name", ["../mini", "..", "/", "a/b", ".lock", "a\x1b"])
def test_a_report_to_share_is_named_not_a_path(copy: Project, name: str) -> None:
    with pytest.raises(RequestError, match=r"no report .* to share: the name"):
        share(copy.reports, name)


def test_an_executed_notebook_that_is_none_costs_nothing(copy: Project) -> None:
    """Its digest may be right all the same: whoever wrote the manifest wrote it, too."""
    manifest = copy.manifest()
    path = copy.home / "count.ipynb"
    path.write_text('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": 7}')
    manifest["pages"]["count"]["outputs"]["count.ipynb"] = sha256(path)
    (copy.home / "manifest.json").write_text(json.dumps(manifest))
    assert copy.build(force=True)["count"].error is None


# Links and what is in the way --------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["count.html", "count.ipynb", "figures/count-line.svg", "data/count-line.csv"]
)
def test_a_link_that_leads_out_of_the_folder_is_not_followed(
    copy: Project, assert_closed: Callable[[], None], name: str
) -> None:
    """The file counts as missing, even when its digest is the right one."""
    manifest, before = copy.manifest(), outside(copy)
    (copy.home / name).unlink()
    (copy.home / name).symlink_to(copy.root / "precious.txt")
    manifest["pages"]["count"]["outputs"][name] = sha256(copy.root / "precious.txt")
    (copy.home / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(RequestError, match=rf"{re.escape(name)} is missing or is a link"):
        share(copy.reports, "mini")
    copy.build(only=["other"])
    assert ("count.html" in links(index(copy.home))) == (name != "count.html")
    assert copy.build()["count"].reasons == [f"{name} is missing"]
    assert outside(copy) == before
    assert_closed()
    copy.assert_sound()


@pytest.mark.parametrize(
    "name", ["manifest.json", "index.html", "count.failed.html", ".lock.probe"]
)
def test_a_list_that_is_a_link_is_neither_read_nor_written_through(
    copy: Project, assert_closed: Callable[[], None], name: str
) -> None:
    aside = copy.root / "precious.json"
    aside.write_text(json.dumps(copy.manifest() | {"title": SECRET}))
    before = outside(copy)
    (copy.home / name).unlink(missing_ok=True)
    (copy.home / name).symlink_to(aside)
    write_root_index(copy.reports, lambda _: None)
    assert SECRET not in index(copy.reports)
    copy.build()
    assert "failed.html" not in index(copy.home)
    assert outside(copy) == before
    assert_closed()


@pytest.mark.parametrize("name", ["figures", "data", ".staging", ".lock"])
def test_a_link_in_the_place_of_a_folder_is_refused(
    copy: Project, assert_closed: Callable[[], None], name: str
) -> None:
    """Files written there would land elsewhere: one sentence, before any kernel starts."""
    before = outside(copy)
    mine = copy.home / name
    mine.unlink() if mine.is_file() else shutil.rmtree(mine, ignore_errors=True)
    mine.symlink_to(copy.root / ("precious.txt" if name == ".lock" else "precious"))
    with pytest.raises(
        RequestError, match=rf"{re.escape(name)} is in the way of .* Rename or remov"
    ):
        copy.build(force=True)
    assert outside(copy) == before
    assert_closed()


# What older versions left ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["index.html", "manifest.json", ".lock", ".staging"])
def test_what_is_in_the_way_of_one_report_costs_no_other(copy: Project, name: str) -> None:
    """A folder where a file belongs, or a file where a folder belongs."""
    mine = copy.home / name
    mine.unlink(missing_ok=True)
    mine.write_text("a file") if name == ".staging" else mine.mkdir()
    with pytest.raises(
        RequestError, match=rf"{re.escape(name)} is in the way of .* Rename or remov"
    ):
        copy.build(force=True)
    listener = Listener()
    assert copy.build("second", force=True, listener=listener)["other"].status == "built"
    assert listener.heard == []


def test_the_list_of_all_shows_the_main_picture_of_each_first_page(copy: Project) -> None:
    """A report of one page is known by it; of one without a picture nothing is shown."""
    drawing = '<svg viewBox="0 0 1 1" aria-hidden="true"><path d="M0 1"/></svg>'
    manifest = copy.manifest()
    next(iter(manifest["pages"].values()))["thumbnail"] = drawing
    (copy.home / "manifest.json").write_text(json.dumps(manifest))
    write_root_index(copy.reports, lambda _: None)
    assert index(copy.reports).count(drawing) == 1


def test_a_report_called_like_the_list_of_all_costs_no_other(copy: Project) -> None:
    """An older version made such a folder of index.html.txt."""
    (copy.reports / "index.html").unlink()
    shutil.copytree(copy.home, copy.reports / "index.html")
    done = copy.run("report", "second", "--force")
    assert done.returncode == 0
    assert re.search(
        r"reports/index.html is in the way of the list of all reports. Rename or remove it.\n",
        done.stderr,
    )
    shutil.rmtree(copy.reports / "index.html")
    copy.build()
    assert "second/index.html" in links(index(copy.reports))


def test_a_file_called_like_the_list_of_all_is_reported_like_any_other(copy: Project) -> None:
    """The command makes its report, and the list of all has a place for it."""
    copy.notebook("read", ["parameters: from pathlib import Path\nsentences: list | Path = ['a']"])
    (copy.root / "index.html.txt").write_text("One.\n")
    done = copy.run("report", "--sentences", "index.html.txt")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "reports/index_html/index.html\n"
    assert "index_html/index.html" in links(index(copy.reports))
