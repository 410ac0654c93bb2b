"""Sentences, a model and a threshold to play with; heatmap, pairs and ranking follow them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from ..figures.heatmap import heatmap
from ..figures.show import show_figure, show_table, show_text
from ..inputs.checks import InputError
from ..models.finding import DEFAULT_MODEL, available_models
from ..models.loading import load_model
from ..report.request.yaml_text import yaml_line
from ..report.writing import naming_file
from ..scores.cosine import closest_pairs, similarity_matrix
from ..wording import counted

SENTENCES = ("The train was late.", "The train did not come on time.", "The soup needs salt.")
MOST = 40  # sentences: above, a heatmap has no labels, and a report is the better place
PAUSE = 0.5  # seconds without a key pressed before anything is drawn
REPORT = "report_sentences"
PRESET = "playground"


def playground(
    sentences: Sequence[str] = SENTENCES,
    *,
    model_name: str = DEFAULT_MODEL,
    threshold: float = 0.7,
) -> Any:
    """Show a text field, and what the model makes of the sentences in it as they are typed.

    Parameters
    ----------
    sentences : sequence of str
        To begin with.
    model_name : str
        One of `available_models`, or another name or folder that `stslab.load_model` takes.
    threshold : float, default 0.7
        From which score on a pair is listed.

    Returns
    -------
    ipywidgets.Widget
        What JupyterLab shows; its button writes a preset.
    """
    import ipywidgets as widgets

    wide = widgets.Layout(width="100%", max_width="60em")
    named = {"style": {"description_width": "7em"}, "layout": wide}
    names = list(dict.fromkeys([*available_models(), model_name]))
    field = widgets.Textarea("\n".join(sentences), description="Sentences", rows=7, **named)
    model = widgets.Dropdown(options=names, value=model_name, description="Model", **named)
    limit = widgets.FloatSlider(
        threshold, min=0, max=1, step=0.05, description="Threshold", **named
    )
    button, shown, written = widgets.Button(), widgets.Output(), widgets.Output()
    button.description, button.icon = "Write a preset", "save"

    def draw() -> None:
        texts = lines(field.value)
        shown.outputs = _outputs(lambda: show_scores(texts, model.value, limit.value))

    def save(_: Any) -> None:
        texts = lines(field.value)
        written.outputs = _outputs(lambda: show_preset(texts, model.value, limit.value))

    later = _Later(draw)
    for each in (field, model, limit):
        each.observe(lambda _: later.call(), names="value")
    button.on_click(save)
    draw()
    return widgets.VBox([field, model, limit, widgets.HBox([button, written]), shown])


def lines(text: str) -> list[str]:
    """Take each line that is not blank as a sentence, without the space around it.

    >>> lines(" One. \\n\\nTwo.")
    ['One.', 'Two.']
    """
    return [line.strip() for line in text.splitlines() if line.strip()]


def show_scores(sentences: Sequence[str], model_name: str, threshold: float) -> None:
    """Show the heatmap, the pairs from a threshold on, and the ranking against the first sentence.

    Parameters
    ----------
    sentences : sequence of str
    model_name : str
    threshold : float
    """
    if not 2 <= len(sentences) <= MOST:
        show_text(
            f"{counted(len(sentences), 'sentence')}: write from 2 to {MOST}, one a line. "
            "For more, build a report: make report SENTENCES=my.txt"
        )
        return
    matrix = similarity_matrix(sentences, model=_Plain(_loaded(model_name)))
    show_figure(heatmap(matrix), "playground")
    every = len(sentences) * (len(sentences) - 1) // 2
    pairs = closest_pairs(matrix, top_k=every)
    near = pairs[pairs["score"] >= threshold]
    caption = f"Pairs that score {threshold:g} or more: {len(near)} of {every}"
    show_table(near, "pairs", caption=caption, bars="score")
    scores = matrix.iloc[0, 1:].sort_values(ascending=False, kind="stable")
    ranking = scores.rename("score").rename_axis("sentence").reset_index()
    ranking.insert(0, "rank", range(1, len(ranking) + 1))
    show_table(ranking, "ranking", caption="Closest to the first sentence", bars="score")


def show_preset(sentences: Sequence[str], model_name: str, threshold: float) -> None:
    """Write a preset where a report finds it, and show what builds it.

    Parameters
    ----------
    sentences : sequence of str
    model_name : str
    threshold : float
    """
    notebooks = Path.cwd().parent / "notebooks"
    here = not (notebooks / f"{REPORT}.ipynb").is_file()
    try:
        path = write_preset(
            Path.cwd() if here else notebooks / "presets", sentences, model_name, threshold
        )
    except OSError as error:
        show_text(f"No preset was written: {error.filename}: {error.strerror}.")
        return
    except ValueError as error:
        show_text(f"No preset was written: {error}")
        return
    if here:
        show_text(
            f"Written: {path}. There is no folder of notebooks beside this one; to build the "
            f"report, put the file into notebooks/presets/ of a copy of stslab's repository, then: "
            f"make report PRESET={path.stem}"
        )
    else:
        show_text(f"Written: {path.relative_to(notebooks.parent).as_posix()}. Build its page:")
        show_text(f"make report PRESET={path.stem}")


def write_preset(folder: Path, sentences: Sequence[str], model_name: str, threshold: float) -> Path:
    """Write the sentences as a preset, under the next name that is free.

    Parameters
    ----------
    folder : Path
        Made if it is missing.
    sentences : sequence of str
    model_name : str
    threshold : float

    Returns
    -------
    Path
        ``playground.yaml``, ``playground-2.yaml`` or the next.

    Raises
    ------
    InputError
        If there are fewer than two sentences.
    """
    if len(sentences) < 2:
        raise InputError(f"{counted(len(sentences), 'sentence')}: write at least 2, one a line.")
    text_lines = [
        "title: Playground",
        "notebooks:",
        f"- {REPORT}",
        "parameters:",
        f"  model_name: {yaml_line(model_name)}",
        "  sentences:",
        *(f"  - {yaml_line(sentence)}" for sentence in sentences),
        f"  threshold: {yaml_line(round(threshold, 2))}",
    ]
    folder.mkdir(parents=True, exist_ok=True)
    for number in itertools.count(1):
        path = folder / f"{PRESET if number == 1 else f'{PRESET}-{number}'}.yaml"
        first_line = f"# Built by: make report PRESET={path.stem}"
        try:
            with naming_file(path), path.open("xb") as file:
                file.write("\n".join([first_line, *text_lines, ""]).encode())
        except FileExistsError:
            continue
        break
    return path


_loaded = cache(load_model)


class _Plain:
    """A model without the cache on disk, in which every half sentence would be kept."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def encode(self, texts: list[str]) -> Any:
        return self.model.encode(texts, show_progress_bar=False)


def _outputs(show: Callable[[], None]) -> tuple[dict[str, Any], ...]:
    """Give what is shown as a widget holds it; without the PNG, which is the SVG again."""
    from IPython.utils.capture import capture_output

    with capture_output() as captured:
        try:
            show()
        except ValueError as error:  # of a model that cannot be loaded
            show_text(str(error))
    kept = ("image/svg+xml", "text/html", "text/plain")
    return tuple(
        {
            "output_type": "display_data",
            "data": {form: each.data[form] for form in kept if form in each.data},
            "metadata": {},
        }
        for each in captured.outputs
    )


class _Later:
    """Call once, after a pause without a further call."""

    def __init__(self, function: Callable[[], None]) -> None:
        self.function = function
        self.waiting: asyncio.TimerHandle | None = None

    def call(self) -> None:
        if self.waiting:
            self.waiting.cancel()
        self.waiting = asyncio.get_running_loop().call_later(PAUSE, self.function)
