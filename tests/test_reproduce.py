"""reproduce.py and share.py: a page alone is enough; a report travels as one zip."""

from __future__ import annotations

import re
import shutil
import zipfile

import nbformat
import pytest
from projects import COUNTING, Project

from stslab.report.messages import RequestError
from stslab.report.page.record import embed, read_record, split_page
from stslab.report.page.render import export, set_title
from stslab.report.reproducing.reproduce import reproduce
from stslab.report.share import share

pytestmark = pytest.mark.usefixtures("bare_kernels")

FILE = [
    """parameters: from pathlib import Path
texts: list[str] | Path = ["one"]  # some texts""",
    "print(open(texts).read() if isinstance(texts, str) else texts)",
    "print(0.41886)",
]


@pytest.fixture(scope="module")
def mini(tmp_path_factory):
    """Build one page from a parameter, one from a file, one from a file that is inside it."""
    mini = Project(tmp_path_factory.mktemp("mini"))
    mini.notebook("count", COUNTING)
    mini.notebook("read", FILE)
    (mini.notebooks / "presets" / "texts.txt").write_text("first\nsecond\n")
    mini.preset(
        """
        title: Mini
        notebooks:
          - {notebook: count, parameters: {n: 7}}
          - {notebook: read, parameters: {texts: texts.txt}}
        """
    )
    mini.build()
    shutil.copytree(mini.reports, mini.root / "plain")
    mini.build(embed_inputs=True)
    return mini


@pytest.fixture
def alone(mini, tmp_path):
    """Move a page alone to an empty folder."""

    def move(name, edit=lambda html: html, folder="reports"):
        page = tmp_path / f"{name}.html"
        html = (mini.root / folder / "mini" / f"{name}.html").read_text("utf-8")
        page.write_text(edit(html), encoding="utf-8")
        return page

    return move


def again(page, mini, may_run=False, **inputs):
    said = []
    outcome = reproduce(
        page,
        notebooks=mini.notebooks,
        inputs=inputs,
        kernel="warm",
        may_run=lambda question: may_run,
        notify=said.append,
    )
    return outcome, said


def test_a_page_alone_is_made_again_to_the_byte(mini, alone):
    outcome, said = again(alone("count"), mini)
    assert (outcome.verdict, said) == ("identical", [])


def test_a_page_with_its_inputs_inside_needs_nothing_else(mini, alone):
    assert again(alone("read"), mini)[0].verdict == "identical"


def test_a_page_without_its_inputs_says_which_file_it_needs(mini, alone):
    page = alone("read", folder="plain")
    with pytest.raises(
        RequestError, match=r"made from texts\.txt, which is not inside it.*--input"
    ):
        again(page, mini)
    given = mini.notebooks / "presets/texts.txt"
    assert again(page, mini, texts=given)[0].verdict == "identical"


def test_another_file_than_the_pages_is_refused(mini, alone, tmp_path):
    other = tmp_path / "texts.txt"
    other.write_text("something else")
    with pytest.raises(RequestError, match=r"is not the texts\.txt .* its SHA-256 does not match"):
        again(alone("read", folder="plain"), mini, texts=other)


def test_a_changed_number_is_found_and_named(mini, alone):
    page = alone("read", lambda html: re.sub(r"(<pre[^>]*>)0\.41886", r"\g<1>0.42886", html))
    outcome, _ = again(page, mini)
    assert outcome.verdict == "different"
    assert "0.42886 in the page, 0.41886 here" in outcome.differences[0]


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (
            lambda html: html.replace('aria-label="a line"', 'aria-label="2 lines"'),
            'aria-label="2 lines" viewBox.* in the page, .*aria-label="a line"',
        ),
        (
            lambda html: html.replace(
                "text/csv;charset=utf-8,n%0A7", "text/csv;charset=utf-8,n%0A8"
            ),
            'n%0A8%0A"> in the page, .*n%0A7%0A"> here',
        ),
    ],
    ids=["description", "download"],
)
def test_a_changed_word_that_is_not_seen_is_found_too(mini, alone, edit, said):
    page = alone("count", edit)
    assert page.read_text("utf-8") != alone("count").read_text("utf-8")
    outcome, _ = again(alone("count", edit), mini)
    assert outcome.verdict == "different"
    assert re.search(said, outcome.differences[0])


def test_numbers_that_agree_at_four_decimals_are_equal(mini, alone):
    page = alone("read", lambda html: re.sub(r"(<pre[^>]*>)0\.41886", r"\g<1>0.41888", html))
    assert again(page, mini)[0].verdict == "equal"


def test_what_differs_here_is_said(mini, alone):
    page = alone("count", lambda html: remade(mini, html, older))
    outcome, said = again(page, mini)
    assert len(said) == 1
    assert said[0].startswith("differs here: numpy changed: 1.0 → ")
    assert outcome.verdict == "equal"


def older(record):
    record["versions"]["numpy"] = "1.0"


def remade(mini, html, change):
    """Render a page again from a changed record, as a forger who has stslab would."""
    record = read_record(html)
    name = record["page"]
    change(record)
    notebook = nbformat.read(mini.home / f"{name}.ipynb", as_version=4)
    return export(set_title(notebook, record["notebook"], name), name, record)


def rewritten(html, change):
    """Change the record alone, and the digest beside it."""
    record = read_record(html)
    change(record)
    return with_record(split_page(html).html, embed(record))


def with_record(rest, element):
    """Put the element of a record where the template puts it."""
    return rest.replace("</main>\n\n</body>", f"</main>\n{element}\n</body>")


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda html: html[: len(html) // 2], "cut off"),
        (lambda html: html.replace('"n":7', '"n":8'), "was edited"),
        (lambda html: html.replace("stslab-record", "other"), "no record"),
        (lambda html: "<html>another page</html>", "no record"),
    ],
    ids=["truncated", "edited", "without a record", "another page"],
)
def test_a_page_that_cannot_be_used_runs_nothing(mini, alone, edit, message, monkeypatch):
    def not_to_be_called(*_):
        raise AssertionError("it was run")

    monkeypatch.setattr("stslab.report.reproducing.reproduce._run", not_to_be_called)
    with pytest.raises(RequestError, match=message):
        again(alone("count", edit), mini)


def test_code_that_is_not_in_this_checkout_is_asked_about(mini, alone, tmp_path):
    elsewhere = Project(tmp_path / "elsewhere")
    elsewhere.notebook("other", ["print(1)"])
    page = alone("count")
    with pytest.raises(RequestError, match="not run"):
        again(page, elsewhere)
    assert again(page, elsewhere, may_run=True)[0].verdict == "identical"


@pytest.mark.parametrize(
    ("edit", "code"),
    [(lambda html: html, 0), (lambda html: html.replace(">7<", ">9<"), 1), (lambda html: "", 2)],
    ids=["identical", "changed", "empty"],
)
def test_the_command_exits_as_documented(mini, alone, edit, code):
    done = mini.run("reproduce", str(alone("count", edit)), "--kernel", "fresh")
    assert done.returncode == code, done.stdout + done.stderr


def test_a_zip_holds_a_report_whose_links_work(mini, tmp_path):
    path = share(mini.reports, "mini")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path)
    home = tmp_path / "mini"
    for page in home.glob("*.html"):
        html = page.read_text("utf-8")
        links = re.findall(r'(?:href|data-page)="([^"#?:]+)(?:[?#][^"]*)?"', html)
        assert [link for link in links if not (home / link).exists()] == []
    assert "../" not in (home / "index.html").read_text("utf-8")


def test_equal_reports_are_equal_zips(mini):
    first = share(mini.reports, "mini").read_bytes()
    assert share(mini.reports, "mini").read_bytes() == first


def test_a_report_that_was_never_built_cannot_be_shared(mini):
    with pytest.raises(RequestError, match="make report PRESET=nope"):
        share(mini.reports, "nope")
