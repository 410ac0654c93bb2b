"""A drawing from a notebook → SVG that is safe: in the page small, in a file of its own whole."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

from markupsafe import Markup, escape

from .assets import name_set, replace_surrogates

LARGEST = 150_000  # characters; a larger drawing is shown as its PNG

ELEMENTS = name_set(
    """
    svg g defs path rect circle ellipse line polyline polygon text tspan use image clipPath
    linearGradient radialGradient stop marker mask pattern symbol
    """
)
ATTRIBUTES = name_set(
    """
    clip-path clip-rule clipPathUnits cx cy d dx dy fill fill-opacity fill-rule font-size
    font-style font-weight gradientTransform gradientUnits height href id image-rendering
    marker-end marker-mid marker-start markerHeight markerUnits markerWidth mask offset opacity
    orient patternTransform patternUnits points preserveAspectRatio r refX refY rotate rx ry
    stop-color stop-opacity stroke stroke-dasharray stroke-dashoffset stroke-linecap
    stroke-linejoin stroke-miterlimit stroke-opacity stroke-width text-anchor textLength transform
    viewBox width x x1 x2 y y1 y2
    """
)
LENGTHS = name_set("cx cy d height points r rx ry width x x1 x2 y y1 y2")
DECIMALS = re.compile(r"(\.\d\d)\d+(?![\deE])")
MOVES = re.compile(r"(?:(?:translate|rotate)\([-\d., ]*\)\s*)+")  # a scale's digits all count
FONT = re.compile(r"(?:(italic|oblique)\s+)?(?:(bold|\d{3})\s+)?([\d.]+)(?:px)?\s+(.*)")
PLACE = re.compile(r"#([\w.-]+)")
PLACE_AS_URL = re.compile(r"url\(\s*['\"]?#([\w.-]+)['\"]?\s*\)", re.IGNORECASE)
CALLED = re.compile(r"(?<![\w-])[\w-]*(?=\()")
# All that a value may call: any other function may be one that asks for an address.
FUNCTIONS = name_set("matrix translate scale rotate skewx skewy rgb rgba hsl hsla")
DEEPEST = 200  # elements inside each other


def inline_svg(source: str, *, prefix: str, label: str) -> Markup | None:
    """Make a drawing that can stand inside a page beside others.

    Styles become attributes, because the page's policy forbids styles; ids that are referred to
    get a prefix, because two drawings by matplotlib share theirs, and the others go; fonts are
    dropped for the page's own. None where it cannot be read or is too large.
    """
    root = _cleaned(source, ATTRIBUTES, f"{prefix}-") if len(source) <= LARGEST else None
    if root is None:
        return None
    known = {
        place
        for element in root.iter()
        for name, value in element.attrib.items()
        if name == "href" or value.startswith("url(")
        for place in PLACE.findall(value)
    }
    for element in root.iter():
        if element.get("id") not in known:
            element.attrib.pop("id", None)
    width = _length(root.attrib.pop("width", ""))
    root.attrib.pop("height", None)
    if width:  # matplotlib counts points; a page counts pixels
        root.set("width", f"{width * 4 / 3:.0f}")
    if _box(root)[2] >= 100:
        # What is smaller than a hundredth cannot be seen. It is cut, because rounding could carry
        # into the digits before the point, where a path may hold flags.
        for element in root.iter():
            for name in LENGTHS & element.attrib.keys():
                element.set(name, " ".join(DECIMALS.sub(r"\1", element.attrib[name]).split()))
            if MOVES.fullmatch(transform := element.get("transform", "")):
                element.set("transform", DECIMALS.sub(r"\1", transform))
    lines = ElementTree.tostring(root, encoding="unicode").split("\n")
    body = " ".join(filter(None, map(str.strip, lines)))
    return Markup(f'<svg role="img" aria-label="{escape(label)}"{body[len("<svg") :]}')


def standalone_svg(source: str) -> str | None:
    """Make a drawing for a file of its own, which no policy guards when it is opened.

    Nothing is left that runs or asks for an address. What matplotlib draws stays as it is, with
    its fonts and names for an editor. None where it cannot be read.
    """
    root = _cleaned(source, ATTRIBUTES | {"font-family"}, "")
    if root is None:
        return None
    for element in root.iter():
        if "href" in element.attrib:  # as editors of today know it
            element.set("xlink:href", element.attrib.pop("href"))
    root.set("xmlns", "http://www.w3.org/2000/svg")
    root.set("xmlns:xlink", "http://www.w3.org/1999/xlink")
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _cleaned(source: str, attributes: set[str], prefix: str) -> ElementTree.Element | None:
    source = re.sub(r"<!DOCTYPE\s[^<>\[]*>", "", replace_surrogates(source), count=1)
    if "<!DOCTYPE" in source or "<!ENTITY" in source:
        return None
    try:
        root = ElementTree.fromstring(source)
        if _local(root.tag) != "svg":
            return None
        _clean(root, attributes, prefix, DEEPEST)
        width, height = (_length(root.get(side, "")) for side in ("width", "height"))
        root.attrib.setdefault("viewBox", f"0 0 {width:g} {height:g}")
        box = _box(root)
    except (ElementTree.ParseError, ValueError):
        return None
    if len(box) != 4 or not all(map(math.isfinite, box)) or min(box[2:]) <= 0:
        return None
    root.attrib.setdefault("stroke-linecap", "butt")  # what matplotlib's own style element says
    root.attrib.setdefault("stroke-linejoin", "round")
    return root


def _box(root: ElementTree.Element) -> list[float]:
    return [float(number) for number in re.split(r"\s*,\s*|\s+", root.attrib["viewBox"])]


def _length(text: str) -> float:
    found = re.match(r"\d+(?:\.\d+)?", text)
    return float(found[0]) if found else 0.0


def _clean(element: ElementTree.Element, attributes: set[str], prefix: str, levels: int) -> None:
    if not levels:
        raise ValueError("too many elements inside each other")
    element.tag = _local(element.tag)
    given = {_local(name): value for name, value in element.attrib.items()}
    given = _declarations(given.pop("style", "")) | given
    element.attrib.clear()
    for name, value in given.items():
        if name in attributes and (safe := _safe(name, value.strip(), prefix)) is not None:
            element.set(name, safe)
    for child in list(element):
        # Comments and processing instructions have a function for a tag.
        if isinstance(child.tag, str) and _local(child.tag) in ELEMENTS:
            _clean(child, attributes, prefix, levels - 1)
        else:
            element.remove(child)


def _safe(name: str, value: str, prefix: str) -> str | None:
    """Give a value without addresses, its places renamed; None where it must go."""
    if "\\" in value:  # a stylesheet's way to spell url() differently
        return None
    if name == "id":
        return f"{prefix}{value}"
    if name == "href":
        if re.match(r"data:image/(png|jpeg);base64,[\w+/=\s]+$", value):
            return value
        return f"#{prefix}{value[1:]}" if value.startswith("#") else None
    if place := PLACE_AS_URL.fullmatch(value):
        return f"url(#{prefix}{place[1]})"
    return value if FUNCTIONS.issuperset(CALLED.findall(value.lower())) else None


def _declarations(style: str) -> dict[str, str]:
    pairs = (part.partition(":") for part in style.split(";") if ":" in part)
    found = {name.strip(): value.strip() for name, _, value in pairs}
    if font := FONT.match(found.pop("font", "")):
        slant, weight, size, family = font.groups()
        parts = {"size": size, "family": family, "style": slant, "weight": weight}
        found |= {f"font-{name}": part for name, part in parts.items() if part is not None}
    return {name: re.sub(r"(?<=\d)px$", "", value) for name, value in found.items()}


def _local(name: str) -> str:
    return name.rpartition("}")[2]
