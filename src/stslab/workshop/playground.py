"""A widget with sentences, a model and a threshold, above the scores that they result in."""

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
MOST_SENTENCES = 40  # above, a heatmap has no labels, and a report is the better place
PAUSE = 0.5  # seconds without a keystroke before anything is drawn
# What a widget can show. Not the PNG that figures have as well: it is the same picture as the SVG.
WIDGET_FORMATS = ("image/svg+xml", "text/html", "text/plain")
REPORT = "report_sentences"
PRESET = "playground"


def playground(
    sentences: Sequence[str] = SENTENCES,
    *,
    model_name: str = DEFAULT_MODEL,
    threshold: float = 0.7,
) -> Any:
    """Show a text field, and the scores of the sentences in it while they are typed.

    Parameters
    ----------
    sentences : sequence of str
        The first content of the field.
    model_name : str
        One of `available_models`, or another name or folder that `stslab.load_model` takes.
    threshold : float, default 0.7
        Pairs are listed that score at least this.

    Returns
    -------
    ipywidgets.Widget
        Its button writes a preset.
    """
    import ipywidgets as widgets

    wide = widgets.Layout(width="100%", max_width="60em")
    options = {"style": {"description_width": "7em"}, "layout": wide}
    names = list(dict.fromkeys([*available_models(), model_name]))
    field = widgets.Textarea("\n".join(sentences), description="Sentences", rows=7, **options)
    model = widgets.Dropdown(options=names, value=model_name, description="Model", **options)
    limit = widgets.FloatSlider(
        threshold, min=0, max=1, step=0.05, description="Threshold", **options
    )
    button = widgets.Button(description="Write a preset", icon="save")
    scores, preset = widgets.Output(), widgets.Output()

    def draw() -> None:
        texts = nonblank_lines(field.value)
        scores.outputs = _outputs(lambda: show_scores(texts, model.value, limit.value))

    def save(_: Any) -> None:
        texts = nonblank_lines(field.value)
        preset.outputs = _outputs(lambda: show_preset(texts, model.value, limit.value))

    delayed_draw = _Delayed(draw)
    for control in (field, model, limit):
        control.observe(lambda _: delayed_draw.call(), names="value")
    button.on_click(save)
    draw()
    return widgets.VBox([field, model, limit, widgets.HBox([button, preset]), scores])


def nonblank_lines(text: str) -> list[str]:
    """Return the lines that are not blank, without the space around them.

    >>> nonblank_lines(" One. \\n\\nTwo.")
    ['One.', 'Two.']
    """
    return [line.strip() for line in text.splitlines() if line.strip()]


def show_scores(sentences: Sequence[str], model_name: str, threshold: float) -> None:
    """Show the heatmap, the pairs above a threshold, and the ranking against the first sentence.

    Parameters
    ----------
    sentences : sequence of str
    model_name : str
    threshold : float
    """
    if not 2 <= len(sentences) <= MOST_SENTENCES:
        show_text(
            f"{counted(len(sentences), 'sentence')}: write from 2 to {MOST_SENTENCES}, one a line. "
            "For more, build a report: make report SENTENCES=my.txt"
        )
        return
    matrix = similarity_matrix(sentences, model=_WithoutCache(_load_model_once(model_name)))
    show_figure(heatmap(matrix), "playground")
    pair_count = len(sentences) * (len(sentences) - 1) // 2
    pairs = closest_pairs(matrix, top_k=pair_count)
    close_pairs = pairs[pairs["score"] >= threshold]
    caption = f"Pairs that score {threshold:g} or more: {len(close_pairs)} of {pair_count}"
    show_table(close_pairs, "pairs", caption=caption, bars="score")
    scores = matrix.iloc[0, 1:].sort_values(ascending=False, kind="stable")
    ranking = scores.rename("score").rename_axis("sentence").reset_index()
    ranking.insert(0, "rank", range(1, len(ranking) + 1))
    show_table(ranking, "ranking", caption="Closest to the first sentence", bars="score")


def show_preset(sentences: Sequence[str], model_name: str, threshold: float) -> None:
    """Write a preset where a report finds it, and show the command that builds it.

    Parameters
    ----------
    sentences : sequence of str
    model_name : str
    threshold : float
    """
    notebooks = Path.cwd().parent / "notebooks"
    in_repository = (notebooks / f"{REPORT}.ipynb").is_file()
    folder = Path.cwd()
    if in_repository:
        folder = notebooks / "presets"
    try:
        path = write_preset(folder, sentences, model_name, threshold)
    except OSError as error:
        show_text(f"No preset was written: {error.filename}: {error.strerror}.")
        return
    except ValueError as error:
        show_text(f"No preset was written: {error}")
        return
    if in_repository:
        show_text(f"Written: {path.relative_to(notebooks.parent).as_posix()}. Build its page:")
        show_text(f"make report PRESET={path.stem}")
    else:
        show_text(
            f"Written: {path}. There is no folder of notebooks beside this one; to build the "
            f"report, put the file into notebooks/presets/ of a copy of stslab's repository, then: "
            f"make report PRESET={path.stem}"
        )


def write_preset(folder: Path, sentences: Sequence[str], model_name: str, threshold: float) -> Path:
    """Write the sentences as a preset, under the first name that is free.

    Parameters
    ----------
    folder : Path
        Created if it is missing.
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
        stem = PRESET
        if number > 1:
            stem = f"{PRESET}-{number}"
        path = folder / f"{stem}.yaml"
        first_line = f"# Built by: make report PRESET={path.stem}"
        try:
            # Mode x, not a look before: two playgrounds may write at the same time.
            with naming_file(path), path.open("xb") as file:
                file.write("\n".join([first_line, *text_lines, ""]).encode())
        except FileExistsError:
            continue
        break
    return path


_load_model_once = cache(load_model)


class _WithoutCache:
    """A model without the cache on disk, which would store every half-typed sentence."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def encode(self, texts: list[str]) -> Any:
        return self.model.encode(texts, show_progress_bar=False)


def _outputs(show: Callable[[], None]) -> tuple[dict[str, Any], ...]:
    """Return the outputs of a function in the form that a widget holds them."""
    from IPython.utils.capture import capture_output

    with capture_output() as captured:
        try:
            show()
        except ValueError as error:  # the model cannot be loaded
            show_text(str(error))
    outputs = []
    for output in captured.outputs:
        data = {
            mime_type: output.data[mime_type]
            for mime_type in WIDGET_FORMATS
            if mime_type in output.data
        }
        outputs.append({"output_type": "display_data", "data": data, "metadata": {}})
    return tuple(outputs)


class _Delayed:
    """A function that is called once, after a pause without a further call."""

    def __init__(self, function: Callable[[], None]) -> None:
        self.function = function
        self.timer: asyncio.TimerHandle | None = None

    def call(self) -> None:
        """Start the pause again."""
        if self.timer:
            self.timer.cancel()
        self.timer = asyncio.get_running_loop().call_later(PAUSE, self.function)
