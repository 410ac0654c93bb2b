"""Presets become checked jobs; whatever is wrong is one clear message before any kernel starts."""

import json
import tempfile
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import yaml
from hypothesis import strategies as st
from projects import Project

from stslab.report.messages import RequestError
from stslab.report.request.names import name_problem, safe_stem
from stslab.report.request.new import new_preset
from stslab.report.request.presets import Job, adhoc_preset, load_preset
from stslab.report.request.values import parse_assignment
from stslab.report.request.yaml_text import parse_yaml
from stslab.workshop.playground import write_preset

PATHS = "from pathlib import Path\nmodel: str = 'small'\n"
CELLS = {
    "03_installation": "",
    "05_sentence_pairs": PATHS + "pairs: list[tuple[str, str]] | Path = [('a', 'b')]",
    "06_ranking": PATHS
    + "reference: str = 'a'  # goes with candidates\ncandidates: list[str] | Path = ['b']",
    "07_semantic_search": PATHS
    + "corpus: list[str] | Path = ['a']\nqueries: list[str] = ['a']  # goes with corpus\n"
    + "top_k: int = 3",
    "08_heatmap": PATHS + "sentences: list[str] | Path = ['a', 'b']\ncluster: bool = False",
    "14_map": PATHS + "sentences: list[str] | Path = ['a']\nlabels: Path | None = None",
    "15_both": PATHS + "sentences: list[str] | Path = ['a']\ncorpus: list[str] | Path = ['a']",
    "_draft": PATHS,
}


def write_notebook(folder: Path, stem: str, source: str) -> None:
    cell = {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": source}
    path = folder / f"{stem}.ipynb"
    path.write_text(json.dumps({"cells": [cell], "nbformat": 4}), encoding="utf-8")


@pytest.fixture
def notebooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of notebooks with presets; the tests work in the folder above it."""
    folder = tmp_path / "notebooks"
    (folder / "presets").mkdir(parents=True)
    for stem, source in CELLS.items():
        write_notebook(folder, stem, source)
    (folder / "presets" / "tutorial.yaml").write_text("title: The tutorial\n")
    monkeypatch.chdir(tmp_path)
    return folder


def load(notebooks: Path, text: str, **options: Any) -> tuple[Job, ...]:
    (notebooks / "presets" / "support.yaml").write_text(text, encoding="utf-8")
    return load_preset("support", notebooks_dir=notebooks, **options).jobs


def names(jobs: tuple[Job, ...]) -> list[str]:
    return [job.name for job in jobs]


# YAML ------------------------------------------------------------------------------------------


def test_yaml_scalars_mean_what_people_mean() -> None:
    """YAML 1.1 would read these as true, 750, 5, 8, text and a date."""
    data, _ = parse_yaml("[yes, 12:30, 05, 010, 1e-3, 2026-01-31, 1_000, ~, true, -7, .5]")
    assert data == [
        "yes", "12:30", "05", "010", 0.001, "2026-01-31", "1_000", None, True, -7, 0.5,
    ]  # fmt: skip


def test_a_merge_may_be_overridden() -> None:
    """Anchors and `<<` are how a long preset shares values; that is no repeated key."""
    data, _ = parse_yaml("base: &base {a: 1, b: 2}\nother: {<<: *base, b: 3}\n")
    assert data["other"] == {"a": 1, "b": 3}


# Presets that are right ------------------------------------------------------------------------


def test_without_a_list_all_public_notebooks_run_in_order(notebooks: Path) -> None:
    preset = load_preset("tutorial", notebooks_dir=notebooks)
    assert preset.title == "The tutorial"
    assert preset.name == "tutorial"
    assert names(preset.jobs) == [stem for stem in CELLS if not stem.startswith("_")]
    assert preset.jobs[0] == Job("03_installation", notebooks / "03_installation.ipynb")


def test_notebooks_are_chosen_by_name_number_or_file(notebooks: Path) -> None:
    """`- 05` is the notebook 05, not the octal number five."""
    jobs = load(notebooks, "notebooks: [05, 14, 08_heatmap, 06_ranking.ipynb, _draft]")
    assert names(jobs) == ["05_sentence_pairs", "14_map", "08_heatmap", "06_ranking", "_draft"]


def test_one_notebook_runs_several_times_under_different_names(notebooks: Path) -> None:
    text = """
timeout: 60
parameters: {model: large}
notebooks:
  - 08
  - {notebook: 08, name: Wärme karte, parameters: {cluster: true, model: tiny}, timeout: 600}
"""
    plain, clustered = load(notebooks, text)
    assert (plain.name, plain.parameters, plain.timeout) == ("08_heatmap", {"model": "large"}, 60)
    assert clustered.name == "Wärme karte"
    assert clustered.parameters == {"model": "tiny", "cluster": True}
    assert clustered.timeout == 600


def test_shared_parameters_go_to_the_notebooks_that_have_them(notebooks: Path) -> None:
    jobs = load(notebooks, "parameters: {top_k: 5}\nnotebooks: [03, 07, 08]")
    assert [job.parameters for job in jobs] == [{}, {"top_k": 5}, {}]


def test_files_are_relative_to_the_preset_and_are_inputs(notebooks: Path) -> None:
    (notebooks / "presets" / "my.txt").write_text("One.")
    (job,) = load(notebooks, "parameters: {sentences: my.txt}\nnotebooks: [08]")
    assert job.inputs == {"sentences": notebooks / "presets" / "my.txt"}
    assert job.parameters == {}


def test_a_default_that_names_a_file_is_an_input_until_it_is_replaced(notebooks: Path) -> None:
    """The page depends on the bytes of that file, so a build has to know it."""
    write_notebook(notebooks, "10_agreement", PATHS + "pairs: list | Path = 'pairs.csv'")
    (notebooks / "pairs.csv").write_text("a,b")
    (job,) = load(notebooks, "notebooks: [10]")
    assert job.inputs == {"pairs": notebooks / "pairs.csv"}
    (job,) = load(notebooks, "parameters: {pairs: [[a, b]]}\nnotebooks: [10]")
    assert (job.inputs, job.parameters) == ({}, {"pairs": [["a", "b"]]})


def test_the_order_of_keys_changes_no_job(notebooks: Path) -> None:
    one = load(notebooks, "parameters: {top_k: 5, model: large}\nnotebooks: [07]")
    other = load(notebooks, "parameters: {model: large, top_k: 5}\nnotebooks: [07]")
    assert list(one[0].parameters.items()) == list(other[0].parameters.items())


def test_the_command_line_wins_over_the_preset(notebooks: Path) -> None:
    """Its files are relative to the current folder, those of the preset to the preset's."""
    Path("mine.txt").write_text("One.")
    overrides = dict([parse_assignment("model=12"), parse_assignment("sentences=mine.txt")])
    text = "parameters: {model: large, sentences: gone.txt}\nnotebooks: [08]"
    (job,) = load(notebooks, text, overrides=overrides)
    assert job.parameters == {"model": "12"}
    assert job.inputs == {"sentences": Path.cwd() / "mine.txt"}


def test_only_chooses_by_page_name_or_number(notebooks: Path) -> None:
    text = "notebooks: [05, 08, {notebook: 08, name: again}]"
    assert names(load(notebooks, text, only=["08"])) == ["08_heatmap", "again"]
    assert names(load(notebooks, text, only=["again", "05"])) == ["05_sentence_pairs", "again"]


def test_a_preset_may_be_a_file_anywhere(notebooks: Path) -> None:
    Path("mine.yaml").write_text("notebooks: [08]")
    preset = load_preset("mine.yaml", notebooks_dir=notebooks)
    assert (preset.name, preset.title, preset.path) == ("mine", "mine", Path.cwd() / "mine.yaml")


def test_hundreds_of_runs_are_one_preset(notebooks: Path) -> None:
    runs = [{"notebook": "08", "name": f"run {n}"} for n in range(300)]
    assert len(load(notebooks, json.dumps({"notebooks": runs}))) == 300


# Presets that are wrong ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "notebooks:\n  - notebook: 07\n    parameters:\n      top-k: 5",
            "preset 'support.yaml', line 4: unknown parameter 'top-k' for 07_semantic_search. "
            "Did you mean 'top_k'?",
        ),
        ("parameters: {topk: 5}", "line 1: unknown parameter 'topk' for any of its 7 notebooks."),
        ("parameters: {top_k: 5}\nnotebooks: [08]", "unknown parameter 'top_k' for 08_heatmap."),
        ("parameters: {top_k: '5'}", "line 1: parameter 'top_k' of 07_semantic_search"),
        ("parameters:\n  model: 5", "line 2: parameter 'model' of 05_sentence_pairs"),
        ("parameters: {sentences: gone.txt}", "the file 'gone.txt' does not exist. Looked"),
        ("title: a\ntitle: b", "line 2: the key 'title' is here a second time (first"),
        ("parameters: {model: a, model: b}", "line 1: the key 'model' is here a second time"),
        ("notebooks: [8_heatmap]", "line 1: unknown notebook '8_heatmap'. Did you mean '08_"),
        ("notebooks: [99]", "unknown notebook '99'. Choose from: 03_installation, 05"),
        ("notebook: [08]", "line 1: unknown key 'notebook'. Did you mean 'notebooks'?"),
        ("notebooks:\n - 05\n - {notebook: 08, params: {}}", "line 3: unknown key 'params'. Did"),
        ("notebooks:\n - {name: x}", "line 2: a run needs the key 'notebook'"),
        ("notebooks: []", "line 1: 'notebooks' is empty"),
        ("notebooks: 08", "'notebooks': expected a list of notebooks, got '08'"),
        ("notebooks: [[08]]", "expected a run: a notebook's name, with keys"),
        ("notebooks:\n - 08\n - 08", "line 3: a second page called '08_heatmap' (first"),
        ("notebooks: [08, 08]", "Give each run of a notebook its own 'name:'"),
        ("notebooks: [{notebook: 05, name: A}, {notebook: 05, name: a}]", "page called 'a'"),
        ("title: 2026", "'title': expected a text, got 2026. Put quotes around it."),
        ("timeout: 0", "'timeout': expected a number above 0, got 0"),
        ("timeout: 10 min", "'timeout': expected a whole number, got '10 min'"),
        ("parameters: [a]", "'parameters': expected names with values"),
        ("- 08", "expected a preset with keys (title, description"),
        ("title: [", "preset 'support.yaml', line 1: "),
        ("title: 'a\nb: c: d", "preset 'support.yaml', line "),
        ("title: !!python/name:os.system x", "could not determine a constructor"),
        ("a: 1\n---\nb: 2", "line 2: but found another document"),
    ],
)  # fmt: skip
def test_a_wrong_preset_is_explained(notebooks: Path, text: str, words: str) -> None:
    """What is wrong, in which line, and what to write instead."""
    with pytest.raises(RequestError) as caught:
        load(notebooks, text)
    assert words in str(caught.value)
    assert str(caught.value).startswith("preset 'support.yaml', line ")


LAUGHS = "parameters:\n  a: &a [x, x]\n" + "".join(
    f"  {name}: &{name} [{', '.join(['*' + before] * 10)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (LAUGHS, 8),
        (LAUGHS.replace("[", "{<<: [").replace("]", "]}").replace("x, x", "{x: y}"), 8),
        ("parameters:\n  top_k: &a [*a]", 2),
        ("parameters:\n  a: &a " + "x" * 100_000 + "\n  b: [" + "*a, " * 100 + "]", 3),
    ],
)
def test_aliases_that_stand_for_too_much_are_refused(notebooks: Path, text: str, line: int) -> None:
    """A few lines can stand for millions of values, or for themselves."""
    with pytest.raises(RequestError, match=rf"line {line}: .*aliases.*5,000,000"):
        load(notebooks, text)


@pytest.mark.parametrize("text", ["[" * 10_000, "a: {" * 10_000, "- " * 10_000, "? " * 10_000])
def test_a_preset_that_is_nested_too_deeply_is_refused(notebooks: Path, text: str) -> None:
    with pytest.raises(RequestError, match=r"^preset 'support.yaml'.*nested too deeply"):
        load(notebooks, text)


@pytest.mark.parametrize(
    "name", ["a/b", "..", ".a", "a\\b", "a\tb", "a\u202eb", "", "x" * 200, " a", "CON?"]
)
def test_a_page_name_that_is_no_file_name_is_refused(notebooks: Path, name: str) -> None:
    with pytest.raises(RequestError, match="line 1: the page name"):
        load(notebooks, json.dumps({"notebooks": [{"notebook": "08", "name": name}]}))


def test_a_preset_that_is_not_utf_8_is_refused(notebooks: Path) -> None:
    (notebooks / "presets" / "old.yaml").write_bytes("title: Wärme".encode("latin-1"))
    with pytest.raises(RequestError, match=r"preset 'old.yaml': not UTF-8 text"):
        load_preset("old", notebooks_dir=notebooks)


def test_an_unknown_preset_lists_those_that_exist(notebooks: Path) -> None:
    with pytest.raises(RequestError, match=r"unknown preset 'tutorail'. Did you mean 'tutorial'"):
        load_preset("tutorail", notebooks_dir=notebooks)
    with pytest.raises(RequestError, match=r"unknown preset 'x'. Choose from: tutorial"):
        load_preset("x", notebooks_dir=notebooks)
    with pytest.raises(RequestError, match=r"unknown preset 'my/x.yaml'"):
        load_preset("my/x.yaml", notebooks_dir=notebooks)


def test_a_preset_elsewhere_cannot_overwrite_the_tutorial(notebooks: Path) -> None:
    Path("elsewhere").mkdir()
    Path("elsewhere/Tutorial.yaml").write_text("notebooks: [08]")
    with pytest.raises(RequestError, match="would overwrite that of the preset 'tutorial'"):
        load_preset("elsewhere/Tutorial.yaml", notebooks_dir=notebooks)


def test_an_override_that_no_chosen_notebook_has_is_refused(notebooks: Path) -> None:
    with pytest.raises(RequestError, match=r"command line: unknown parameter 'topk'.*'top_k'"):
        load(notebooks, "", overrides=dict([parse_assignment("topk=5")]))
    with pytest.raises(RequestError, match="unknown parameter 'top_k' for 08_heatmap"):
        load(notebooks, "", overrides=dict([parse_assignment("top_k=5")]), only=["08"])


def test_only_with_an_unknown_page_lists_the_pages(notebooks: Path) -> None:
    with pytest.raises(
        RequestError, match=r"no page '77' to choose. Choose from: 05_sentence_pairs"
    ):
        load(notebooks, "notebooks: [05, 08]", only=["08", "77"])


def test_a_number_that_two_notebooks_share_is_ambiguous(notebooks: Path) -> None:
    write_notebook(notebooks, "08_other", "")
    with pytest.raises(RequestError, match=r"could be 08_heatmap, 08_other. Write its whole name"):
        load(notebooks, "notebooks: [08]")


def test_a_folder_without_notebooks_says_so(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="no notebooks in this folder"):
        load_preset("tutorial", notebooks_dir=tmp_path)


# Files on the command line ---------------------------------------------------------------------


def given(notebooks: Path, values: dict[str, Any] | None = None, **files: str) -> Any:
    for file in files.values():
        Path(file).write_text("One.\nTwo.\n")
    return adhoc_preset(notebooks_dir=notebooks, files=files, values=values)


def test_a_file_runs_the_notebooks_whose_file_inputs_are_all_given(notebooks: Path) -> None:
    """An optional file, `labels: Path | None`, is not waited for."""
    preset = given(notebooks, sentences="my report.txt")
    assert (preset.name, preset.title, preset.path) == (
        "my report",
        "my report",
        Path.cwd() / "my report.txt",
    )
    assert names(preset.jobs) == ["08_heatmap", "14_map"]
    assert preset.jobs[0].inputs == {"sentences": Path.cwd() / "my report.txt"}


def test_two_files_run_the_notebook_that_takes_both(notebooks: Path) -> None:
    preset = given(notebooks, {"queries": ["Why?"]}, sentences="a.txt", corpus="b.txt")
    assert preset.name == "a"
    assert names(preset.jobs) == ["07_semantic_search", "08_heatmap", "14_map", "15_both"]
    assert preset.jobs[0].parameters == {"queries": ["Why?"]}


def test_values_and_only_apply_to_files_too(notebooks: Path) -> None:
    Path("a.txt").write_text("One.")
    preset = adhoc_preset(
        notebooks_dir=notebooks, files={"sentences": "a.txt"}, values={"model": "x"}, only=["08"]
    )
    assert [(job.name, job.parameters) for job in preset.jobs] == [("08_heatmap", {"model": "x"})]


def test_a_corpus_needs_a_query_and_candidates_a_reference(notebooks: Path) -> None:
    with pytest.raises(
        RequestError, match=r"07_semantic_search needs queries.*Add QUERY=.* \(or --query"
    ):
        given(notebooks, corpus="c.txt")
    with pytest.raises(
        RequestError, match=r"06_ranking needs reference.*Add REFERENCE=.* \(or --refer"
    ):
        given(notebooks, candidates="c.txt")


def test_a_file_that_no_notebook_takes_lists_what_each_takes(notebooks: Path) -> None:
    with pytest.raises(RequestError, match=r"no notebook accepts documents(.|\n)*08_heatmap: sent"):
        given(notebooks, documents="d.txt")
    with pytest.raises(RequestError, match=r"no file given.*(.|\n)*05_sentence_pairs: pairs"):
        given(notebooks)


def test_a_missing_file_is_named_as_typed(notebooks: Path) -> None:
    with pytest.raises(RequestError, match=r"command line: .*'gone.txt' does not exist"):
        adhoc_preset(notebooks_dir=notebooks, files={"sentences": "gone.txt"})


def test_a_value_that_no_chosen_notebook_has_is_refused(notebooks: Path) -> None:
    with pytest.raises(RequestError, match="unknown parameter 'reference' for any of the chosen 2"):
        given(notebooks, {"reference": "a"}, sentences="a.txt")


@pytest.mark.parametrize("file", ["tutorial.txt", "Tutorial.csv"])
def test_a_file_cannot_overwrite_the_report_of_a_preset(notebooks: Path, file: str) -> None:
    with pytest.raises(RequestError, match=r"overwrite that of the preset 'tutorial'. Rename"):
        given(notebooks, sentences=file)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("..txt", "sentences"),
        (".hidden.txt", "hidden"),
        ("a\tb.txt", "a_b"),
        ("a\\b.txt", "a_b"),
        ("日本語.txt", "日本語"),
        ("e\u0301.txt", "é"),
        ("é" * 100 + ".txt", "é" * 60),
    ],
)
def test_the_reports_folder_is_a_safe_name_made_of_the_files_stem(
    notebooks: Path, file: str, name: str
) -> None:
    assert given(notebooks, sentences=file).name == name


@pytest.mark.parametrize(
    "name",
    [
        *("CON", "con", "Nul", "aux.notes", "COM1", "LPT9.v2", "COM¹", "CON .a", "conin$"),
        *("ＩＮＤＥＸ", "Index.HTML", "README.md", "readme.MD", "report.zip", "REPORT.ZIP"),
        *(
            "in\u200edex",
            "a\u200f",
            "\u061ca",
            "a\u200db",
            "soft\u00adhyphen",
            "a\ufeff",
            "\U000e0041",
        ),
    ],
)
def test_a_name_that_is_not_what_it_seems_is_refused_for_pages_and_presets(
    notebooks: Path, name: str
) -> None:
    """No device of Windows, no look-alike of a list, nothing invisible, no file of reports/."""
    with pytest.raises(RequestError, match=r"line 1: the page name .*(Choose|Use|letters)"):
        load(notebooks, json.dumps({"notebooks": [{"notebook": "08", "name": name}]}))
    (notebooks / "presets" / f"{name}.yaml").write_text("title: x")
    with pytest.raises(RequestError, match="its name"):
        load_preset(name, notebooks_dir=notebooks)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("index.html.txt", "index_html"),
        ("index.txt", "index_"),
        ("ＩＮＤＥＸ.txt", "ＩＮＤＥＸ_"),
        ("README.md.txt", "README_md"),
        ("my.zip.csv", "my_zip"),
        ("my.failed.txt", "my_failed"),
        ("CON.txt", "CON_"),
        ("con.a.txt", "con_a"),
        ("my\u200e.txt", "my_"),
        (".\u3000 .a. .txt", "a"),
    ],
)
def test_a_file_of_any_name_gets_a_report_of_its_own(notebooks: Path, file: str, name: str) -> None:
    """And never the name of a file that lies in the reports folder."""
    assert given(notebooks, sentences=file).name == name


def test_the_name_made_of_any_file_name_is_one_that_may_be_chosen() -> None:
    """Every character, at the start, in the middle and at the end; every name that is kept."""
    characters = [chr(code) for code in [*range(0x3100), *range(0xD7F0, 0x10000), 0xE0041]]
    stems = [f"{c}a{c}b{c}" for c in characters] + [c + "é" * 80 for c in characters[:300]]
    kept = ["index", "index.html", "readme.md", "a.zip", "a.failed", "con", "com1.a", ".lock"]
    for stem in [*stems, *kept, *(name.upper() for name in kept), "..", " ", ""]:
        name = safe_stem(f"{stem}.txt")
        assert name_problem(name) == "", (stem, name)


# What ships ------------------------------------------------------------------------------------


def test_the_tutorial_preset_lists_the_nine_notebooks() -> None:
    notebooks = Path(__file__).parents[1] / "notebooks"
    preset = load_preset("tutorial", notebooks_dir=notebooks)
    assert names(preset.jobs) == [f.stem for f in sorted(notebooks.glob("0[1-9]_*.ipynb"))]
    assert all(job.parameters == {} for job in preset.jobs)


# Presets that are written by stslab --------------------------------------------------------------

HOSTILE = """\
1e3|1_000|0x1F|0o17|.5|+1|-1|1:30|12:30:45|1.|~|yes|no|on|null|Null|true|NaN|.nan|.inf|-.inf|=|<<
2020-01-01|2020-01-01 10:00|- a|- a: {b}|a: b|a:|it's: # no|#x|"|'|"a" 'b'|=1+1|@x|`x`|%x|&x|*x
!x|!!int 5|>|||?|? a|[a]|{a}|a, b]|---|...|x\\|\\n|\\u0041|Ünï – 3|🐕 a dog|👩\u200d🔬| a | |"""
HOSTILE = HOSTILE.replace("\n", "|").split("|")
HOSTILE += [chr(number) for number in (*range(32), 0x7F, *range(0x80, 0xA1), 0xAD, 0xFEFF, 0xFFFE)]
HOSTILE += ["\u2028", "a\u2029b", "\ud800", "\U0001fffe", "a\r\nb", "\ttab", "x" * 3000, "||", ""]


@hypothesis.settings(max_examples=50, deadline=None)
@hypothesis.given(st.lists(st.text(st.characters(codec=None)), min_size=2))
@hypothesis.example(HOSTILE)
@hypothesis.example([f"{each} and {each}" for each in HOSTILE])
def test_a_preset_holds_any_sentence_as_it_was_typed(sentences: list[str]) -> None:
    """To our reader, which takes 1e3 for a number, and to others, which take yes for a truth."""
    with tempfile.TemporaryDirectory() as folder:
        path = write_preset(Path(folder), sentences, sentences[0], 0.7000001)
        text = path.read_text("utf-8")
    for content in (parse_yaml(text)[0], yaml.safe_load(text)):
        assert content["notebooks"] == ["report_sentences"]
        assert content["parameters"] == {
            "model_name": sentences[0],
            "sentences": sentences,
            "threshold": 0.7,
        }


def test_a_new_preset_gives_back_what_it_was_written_from(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a text seems to be; and no comment of a notebook breaks a line of it."""
    monkeypatch.chdir(project.root)
    takes = "\n".join(
        [
            "parameters: from pathlib import Path",
            "candidates: list[str] | Path = ['a']",
            "reference: str = 'a'  # goes with candidates",
            "null: str = '1e3'",
            "texts: list[str] = []",
            "other: str = 'a\u2028: b'  # of another\u2028: kind",
        ]
    )
    project.notebook("report_ranking", [takes], report=True)
    (project.root / "my.csv").write_text("sentence\nOne.\nTwo.\n")
    values = {
        "reference": "1e3",
        "null": "~",
        "texts": [each for each in HOSTILE if each != "\ud800"],
    }
    path = new_preset("new", {"candidates": "my.csv"}, values, project.notebooks)
    (job,) = load_preset("new", notebooks_dir=project.notebooks).jobs
    assert job.parameters == values
    assert yaml.safe_load(path.read_text("utf-8"))["parameters"]["texts"] == values["texts"]
