"""Executed notebooks for the tests of pages, written down rather than run."""

import base64
import json

import nbformat
from nbformat import v4

SENTENCES = [
    "I love machine learning.",
    "Deep learning is a branch of AI.",
    "Neural networks mimic the human brain.",
    "I enjoy cooking Italian food.",
    "Pasta and pizza are Italian dishes.",
    "Cats and dogs are popular pets.",
]
UPPER = [0.57, 0.38, 0.25, 0.10, 0.15, 0.45, 0.09, 0.05, 0.0, 0.08, 0.12, 0.13, 0.71, 0.17, -0.12]
PIXEL = base64.b64encode(
    bytes.fromhex(
        "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63"
        "606060000000040001f61738550000000049454e44ae426082"
    )
).decode()
# As matplotlib writes it: a style element, styles, clip paths, a font, an id used twice a page.
SVG = """<?xml version="1.0" encoding="utf-8" standalone="no"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN"
  "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<svg xmlns:xlink="http://www.w3.org/1999/xlink" width="360pt" height="144pt" viewBox="0 0 360 144"
 xmlns="http://www.w3.org/2000/svg" version="1.1">
 <metadata><rdf>made by a machine</rdf></metadata>
 <defs><style type="text/css">*{stroke-linejoin: round; stroke-linecap: butt}</style></defs>
 <g id="figure_1">
  <g id="patch_1"><path d="M 0 144 L 360 144 L 360 0 L 0 0 z" style="fill: #ffffff"/></g>
  <g clip-path="url(#p1)"><path d="M 60 40 L 260 40 L 260 60 L 60 60 z" style="fill: #4878a8"/></g>
  <g id="text_1">
   <text style="font: 11px 'DejaVu Sans'; text-anchor: start"
    x="60" y="20">How alike are they?</text>
  </g>
  <use xlink:href="#m1" x="60" y="100" style="stroke: #000000; stroke-width: 0.8"/>
 </g>
 <defs><path id="m1" d="M 0 0 L 0 3.5"/>
 <clipPath id="p1"><rect x="50" y="30" width="300" height="60"/></clipPath></defs>
</svg>"""

# What somebody might put into a list of sentences, by malice or by accident. 41 of them.
HOSTILE = [
    "<script>window.hit=1</script>",
    "</script><script>window.hit=1</script>",
    "<!--<script>window.hit=1</script>",
    "<img src=x onerror=window.hit=1>",
    '"><img src=x onerror=window.hit=1>',
    "<svg onload=window.hit=1>",
    "<svg><script>window.hit=1</script></svg>",
    '<svg><use href="data:image/svg+xml,<svg id=x onload=window.hit=1>#x"/></svg>',
    "<math><mtext><table><mglyph><style><img src=x onerror=window.hit=1>",
    "<iframe srcdoc='<script>parent.hit=1</script>'></iframe>",
    '<a href="javascript:window.hit=1">click</a>',
    "[click](javascript:window.hit=1)",
    "![x](https://example.org/pixel.png)",
    '<body onload="window.hit=1">',
    "<details open ontoggle=window.hit=1>",
    "<input autofocus onfocus=window.hit=1>",
    "<video><source onerror=window.hit=1></video>",
    '<form action="https://example.org"><button>go</button></form>',
    '<meta http-equiv="refresh" content="0;url=https://example.org">',
    '<base href="https://example.org/">',
    '<link rel="stylesheet" href="https://example.org/x.css">',
    "</style><style>body{display:none}</style>",
    "} body { background: url(https://example.org/x.png) } {",
    "red; background: url('https://example.org/x.png')",
    "--score:1;position:fixed",
    "{{ 7*7 }} {% raw %} {# x #}",
    "${window.hit=1}",
    "`window.hit=1`",
    "$$\\href{javascript:window.hit=1}{x}$$",
    "\\(\\unicode{x}\\) $\\text{<img src=x onerror=window.hit=1>}$",
    "</td></tr></table><h1>out of the table</h1>",
    "]]><script>window.hit=1</script>",
    "&lt;script&gt;window.hit=1&lt;/script&gt; &amp;amp;",
    "\u202egnitirw desrever\u202c and \u2066isolated\u2069",
    "zero\u200bwidth\u200djoiner\ufeffmark",
    "control \x07\x1b[31mred\x1b[0m \x00 \x85 \u2028 end",
    "half a character \ud83d",
    "مرحبا بالعالم <b>bold</b>",
    "=cmd|' /C calc'!A0",
    "../../../../etc/passwd",
    "x" * 1_000_000,
]


def matrix_bundle(sentences, upper, name="similarity", title="How similar is each to each?"):
    """Return a heatmap's display_data, as show_figure writes it."""
    n = len(sentences)
    values = [[1.0] * n for _ in range(n)]
    scores = iter(upper)
    for i in range(n):
        for j in range(i + 1, n):
            values[i][j] = values[j][i] = next(scores)
    alt = f"{n} × {n} cosine similarities of {name}; highest 0.71; lowest -0.12."
    labels = [s[:27] + "…" if len(s) > 28 else s for s in sentences]
    matrix = {"sentences": sentences, "labels": labels, "values": values}
    matrix |= {"vmin": -1, "vmax": 1, "title": title}
    csv = "sentence\n" + "\n".join(
        f"{s},{','.join(map(str, v))}" for s, v in zip(sentences, values, strict=True)
    )
    return v4.new_output(
        "display_data",
        data={
            "image/svg+xml": SVG,
            "image/png": PIXEL,
            "text/plain": alt,
            "text/csv": csv,
            "application/vnd.stslab.matrix+json": matrix,
        },
        metadata={
            "image/png": {"alt": alt},
            "stslab": {"kind": "figure", "name": name, "title": title},
        },
    )


def figure_bundle(name="bars", title="How alike are they?", alt="2 scores; highest 0.70.", svg=SVG):
    """Return a drawing's display_data."""
    return v4.new_output(
        "display_data",
        data={"image/svg+xml": svg, "image/png": PIXEL, "text/plain": alt, "text/csv": "a\n1\n"},
        metadata={
            "image/png": {"alt": alt},
            "stslab": {"kind": "figure", "name": name, "title": title},
        },
    )


def table_bundle(rows, name="ranking", caption="Candidates, most similar first"):
    """Return a table's display_data; rows are (rank, score, sentence)."""
    from html import escape

    body = "".join(
        f'<tr><td class="number">{rank}</td>'
        f'<td class="number score" style="--score:{score:.4f}">{score:.4f}</td>'
        f"<td>{escape(sentence)}</td></tr>"
        for rank, score, sentence in rows
    )
    heads = "".join(f'<th scope="col">{h}</th>' for h in ("rank", "score", "sentence"))
    html = (
        f'<table class="stslab"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
    )
    csv = "rank,score,sentence\n" + "".join(f"{r},{s:.6f},{json.dumps(t)}\n" for r, s, t in rows)
    told = {"kind": "table", "name": name, "caption": caption, "rows": len(rows)}
    data = {"text/html": html, "text/csv": csv, "text/plain": caption}
    return v4.new_output("display_data", data=data, metadata={"stslab": told})


def text_bundle(text, kind="text"):
    """Return a computed sentence's display_data."""
    from html import escape

    data = {"text/html": f'<p class="stslab-text">{escape(text)}</p>', "text/plain": text}
    return v4.new_output("display_data", data=data, metadata={"stslab": {"kind": kind}})


def code(source, *outputs, tags=(), ident=None):
    """Return an executed code cell."""
    cell = v4.new_code_cell(source, outputs=list(outputs), execution_count=1)
    cell.metadata = nbformat.from_dict({"tags": list(tags)} if tags else {})
    if ident:
        cell.id = ident
    return cell


def notebook(*cells):
    """Return a notebook of code cells and, from strings, Markdown cells."""
    cells = [v4.new_markdown_cell(c) if isinstance(c, str) else c for c in cells]
    metadata = {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {"name": "python", "version": "3.11.2"},
    }
    return v4.new_notebook(cells=cells, metadata=metadata)


RANKED = [
    (1, 0.5657, "Steps to build a deep learning model."),
    (2, 0.4655, "Backpropagation computes gradients in neural networks."),
    (3, 0.3500, "Gradient descent optimises model weights during training."),
    (4, 0.2918, "Which framework is best for machine learning?"),
    (5, 0.0509, "The recipe requires two cups of flour."),
    (6, 0.0474, "What is the capital of France?"),
    (7, -0.1051, "I enjoy hiking on weekends."),
]


def tutorial():
    """Return a notebook with one of everything that the tutorial's notebooks have."""
    return notebook(
        "# A heatmap of a sentence set\n\nTen minutes. You will compare *every* sentence with every"
        " other, and read the blocks that appear. See [the ranking](06_ranking.ipynb) first.",
        "## What you can change",
        code(
            'from pathlib import Path\n\nmodel_name: str = "all-MiniLM-L6-v2"  # name or folder\n'
            f"sentences: list[str] | Path = {SENTENCES!r}  # texts to compare\n"
            "top_k: int = 3  # answers to show",
            tags=["parameters"],
            ident="parameters",
        ),
        code("# Parameters\ntop_k = 5\n", tags=["injected-parameters"], ident="a1b2c3d4"),
        code(
            "from stslab import heatmap, load_model, show_figure\n\nmodel = load_model(model_name)",
            ident="setup",
        ),
        "## The measure\n\nThe cosine of the angle between two vectors, between $-1$ and $1$:\n\n"
        "$$\\cos(a, b) = \\frac{a \\cdot b}{\\lVert a \\rVert \\, \\lVert b \\rVert}$$\n\n"
        "| score | reading |\n|---|---|\n| 0.90 – 1.00 | paraphrase |\n| 0.00 – 0.29 | unrelated |",
        "### Ask\n\nWhich two sentences will score highest? Write your guess down.",
        "## The heatmap",
        code(
            "matrix = similarity_matrix(sentences, model=model)\n"
            'show_figure(heatmap(matrix), "similarity")',
            matrix_bundle(SENTENCES, UPPER),
        ),
        code(
            "show_finding(f'The closest pair scores {best:.2f}.')",
            text_bundle(
                "Of 15 pairs, “I enjoy cooking Italian food.” and “Pasta and pizza are Italian "
                "dishes.” are closest, at 0.71.",
                "finding",
            ),
        ),
        "## Ranking the same sentences\n\nThe query is *How do I train a neural network?*",
        code("show_table(ranked, 'ranking', bars='score')", table_bundle(RANKED)),
        code("show_figure(score_bars(labels, scores), 'bars')", figure_bundle()),
        code("print(matrix.shape)", v4.new_output("stream", name="stdout", text="(6, 6)\n")),
        "## Your turn\n\nAdd a sentence about pets. Which row does it resemble?",
        code("matrix.loc['Cats…'].nlargest(2)", text_bundle("Two rows."), tags=["solution"]),
        "## Recap\n\n- Blocks are topics.\n- The diagonal is always 1.\n- Next: "
        "[the conclusion](09_conclusion.ipynb).",
    )


ANSWERS = [
    "The coffee is good.",
    "The coffee is not good.",
    "Great coffee, thank you!",
    "Your coffee tastes burnt.",
    "The croissants are stale.",
    "The croissants are fresh.",
    "Fresh rolls every morning, lovely.",
    "The sourdough is the best in town.",
    "I come for the sourdough.",
    "Too many poppy seeds on the rolls.",
    "Please bake bread without poppy seed.",
    "The queue is far too long on Saturdays.",
    "I waited twenty minutes on Saturday.",
    "Open earlier on Sundays, please.",
    "Could you open at six?",
    "The staff is friendly.",
    "The staff is rude.",
    "Nobody smiles behind the counter.",
    "A café as it should be.",
    "It is too expensive.",
    "Prices went up again.",
    "Three euros for a roll is a lot.",
    "Please take cards.",
    "I cannot pay with my card.",
    "Wie teuer ist eine Brezel?",
]
CAUTIONS = [
    "2 of the 4 closest pairs differ in a negation or an opposite: read them before you merge.",
    "1 answer is likely not in English: try a multilingual model.",
]


def score(i, j):
    """Make up a similarity that neighbors share."""
    return round(max(-0.1, 0.9 - 0.2 * abs(i - j)), 4) if i // 4 == j // 4 else (i * j) % 13 / 100


def map_bundle(texts, name="map", title="Where do the answers lie?"):
    """Return a map's display_data, as show_figure writes it."""
    points = [[i % 5 + i / 50, i // 5, i % 3, i + 2, text] for i, text in enumerate(texts)]
    groups = ["coffee · good · burnt", "fresh · rolls", "Saturday · queue"]
    output = figure_bundle(name=name, title=title, alt=f"{len(texts)} sentences in 3 clusters.")
    output.data["application/vnd.stslab.map+json"] = {"groups": groups, "points": points}
    return output


def report(answers=ANSWERS):
    """Return the notebook of a report, with one of everything that reports have."""
    n = len(answers)
    upper = [score(i, j) for i in range(n) for j in range(i + 1, n)]
    picture = matrix_bundle(answers, upper, name="main", title="Which answers are alike?")
    picture.data["application/vnd.stslab.matrix+json"]["rows"] = [i + 2 for i in range(n)]
    found = text_bundle(
        "25 answers fall into 6 groups, the largest about “coffee” (7 answers); 2 of the 4 pairs "
        "that score 0.8 or more differ in a negation or an opposite.",
        "finding",
    )
    found.metadata["stslab"] |= {"about": "25 answers, 1 not in English", "cautions": CAUTIONS}
    pairs = [(i + 1, 0.9 - i / 20, text) for i, text in enumerate(answers[:8])]
    nb = notebook(
        "# Report on sentences",
        code("sentences: list[str] = []  # texts", tags=["parameters"], ident="parameters"),
        code("from stslab import heatmap", ident="setup"),
        code("show_finding(finding, about=about, cautions=cautions)", found),
        "## The picture",
        code("show_figure(heatmap(matrix, rows=rows), 'main')", picture),
        "## Which belong together?\n\nThe largest group first.",
        code("show_table(groups, 'groups')", table_bundle(pairs, name="groups")),
        "## A check\n",
        code("assert len(matrix)"),
        "## The map",
        code("show_figure(draw_map(found, groups), 'map')", map_bundle(answers)),
        "## Figures",
        code("show_figure(score_bars(labels, scores), 'bars')", figure_bundle()),
        "Next: [the lesson](08_heatmap.ipynb)",
    )
    nb.cells[0].metadata["tags"] = ["report"]
    return nb


def foreign():
    """Return a notebook by somebody else: no bundles, HTML of pandas, widgets, pictures."""
    pandas = (
        "<div><style scoped>.dataframe tbody tr th { vertical-align: top; }</style>"
        '<table border="1" class="dataframe"><thead><tr style="text-align: right;"><th></th>'
        "<th>a</th></tr></thead><tbody><tr><th>0</th><td>1</td></tr></tbody></table></div>"
    )
    return notebook(
        "# Somebody else's notebook\n\n# A second title\n\n#### A level too deep\n\n"
        '<div style="color:red" onclick="x()">raw <b>HTML</b></div>\n\n![remote](https://example.org/a.png)',
        code(
            "frame", v4.new_output("execute_result", data={"text/html": pandas, "text/plain": "a"})
        ),
        code(
            "plot()",
            v4.new_output("display_data", data={"image/png": PIXEL, "text/plain": "<Figure>"}),
        ),
        code(
            "go()",
            v4.new_output(
                "display_data", data={"application/javascript": "alert(1)", "text/plain": "js"}
            ),
        ),
        code(
            "widget",
            v4.new_output(
                "display_data",
                data={"application/vnd.jupyter.widget-view+json": {}, "text/plain": "IntSlider()"},
            ),
        ),
        code("tqdm()", v4.new_output("stream", name="stderr", text=" 10%\r 50%\r100%\nwarned\n")),
        code(
            "Latex", v4.new_output("display_data", data={"text/latex": "$x^2$", "text/plain": "x"})
        ),
    )


def failing():
    """Return a notebook that papermill stopped in, with its banner."""
    error = v4.new_output(
        "error",
        ename="ValueError",
        evalue="top_k=0: choose 1 to 8.",
        traceback=["\x1b[31mValueError\x1b[39m", "\x1b[38;5;28m----> 1\x1b[39m search(<b>)"],
    )
    banner = notebook(
        '<span style="color:red">An Exception was encountered at '
        "'<a href=\"#papermill-error-cell\">In [5]</a>'.</span>"
    ).cells[0]
    here = notebook(
        '<span id="papermill-error-cell" style="color:red">Execution using papermill encountered '
        "an exception here and stopped:</span>"
    ).cells[0]
    for cell in (banner, here):
        cell.metadata["tags"] = ["papermill-error-cell-tag"]
    return notebook(banner, "# It fails", here, code("search(top_k=0)", error), "## After it")


def hostile():
    """Return a notebook whose every text is hostile."""
    n = len(HOSTILE)
    rows = [(i, 0.5, text) for i, text in enumerate(HOSTILE)]
    return notebook(
        "# Texts that are only texts",
        code(f"sentences: list[str] = {HOSTILE[:-1]!r}  # {HOSTILE[0]}", tags=["parameters"]),
        code("m", matrix_bundle(HOSTILE, [0.5] * (n * n), title=HOSTILE[4])),
        code("t", table_bundle(rows, name=HOSTILE[4], caption=HOSTILE[3])),
        *(code("s", text_bundle(text)) for text in HOSTILE),
        *(code("f", figure_bundle(alt=text[:99], title=text[:99])) for text in HOSTILE),
        code("p", v4.new_output("stream", name="stdout", text="\n".join(HOSTILE))),
        *(
            code("h", v4.new_output("display_data", data={"text/html": text, "text/plain": "x"}))
            for text in HOSTILE
        ),
        *(
            code(
                "svg",
                figure_bundle(
                    svg=f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9'>{text}</svg>",
                    alt=f"number {i}",
                ),
            )
            for i, text in enumerate(HOSTILE[:-1])
        ),
        *HOSTILE[:-1],
    )
