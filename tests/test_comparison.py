"""comparison.py and record.py: nothing may differ but the digits that are listed."""

from __future__ import annotations

import json
import math
import random
import re
from html.parser import HTMLParser

import page_fixtures as fixtures
import pytest
from nbformat import v4

from stslab.report.page.exporter import StslabExporter
from stslab.report.page.record import embed, read_record, split_page
from stslab.report.reproducing.comparison import COORDINATES, compare

# Coordinates as matplotlib writes them, and all that has units of its own.
DRAWING = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 460.8 345.6" width="460.8pt">
 <defs><path id="mcdc01bbd25" d="M 0 3.5 C 0.928211 3.5 1.81853 3.131218 2.474874 2.474874"/>
 <clipPath id="p1"><rect x="57.6" y="41.472" width="357.12" height="266.112"/></clipPath></defs>
 <linearGradient id="l1" x1="0.125" x2="0.875"><stop offset="0.125" stop-color="#4878a8"/>
 </linearGradient>
 <g clip-path="url(#p1)" transform="translate(12.34 56.78)">
  <use href="#mcdc01bbd25" x="73.832727" y="295.488" style="fill: #1f77b4"/>
  <path d="M 57.61 307.58 L 414.72 41.47" style="stroke: #1f77b4; stroke-width: 1.5"/>
  <path d="M 1.25 2.5 a 3.25 3.25 0 0 1 4.75 5.5"/>
  <g transform="scale(10.5)"><rect x="1.25" y="2.25" width="3.25" height="4.25"/></g>
  <text transform="rotate(-33.25 20.25 30.25)" x="20.25" y="30.25">0.123456 of 1.5</text>
 </g></svg>"""
PRINTED = """[ 0.01234567 -0.41889123] 12.5 1.25e-08 3.1415926535 version 1.20.12345 at 4.12345678.
"""


@pytest.fixture(scope="module")
def page():
    """A page with a drawing, a heatmap, tables and printed numbers."""
    notebook = fixtures.tutorial()
    drawing = fixtures.figure_bundle("scatter", alt="highest 0.76, lowest 0.02", svg=DRAWING)
    printed = v4.new_output("stream", name="stdout", text=PRINTED)
    notebook.cells += [fixtures.code("draw()", drawing), fixtures.code("print(x)", printed)]
    notebook.cells.append(v4.new_markdown_cell('A <b title="0.1234567">bold</b> word.'))
    record = {"notebook_name": "nb.ipynb", "parameters": {"n": 7}, "sha256": {"notebook": "ab"}}
    return StslabExporter().from_notebook_node(
        notebook, {"metadata": {"name": "nb"}, "stslab": {"record": record}}
    )[0]


def differences(page, forged):
    """Judge a page as `stslab reproduce` does, but for running its notebook."""
    try:
        forged_page = split_page(forged)
    except ValueError as error:
        return [str(error)]
    ours = split_page(page)
    if forged_page.record != ours.record:
        return ["what it claims to be made from"]
    return compare(forged_page.html, ours.html)


def changed(page, old, new, count=1):
    assert old in page, old
    return page.replace(old, new, count)


def test_a_page_equals_itself(page):
    assert differences(page, page) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0.01234567", "0.01234999"),
        ("-0.41889123", "-0.41893999"),
        ("3.1415926535", "3.1416000001"),
        ("4.12345678.", "4.12349999."),
        (">0.123456 of", ">0.123459 of"),
        ('x="73.83"', 'x="73.87"'),
        ("57.61 307.58 L 414.72 41.47", "57.65 307.55 L 414.69 41.50"),
        ("translate(12.34 56.78)", "translate(12.38 56.74)"),
        ("rotate(-33.25 20.25 30.25)", "rotate(-33.25 20.29 30.21)"),
        ('width="357.12"', 'width="357.16"'),
    ],
)
def test_what_rounding_may_change_is_equal(page, old, new):
    """Digits for digits, within four decimals or a ten-thousandth of a drawing's width."""
    assert differences(page, changed(page, old, new)) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0.01234567", "0.01244567"),
        ("0.01234567", "0.1234567"),
        ("0.01234567", "0.012345678"),
        ("0.01234567", "0.0123456७"),
        ("-0.41889123", "+0.41889123"),
        ("1.25e-08", "1.26e-08"),
        ("1.25e-08", "1.25e-09"),
        ("12.5 ", "12.6 "),
        ("1.20.12345", "1.20.12346"),
        ("4.12345678", "#"),
        ("0.4655", "0.4656"),
        ("0.4655", "0.৪655"),
        ('x="73.83"', 'x="73.93"'),
        ('x="73.83"', 'x="173.83"'),
        ('x="73.83"', 'x="7.383e1"'),
        ("rotate(-33.25 ", "rotate(-33.26 "),
        ("0 0 1 4.75", "0 0 0 4.75"),
        ("a 3.25 3.25", "a 3.26 3.25"),
        ('<rect x="1.25"', '<rect x="1.26"'),
        ('x1="0.12"', 'x1="0.13"'),
        ("viewBox=", "viewbox="),
        ('viewBox="0 0 460.8 345.6"', 'viewBox="0 0 460.9 345.6"'),
        ('stroke-width="1.5"', 'stroke-width="1.6"'),
        ("highest 0.76, lowest 0.02", "highest 0.81, lowest -.03"),
        ("scatter-mcdc01bbd25", "scatter-mcdc1bbd25"),
        ('href="#figure-scatter-mcdc01bbd25"', 'href="#figure-scatter-mcdc01bbd26"'),
        ("#4878a8", "#4878a9"),
        ('stop offset="0.125"', 'stop offset="0.126"'),
        ('title="0.1234567"', 'title="0.1234568"'),
        ("0.465500", "0.465501"),  # in the CSV of a table, behind a data: address
        ('data-scores="10000 5700', 'data-scores="10000 5701'),
        ("default-src 'none'", "default-src *"),
        ("<main ", "<main onclick=x() "),
        ("<title>", "<title>0.12345 "),
        ("Cats and dogs", "Cats and  dogs"),
        ("Cats and dogs", "Cats аnd dogs"),
        ("</main>", "<script>x()</script></main>"),
        ("<!doctype html>", "\ufeff<!doctype html>"),
        ("</html>", "</html> <!-- -->"),
        ("</html>", "</html>\n"),
    ],
)
def test_everything_else_is_found(page, old, new):
    """Whatever cannot be proved harmless counts as a difference, and is printable."""
    found = differences(page, changed(page, old, new))
    assert found
    assert all(line.isprintable() for line in found)


def test_points_that_vanish_are_found_in_their_drawing(page):
    """01 equals 1 as a number; in an address it is another place."""
    (line,) = differences(page, page.replace("#figure-scatter-mcdc01bbd25", "#figure-scatter-mc"))
    assert "scatter-mc" in line
    assert "mcdc01bbd25" in line


def test_a_difference_is_told_with_its_place(page):
    forged = changed(page, "Backpropagation", "Back-propagation")
    (line,) = differences(page, forged)
    assert line.startswith("after “a deep learning model.")
    assert line.endswith("”: Back-propagation in the page, Backpropagation here")
    (line,) = differences(page, changed(page, "<main", "<p>Buy this</p><main"))
    assert "<p>Buy this</p> in the page, nothing here" in line


def test_line_ends_that_mail_changed_are_named(page):
    (line,) = differences(page, page.replace("\n", "\r\n"))
    assert "CR LF" in line


# The record ------------------------------------------------------------------------------------

SCRIPT = "<img src='data:,' onerror='document.title=1'>"


def record_of(page):
    start = page.index('<script type="application/json"')
    return page[start : page.index("</script>", start) + len("</script>")]


def with_record_text(page, text):
    """Put another text into the record, with the right digest beside it."""
    element = str(embed(json.loads(text)))
    digest = re.search('data-sha256="([0-9a-f]*)"', element)[1]
    start = f'<script type="application/json" id="stslab-record" data-sha256="{digest}">'
    return page.replace(record_of(page), f"{start}{text}</script>")


@pytest.mark.parametrize(
    "tag",
    ["<meta {}content='default-src *'>", "<title>{}", "<style>{}", "<!-- {} -->", "<p>{}</p>"],
)
def test_a_record_in_another_place_is_refused(page, tag):
    """In another tag a browser reads it as something else."""
    element = record_of(page)
    moved = page.replace(element, "").replace("<head>", "<head>" + tag.replace("{}", element), 1)
    with pytest.raises(ValueError, match="not at the end of the page"):
        read_record(moved)


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda text: text.replace("{", f'{{"notebook_name":"{SCRIPT}",', 1),
        lambda text: text.replace("{", '{"notebook_name":"harmless",', 1),
        lambda text: text.replace('"n":7', '"n":8,"n":7'),
        lambda text: text.replace("{", "{ ", 1),
        lambda text: text.replace("nb.ipynb", "\\u006eb.ipynb"),
        lambda text: text.replace('"n":7', '"n":7.0'),
        lambda text: text.replace('"n":7', '"n":7e0'),
    ],
    ids=["a key twice, with markup", "a key twice", "deeper", "space", "escape", "float", "1e0"],
)
def test_a_record_in_other_words_is_refused(page, rewrite):
    """What parses to the same must be written the same, or it can hold anything."""
    text = record_of(page).split(">", 1)[1].removesuffix("</script>")
    forged = with_record_text(page, rewrite(text))
    assert forged != page
    if rewrite(text) == text.replace('"n":7', '"n":7.0'):
        assert read_record(forged)["parameters"] == {"n": 7.0}  # another claim, see test_stranger
        return
    with pytest.raises(ValueError, match=r"not written as stslab|not at the end|damaged"):
        read_record(forged)


# Any byte --------------------------------------------------------------------------------------


class Reading(HTMLParser):
    """Another reading of a page: its tags and attributes, and its texts, in order."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.parts = []
        self.inside = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.parts.append(("tag", tag, tuple(attributes), "svg" in self.inside or tag == "svg"))
        self.inside.append(tag)

    def handle_endtag(self, tag):
        self.parts.append(("end", tag))
        while self.inside and self.inside.pop() != tag:
            pass

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self.inside.pop()

    def handle_data(self, text):
        raw = {"script", "style", "title"}.intersection(self.inside)
        self.parts.append(("raw" if raw else "text", text))

    def handle_decl(self, declaration):
        self.parts.append(("declaration", declaration))


def only_listed_numbers_differ(forged, ours, width):
    """Judge two readings of pages by the list in comparison.py."""
    if len(forged.parts) != len(ours.parts):
        return False
    for part, our_part in zip(forged.parts, ours.parts, strict=True):
        if part == our_part:
            continue
        if part[:2] == our_part[:2] and part[0] == "tag" and our_part[3]:
            pairs = list(zip(part[2], our_part[2], strict=True))
            if not all(
                (name, value) == (our_name, our_value)
                or (
                    name == our_name
                    and (name in COORDINATES or name == "transform")
                    and numbers_close(value, our_value, width * 1e-4)
                )
                for (name, value), (our_name, our_value) in pairs
            ):
                return False
        elif not (part[0] == our_part[0] == "text" and numbers_close(part[1], our_part[1], 5e-5)):
            return False
    return True


def numbers_close(text, ours, tolerance):
    number = r"-?[0-9]*\.[0-9]+"
    if len(text) != len(ours) or re.split(number, text) != re.split(number, ours):
        return False
    pairs = zip(re.findall(number, text), re.findall(number, ours), strict=True)
    return all(math.isclose(float(a), float(b), rel_tol=0, abs_tol=tolerance) for a, b in pairs)


@pytest.mark.parametrize(
    "count", [200, pytest.param(2000, marks=pytest.mark.thorough)], ids=["some", "many"]
)
def test_any_byte_that_changes_is_found_unless_it_is_a_listed_digit(page, count):
    """Half of the mutations fall anywhere, half on a digit."""
    random.seed(count)
    content = page.encode()
    digits = [index for index, byte in enumerate(content) if 48 <= byte <= 57]
    ours = Reading(page)
    equal = 0
    for turn in range(count):
        if turn % 2:
            position, byte = random.choice(digits), random.randrange(48, 58)
        else:
            position, byte = random.randrange(len(content)), random.randrange(256)
        mutated = content[:position] + bytes([byte]) + content[position + 1 :]
        if mutated == content:
            continue
        try:
            forged = mutated.decode()
        except UnicodeDecodeError:
            continue  # refused before it is compared
        if not differences(page, forged):
            equal += 1
            assert chr(byte).isdigit()
            assert only_listed_numbers_differ(Reading(forged), ours, 460.8), position
    assert equal < count / 10
