"""Requests for reports of one's own files: nothing lost, nothing ignored."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from dataclasses import fields
from itertools import pairwise, permutations
from pathlib import Path
from typing import Any

import pytest
from projects import REQUESTS, Listener, Project
from test_make import params_of

from stslab.cli.request import Request, read_request
from stslab.report.building.build import Result, build
from stslab.report.messages import RequestError
from stslab.report.request.presets import Preset

pytestmark = [pytest.mark.usefixtures("bare_kernels"), pytest.mark.thorough]


@pytest.fixture
def mine(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The reports of each kind, and a lesson; the tests work in the project's folder."""
    monkeypatch.chdir(project.root)
    project.home = project.reports / "my"
    return project.with_reports()


def asked(*arguments: str, **variables: str) -> Preset:
    """Make the request, as the command does; `variables` are what make was given."""
    environment = {f"STSLAB_REQUEST_{name}": text for name, text in variables.items()}
    params = params_of("report", list(arguments), environment)
    request = Request(**{field.name: params[field.name] for field in fields(Request)})
    return read_request(request)


def made(project: Project, preset: Preset, **how: Any) -> dict[str, Result]:
    how = {"listener": Listener(), "kernel": "warm", "jobs": 2, **how}
    results = build(preset, reports=Path("reports"), root=project.root, **how)
    assert {each.name: each.error for each in results if each.error} == {}
    return {each.name: each for each in results}


def refused(*arguments: str, **variables: str) -> str:
    with pytest.raises(RequestError) as caught:
        asked(*arguments, **variables)
    return str(caught.value)


def circuit(kinds: list[str]) -> list[str]:
    """Walk every ordered pair of kinds once, by Hierholzer's way."""
    left = {kind: [other for other in kinds if other != kind] for kind in kinds}
    walk, stack = [], [kinds[0]]
    while stack:
        if left[stack[-1]]:
            stack.append(left[stack[-1]].pop())
        else:
            walk.append(stack.pop())
    assert {*pairwise(walk)} == {*permutations(kinds, 2)}
    return walk


# Which notebooks ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", REQUESTS)
def test_a_file_is_answered_by_one_report(mine: Project, kind: str) -> None:
    assert [job.name for job in asked(*REQUESTS[kind]).jobs] == [f"report_{kind}"]


def test_lessons_take_a_file_where_only_names_them(mine: Project) -> None:
    """A number, a part of a name, and a report beside them."""
    for only in ("8", "08", "heat", "08_heatmap.ipynb"):
        jobs = asked("--sentences", "my.csv", "--only", only).jobs
        assert [job.name for job in jobs] == ["08_heatmap"]
    both = asked("--sentences", "my.csv", "--only", "8 report_sentences")
    assert [job.name for job in both.jobs] == ["report_sentences", "08_heatmap"]


def test_several_files_are_answered_by_the_reports_that_share_them(mine: Project) -> None:
    """One that takes them all comes first; a file that no report takes goes to all takers."""
    two = ["--sentences", "my.csv", "--pairs", "my.csv"]
    assert [job.name for job in asked(*two).jobs] == ["report_pairs", "report_sentences"]
    cell = "parameters: from pathlib import Path\nsentences: list[str] | Path = ['a']\n"
    mine.notebook("report_both", [f"{cell}pairs: list[str] | Path = ['a']"], report=True)
    assert [job.name for job in asked(*two).jobs] == ["report_both"]
    mine.notebook("09_more", [f"{cell}others: list[str] | Path = ['a']"])
    names = [job.name for job in asked("--sentences", "my.csv", "--others", "my.csv").jobs]
    assert names == ["report_sentences", "08_heatmap", "09_more"]


def test_a_preset_without_a_list_builds_the_lessons(mine: Project) -> None:
    mine.preset("title: All")
    assert [job.name for job in asked("mini").jobs] == ["08_heatmap"]


# Nothing is lost ---------------------------------------------------------------------------------


def test_no_request_takes_away_the_pages_of_another(mine: Project) -> None:
    """After each ordered pair of requests on one file, all pages are there, and none was remade."""
    seen: dict[str, bytes] = {}
    for kind in circuit(list(REQUESTS)):
        title = ["--title", f"About {kind}"]
        (result,) = made(mine, asked(*REQUESTS[kind], *title)).values()
        page = f"report_{kind}.html"
        assert result.status == ("unchanged" if page in seen else "built")
        seen[page] = seen.get(page) or (mine.home / page).read_bytes()
        assert {name: (mine.home / name).read_bytes() for name in seen} == seen
        index = (mine.home / "index.html").read_text("utf-8")
        assert f"<h1><bdi>About {kind}</bdi></h1>" in index
        assert re.findall(r'<h2><a href="([^"?]+)', index) == [page, *sorted(seen.keys() - {page})]
    assert len(seen) == 5
    mine.assert_sound()


def test_a_report_page_stands_by_itself(mine: Project) -> None:
    """It has no neighbours; lessons beside it have theirs, and no report among them."""
    made(mine, asked("--sentences", "my.csv", "--only", "8 report_sentences"))
    page = (mine.home / "report_sentences.html").read_text("utf-8")
    assert "rel=" not in page.partition("<body")[2]
    record = json.loads(re.findall(r'id="stslab-record"[^>]*>(.*?)</script>', page)[0])
    assert record["around"] == {
        "preset": {"name": "my", "title": "my"},
        "index_href": "index.html",
        "pages": [],
    }
    assert "report_sentences.html" not in (mine.home / "08_heatmap.html").read_text("utf-8")


def test_what_no_longer_belongs_is_named_and_removed_only_when_asked(mine: Project) -> None:
    """A page of a preset's former entry, and one of a file whose notebook is gone."""
    mine.preset("notebooks: [08, {notebook: 08, name: b}]")
    made(mine, asked("mini"))
    mine.preset("notebooks: [08]")
    heard = Listener()
    made(mine, asked("mini"), listener=heard)
    said = "1 page no longer belongs to 'mini': b. To remove it, add PRUNE=1 (or --prune)."
    assert heard.heard == [said]
    folder = mine.reports / "mini"
    assert (folder / "b.html").is_file()
    assert "b.html" in (folder / "index.html").read_text("utf-8")
    made(mine, asked("mini"), listener=heard, prune=True)
    assert heard.heard == [said]
    assert not list(folder.glob("**/b*"))
    assert "b.html" not in (folder / "index.html").read_text("utf-8")

    made(mine, asked(*REQUESTS["pairs"]))
    made(mine, asked(*REQUESTS["sentences"]))
    (mine.notebooks / "report_pairs.ipynb").unlink()
    done = mine.run("report", *REQUESTS["sentences"])
    assert "1 page no longer belongs to 'my': report_pairs." in done.stderr
    done = mine.run("report", *REQUESTS["sentences"], "--prune")
    assert (done.returncode, "belongs" in done.stderr) == (0, False)
    assert [page.stem for page in mine.home.glob("r*.html")] == ["report_sentences"]


# Nothing is ignored ------------------------------------------------------------------------------


def test_a_variable_that_nothing_takes_is_refused(mine: Project) -> None:
    said = "SENTENCE=…: make report takes no such variable. Did you mean 'SENTENCES'?"
    assert refused(SENTENCE="my.csv") == said
    assert refused(SENTENCE="") == said
    assert "Did you mean 'SENTENCES'?" in refused(sentences="my.csv")
    assert "COLOUR=…: make report takes no such variable. Choose from" in refused(COLOUR="red")


def test_a_variable_sets_the_parameter_of_its_name(mine: Project) -> None:
    (job,) = asked(SENTENCES="my.csv", EMPTY="drop", COLUMN="text", SHEET="", TOP_K="").jobs
    assert job.parameters == {"empty": "drop", "columns": "text"}
    (job,) = asked(CORPUS="my.csv", QUERY="12", TOP_K="5").jobs
    assert job.parameters == {"queries": ["12"], "top_k": 5}
    said = refused(SENTENCES="my.csv", EMPTY="dropp")
    assert said.startswith("EMPTY='dropp': parameter 'empty' of report_sentences: 'dropp' is not")
    assert said.endswith("Did you mean 'drop'?")
    said = refused(SENTENCES="my.csv", TOP_K="5")
    assert said.startswith("TOP_K='5': unknown parameter 'top_k' for report_sentences.")


def test_a_preset_together_with_a_file_is_refused(mine: Project) -> None:
    for preset in ("tutorial", "nosuch"):
        said = refused(preset, "--sentences", "my.csv")
        assert said.startswith(f"PRESET={preset} and SENTENCES=my.csv: a preset brings its own")
        assert 'ARGS="-p sentences=my.csv" (or -p sentences=my.csv)' in said
    (job,) = asked("tutorial", "-p", "sentences=my.csv").jobs
    assert job.inputs == {"sentences": mine.root / "my.csv"}


def test_what_goes_with_a_file_is_refused_without_it(mine: Project) -> None:
    assert refused(QUERY="Why?") == (
        'QUERY="…" (or --query "…"), or QUERIES=FILE (or --queries FILE) goes with a file, and '
        "none is given. Add CORPUS=FILE (or --corpus FILE)."
    )
    assert "Add CANDIDATES=FILE (or --candidates FILE)." in refused("--reference", "Why?")
    assert "Add SENTENCES=FILE (or --sentences FILE), or the like" in refused(COLUMN="text")
    said = refused("--corpus", "my.csv")
    assert "report_search needs queries to go with your corpus. Add QUERY=" in said


def test_queries_are_texts_or_a_file_of_them(mine: Project) -> None:
    """The file of queries never names the report."""
    (mine.root / "asked.txt").write_text("Why?\nHow?\n")
    preset = asked(QUERIES="asked.txt", CORPUS="my.csv")
    assert preset.name == "my"
    assert preset.jobs[0].inputs["queries"] == mine.root / "asked.txt"
    (job,) = asked("--query", "Why?", "--query", "How?", "--corpus", "my.csv").jobs
    assert job.parameters["queries"] == ["Why?", "How?"]
    said = refused(QUERIES="asked.txt", QUERY="Why?", CORPUS="my.csv")
    assert said.startswith("QUERY and QUERIES (or --query and --queries): give the texts, or")


def test_a_column_is_refused_by_a_notebook_that_takes_none(mine: Project) -> None:
    said = refused("--sentences", "my.csv", "--only", "8 report_sentences", COLUMN="text")
    assert said.startswith("COLUMN='text' (or --column): 08_heatmap takes no columns, and")
    assert said in refused("--sentences", "my.csv", "--only", "8", COLUMN="text")
    assert "report_sentences" in said
    mine.preset("columns: [text]\nsheet: May\nnotebooks: [report_sentences]")
    (job,) = asked("mini").jobs
    assert job.parameters == {"columns": "text", "sheet": "May"}
    mine.preset("title: x\ncolumns: text\nnotebooks: [08]")
    assert refused("mini").startswith("preset 'mini.yaml', line 2: unknown parameter 'columns'")


def test_a_part_of_a_name_that_could_be_several_lists_them(mine: Project) -> None:
    mine.preset("notebooks: [report_sentences, report_pairs]")
    said = refused("mini", "--only", "report")
    assert said == (
        "ONLY (or --only): no page 'report' to choose. Choose from: report_sentences, report_pairs."
    )
    for part in ("8", "heat", "08_heatmap.ipynb"):
        assert "reorder" in mine.run("params", part).stdout
    assert "Choose from: report_pairs, report_ranking" in mine.run("params", "report").stderr


# Files, read before a kernel starts --------------------------------------------------------------

TICKETS = (
    "Nr.;Betreff / Kurztext;Antwort, kurz;Stand\n1;Gerät läuft nicht;Bitte neu starten;offen\n"
)


def unreadable(project: Project, *arguments: str) -> str:
    """Ask the command for what it refuses; nothing is run and no page is made."""
    done = project.run("report", *arguments)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert done.stderr.startswith("stslab: ")
    assert not list(project.reports.glob("*/*"))
    return done.stderr


def test_a_file_that_cannot_be_used_is_one_message_and_no_page(mine: Project) -> None:
    """Semicolons, a comma in a header, names that nobody could guess, Windows-1252."""
    (mine.root / "tickets.csv").write_bytes(TICKETS.encode("cp1252"))
    said = unreadable(mine, "--sentences", "tickets.csv", "--pairs", "tickets.csv")
    assert said.count("tickets.csv: several columns may hold the texts") == 1
    assert "“Betreff / Kurztext” (such as" in said
    assert "“Antwort, kurz” (such as" in said
    said = unreadable(mine, "--sentences", "tickets.csv", "--column", "Betreff")
    assert "tickets.csv: no column is called 'Betreff'." in said
    assert 'COLUMN="Betreff / Kurztext" with make, --column "Betreff / Kurztext" without' in said
    said = unreadable(mine, "--sentences", "tickets.csv", "--sheet", "Mai")
    assert "tickets.csv: it has no sheets, so none is called 'Mai'" in said
    (mine.root / "faq.csv").write_text("question,faq\nWho are you?,We are bakers.\n")
    said = unreadable(mine, "--rated-pairs", "faq.csv", "--column", "question, faq")
    assert "faq.csv, columns ['sentence_a', 'sentence_b']: no human score" in said
    (mine.root / "asked.csv").write_text("a,b\n1,2\n")
    corpus = ["--corpus", "my.csv", "--column", "text"]
    assert "asked.csv: no column seems to hold" in unreadable(
        mine, *corpus, "--queries", "asked.csv"
    )
    for asked in (
        ["--sentences", "tickets.csv", "--column", "Betreff / Kurztext"],
        ["--pairs", "tickets.csv"],
        ["--pairs", "faq.csv"],
    ):
        done = mine.run("report", *asked)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("kind", REQUESTS)
def test_a_new_preset_asks_for_the_same_as_its_files(mine: Project, kind: str) -> None:
    """Also for a corpus with queries and candidates with a reference; the title is as typed."""
    done = mine.run("new", "myTickets2", *REQUESTS[kind])
    assert done.returncode == 0, done.stderr
    preset = asked("myTickets2")
    assert preset.title == "myTickets2"
    ((job,), (same,)) = preset.jobs, asked(*REQUESTS[kind]).jobs
    assert (job.notebook, job.parameters) == (same.notebook, same.parameters)
    assert {n: path.resolve() for n, path in job.inputs.items()} == same.inputs
    if kind == "sentences":
        written = (mine.notebooks / "presets" / "myTickets2.yaml").read_text("utf-8")
        assert 'columns: "text"\n' in written
        assert "  # - notebook: 08_heatmap\n" in written


def test_a_new_preset_that_could_not_be_built_is_not_written(mine: Project) -> None:
    said = mine.run("new", "tickets", "--sentences", "my.csv", "--column", "Frage").stderr
    assert "my.csv: no column is called 'Frage'. Its columns: “text”" in said
    assert "needs queries" in mine.run("new", "tickets", "--corpus", "my.csv").stderr
    assert "'none.csv' does not exist" in mine.run("new", "t", "--pairs", "none.csv").stderr
    assert [path.stem for path in mine.notebooks.glob("presets/*")] == ["tutorial"]


def test_what_is_unchanged_is_not_read_again(mine: Project) -> None:
    made(mine, asked(*REQUESTS["sentences"]))
    code = "import sys\nfrom stslab.cli import main\ntry:\n    main()\nfinally:\n"
    code += "    print('pandas' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code, "report", *REQUESTS["sentences"]],
        cwd=mine.root,
        env=mine.environment(),
        capture_output=True,
        text=True,
    )
    assert "report_sentences  unchanged" in done.stderr
    assert done.stdout.endswith("False\n")


# Saying -----------------------------------------------------------------------------------------


def test_the_console_says_what_a_page_says_first(mine: Project) -> None:
    """Its finding and the cautions, whether it was built or not; nothing when quiet."""
    told = "    Of pairs: “fine”.\n    ! One <is>\\x1b[2J odd.\n"
    for became in ("✓ report_pairs  built", "· report_pairs  unchanged"):
        said = mine.run("report", *REQUESTS["pairs"], "--kernel", "fresh").stderr
        read = "Read from my.csv: columns “sentence_a”, “sentence_b” and “gold”, 2 rows.\n"
        assert re.fullmatch(rf"(?:{read})?{became}[^\n]*\n{re.escape(told)}", said)
    assert mine.run("report", *REQUESTS["pairs"], "--quiet").stderr == ""


def test_the_list_of_all_reports_says_what_an_only_page_says(mine: Project) -> None:
    made(mine, asked(*REQUESTS["pairs"], "--title", "My <survey>"))
    index = (mine.reports / "index.html").read_text("utf-8")
    shown = ("My &lt;survey&gt;", "2 rows", "Of pairs: “fine”.", "One &lt;is&gt;", "Built")
    assert [text for text in shown if text not in index] == []
    made(mine, asked(*REQUESTS["sentences"]))
    assert ">2 pages<" in (mine.reports / "index.html").read_text("utf-8")


def test_a_page_that_was_never_built_is_failed(mine: Project) -> None:
    """In both lists, with the error; one that was built once is out of date."""
    mine.notebook("bad", ["raise ValueError('no <texts>')"])
    mine.preset("notebooks: [bad]")
    assert mine.run("report", "mini", "--kernel", "fresh").returncode == 1
    for index in (mine.reports / "index.html", mine.reports / "mini" / "index.html"):
        text = index.read_text("utf-8")
        assert "Failed: ValueError: no &lt;texts&gt;" in text
        assert "ut of date" not in text
    assert ">1 page, failed<" in (mine.reports / "index.html").read_text("utf-8")
    mine.preset("notebooks: [bad, {notebook: bad, name: b}, 08]")
    assert mine.run("report", "mini", "--kernel", "fresh").returncode == 1
    mine.edit("08_heatmap", "print(sentences)", "1 / 0")
    assert mine.run("report", "mini", "--kernel", "fresh").returncode == 1
    index = (mine.reports / "index.html").read_text("utf-8")
    assert ">3 pages, 2 failed, 1 out of date<" in index


# Sending -----------------------------------------------------------------------------------------


def zipped(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def test_what_is_shared_is_what_was_asked(mine: Project) -> None:
    """One page is all there is to open; of several there is a list to start from."""
    made(mine, asked(*REQUESTS["pairs"]))
    done = mine.run("share", *REQUESTS["sentences"])
    assert (done.returncode, done.stdout) == (0, "reports/my.zip\n"), done.stderr
    assert zipped(mine.reports / "my.zip") == ["my/report_sentences.html"]
    done = mine.run("share", "--sentences", "my.csv", "--only", "8 report_sentences")
    pages = ["my/START.html", "my/index.html", "my/report_sentences.html", "my/08_heatmap.html"]
    pages.append("my/data/08_heatmap-numbers.csv")  # a page links to it
    assert zipped(mine.reports / "my.zip") == pages
    mine.edit("08_heatmap", "print(sentences)", "1 / 0")
    done = mine.run("share", "--sentences", "my.csv", "--only", "8")
    assert (done.returncode, done.stdout) == (1, "")
    assert "nothing was zipped: 08_heatmap failed." in done.stderr
