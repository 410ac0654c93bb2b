"""A notebook dropped into notebooks/ is all that a new kind of file needs."""

from __future__ import annotations

import pytest
from projects import Project

pytestmark = pytest.mark.thorough

RECIPES = """parameters: from pathlib import Path
recipes: list[str] | Path = ["Boil an egg."]  # recipes to read
spices: list[str] = ["salt"]  # what to add; goes with recipes
"""


@pytest.fixture
def kitchen(project: Project) -> Project:
    project.notebook("08_heatmap", ["print(1)"])
    project.notebook("16_recipes", [RECIPES, "print(open(recipes).read(), spices)"])
    (project.root / "soup.txt").write_text("Simmer the leeks.\n")
    return project


def test_its_file_is_an_option_checked_fresh_by_content_and_listed(kitchen: Project) -> None:
    request = ("report", "--recipes", "soup.txt", "--spice", "white pepper", "--spice", "dill")
    done = kitchen.run(*request)
    assert done.returncode == 0, done.stderr
    page = (kitchen.reports / "soup" / "16_recipes.html").read_text("utf-8")
    assert "Simmer the leeks." in page
    assert "white pepper" in page
    assert [each.name for each in (kitchen.reports / "soup").glob("*.ipynb")] == [
        "16_recipes.ipynb"
    ]
    assert "16_recipes.html" in (kitchen.reports / "soup" / "index.html").read_text("utf-8")
    assert "unchanged" in kitchen.run(*request).stderr
    (kitchen.root / "soup.txt").write_text("Fry the leeks.\n")
    assert "built" in kitchen.run(*request).stderr


def test_make_hands_it_on_by_its_name(kitchen: Project) -> None:
    """As it does every variable given on its command line."""
    given = {"STSLAB_REQUEST_RECIPES": "soup.txt", "STSLAB_REQUEST_SPICE": "white pepper"}
    assert kitchen.run("report", **given).returncode == 0
    assert "white pepper" in (kitchen.reports / "soup" / "16_recipes.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--recipes", "none.txt", "--spice", "dill"], "'none.txt' does not exist"),
        (
            ["--recipes", "soup.txt"],
            'needs spices to go with your recipes. Add SPICE="…" (or --spice',
        ),
        (["--sentences", "soup.txt"], "No such option '--sentences'"),
    ],
)
def test_a_wrong_request_is_refused_before_anything_runs(
    kitchen: Project, arguments: list[str], message: str
) -> None:
    done = kitchen.run("report", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert not kitchen.reports.exists()


def test_what_it_takes_is_shown(kitchen: Project) -> None:
    told = kitchen.run("report", "--help").stdout
    assert "--recipes FILE" in told
    assert "recipes to read" in told
    assert "spices" in kitchen.run("params", "16").stdout
    new = ("new", "mine", "--recipes", "soup.txt")
    assert 'Add SPICE="…" (or --spice "…")' in kitchen.run(*new).stderr
    assert kitchen.run(*new, "--spice", "dill").returncode == 0
    preset = (kitchen.notebooks / "presets" / "mine.yaml").read_text("utf-8")
    assert 'recipes: "../../soup.txt"' in preset
    assert 'spices: ["dill"]' in preset


def test_a_parameter_called_like_an_option_of_the_command_takes_nothing_from_it(
    kitchen: Project,
) -> None:
    cell = "parameters: from pathlib import Path\ntitle: list[str] | Path = ['a']  # its own"
    kitchen.notebook("17_title", [cell, "print(title)"])
    request = ("report", "--recipes", "soup.txt", "--spice", "dill", "--title", "Leek soup")
    done = kitchen.run(*request)
    assert (done.returncode, "Warning" in done.stderr) == (0, False)
    assert "Leek soup" in (kitchen.reports / "soup" / "index.html").read_text("utf-8")
