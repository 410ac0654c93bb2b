"""place.py: a report never takes the folder of another file's report."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from projects import Listener, Project

from stslab.report.building.build import build
from stslab.report.building.place import place
from stslab.report.messages import RequestError
from stslab.report.request.presets import Preset, adhoc_preset, load_preset

pytestmark = pytest.mark.usefixtures("bare_kernels")

READ = [
    "parameters: from pathlib import Path\nsentences: list[str] | Path = ['a']",
    "print(Path(sentences).read_text())",
]


@pytest.fixture
def texts(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Two files of one name, and one notebook to read them."""
    project.notebook("read", READ)
    write(project, "x/my.txt", "y/my.txt")
    monkeypatch.chdir(project.root)
    return project


def write(project: Project, *names: str) -> None:
    for name in names:
        (project.root / name).parent.mkdir(parents=True, exist_ok=True)
        header = "text\n" if name.endswith(".csv") else ""
        (project.root / name).write_text(f"{header}this is {name}\n")


def asked(project: Project, name: str) -> Preset:
    """Make the request, as the command does."""
    if name.endswith(".yaml"):
        preset = load_preset(name, notebooks_dir=project.notebooks)
    else:
        preset = adhoc_preset(notebooks_dir=project.notebooks, files={"sentences": name})
    return place(preset, Path("reports"), project.root)


def report(project: Project, name: str) -> str:
    """Build a file's report; give the name of its folder."""
    preset = asked(project, name)
    options = {"reports": project.reports, "root": project.root, "listener": Listener()}
    (result,) = build(preset, kernel="warm", **options)
    assert result.error is None
    return preset.name


def says(project: Project, folder: str) -> str:
    """Find which file a report is about."""
    content = (project.reports / folder / "read.ipynb").read_text("utf-8")
    return str(json.loads(content)["cells"][-1]["outputs"][0]["text"][0].split()[-1])


def test_two_files_of_one_name_have_a_report_each(texts: Project) -> None:
    """The second is named after its folder, too; both keep their places, whoever is asked first."""
    for _ in range(2):
        assert report(texts, "x/my.txt") == "my"
        assert report(texts, "y/my.txt") == "my-y"
    assert says(texts, "my") == "x/my.txt"
    assert says(texts, "my-y") == "y/my.txt"
    index = (texts.reports / "index.html").read_text("utf-8")
    assert "<bdi>my</bdi>" in index
    assert "<bdi>my-y</bdi>" in index


def test_the_command_says_where_the_report_is(texts: Project) -> None:
    report(texts, "x/my.txt")
    done = texts.run("report", "--sentences", "y/my.txt")
    assert (done.returncode, done.stdout) == (0, "reports/my-y/index.html\n")
    assert says(texts, "my") == "x/my.txt"


def test_two_files_that_differ_in_their_ending_have_a_report_each(texts: Project) -> None:
    write(texts, "x/my.csv")
    assert [report(texts, name) for name in ("x/my.txt", "x/my.csv")] == ["my", "my-csv"]


def test_a_file_keeps_its_report_when_the_other_file_is_gone(texts: Project) -> None:
    report(texts, "x/my.txt")
    report(texts, "y/my.txt")
    (texts.root / "x" / "my.txt").unlink()
    assert report(texts, "y/my.txt") == "my-y"


def test_the_report_of_a_file_that_is_gone_makes_room(texts: Project) -> None:
    """As when a file was moved; the same holds for a report that does not say what it is of."""
    report(texts, "x/my.txt")
    (texts.root / "x" / "my.txt").rename(texts.root / "my.txt")
    assert report(texts, "my.txt") == "my"
    path = texts.reports / "my" / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    assert manifest.pop("source") == "my.txt"
    path.write_text(json.dumps(manifest))
    assert report(texts, "y/my.txt") == "my"


def test_one_file_by_many_names_is_one_file(texts: Project, tmp_path: Path) -> None:
    """Relative or absolute, through a link, by a link that leads to other texts today."""
    report(texts, "x/my.txt")
    (texts.root / "link").symlink_to(texts.root / "x")
    for name in ("x/../x/my.txt", str(texts.root / "x" / "my.txt"), "link/my.txt"):
        assert report(texts, name) == "my"
    (texts.root / "latest.txt").symlink_to(texts.root / "x" / "my.txt")
    assert report(texts, "latest.txt") == "latest"
    (texts.root / "latest.txt").unlink()
    (texts.root / "latest.txt").symlink_to(texts.root / "y" / "my.txt")
    assert report(texts, "latest.txt") == "latest"
    shutil.copytree(texts.root, tmp_path / "elsewhere", symlinks=True)
    assert str(tmp_path) not in (texts.reports / "my" / "manifest.json").read_text("utf-8")


def test_a_third_file_whose_name_is_taken_is_refused(texts: Project) -> None:
    """Both folders are named, and what to do; nothing is replaced."""
    write(texts, "z/y/my.txt")
    report(texts, "x/my.txt")
    report(texts, "y/my.txt")
    with pytest.raises(RequestError) as refused:
        asked(texts, "z/y/my.txt")
    assert str(refused.value) == (
        "no folder for the report of 'z/y/my.txt': reports/my holds that of 'x/my.txt', "
        "reports/my-y holds that of 'y/my.txt'. Rename 'my.txt', or move a folder away."
    )


def test_a_preset_and_a_file_of_one_name_do_not_replace_each_other(texts: Project) -> None:
    """A preset's report is found by its name: it gets no other, and takes nobody's."""
    report(texts, "x/my.txt")
    before = texts.root.joinpath("reports/my/read.ipynb").read_bytes()
    (texts.notebooks / "presets" / "my.yaml").write_text("parameters: {sentences: ../../y/my.txt}")
    done = texts.run("report", "my")
    assert done.returncode == 2
    assert done.stderr == (
        "stslab: no folder for the report of 'notebooks/presets/my.yaml': reports/my holds that "
        "of 'x/my.txt'. Rename 'my.yaml', or move a folder away.\n"
    )
    assert texts.root.joinpath("reports/my/read.ipynb").read_bytes() == before
    shutil.move(texts.reports / "my", texts.root / "kept")
    assert report(texts, "my.yaml") == "my"
    (texts.notebooks / "presets" / "my.yaml").unlink()
    (texts.root / "my.yaml").write_text("parameters: {sentences: y/my.txt}")
    assert report(texts, "my.yaml") == "my"
    with pytest.raises(RequestError, match=r"reports/my holds that of 'my\.yaml'"):
        asked(texts, "x/my.txt")


def test_a_build_takes_no_folder_that_another_took_meanwhile(texts: Project) -> None:
    """Two requests at once both see a free name; the lock lets one have it."""
    preset = asked(texts, "y/my.txt")
    report(texts, "x/my.txt")
    with pytest.raises(RequestError, match=r"reports.my holds that of 'x/my\.txt'"):
        build(preset, reports=texts.reports, root=texts.root, listener=Listener())
    assert says(texts, "my") == "x/my.txt"


@pytest.mark.parametrize("source", [7, None, "", "\0", "a" * 5000, "/etc/passwd", "\x1b[2J", ["x"]])
def test_a_source_from_elsewhere_keeps_nobody_out(texts: Project, source: object) -> None:
    report(texts, "x/my.txt")
    path = texts.reports / "my" / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), "source": source}))
    assert report(texts, "y/my.txt") == "my"


@pytest.mark.parametrize("parent", ["index", "a.zip", "…", "a\u200eb", "é" * 100])
def test_any_folder_gives_a_name_that_may_be_chosen(texts: Project, parent: str) -> None:
    write(texts, f"{parent}/my.txt")
    report(texts, "x/my.txt")
    assert asked(texts, f"{parent}/my.txt").name.startswith("my-")
