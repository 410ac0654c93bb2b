"""A drawing from a notebook → SVG inside the page: safe, small, in the reader's fonts."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

from markupsafe import Markup, escape

from .look import whole, words

LARGEST = 150_000  # characters; a larger drawing is shown as its PNG

ELEMENTS = words(
    """
    svg g defs path rect circle ellipse line polyline polygon text tspan use image clipPath
    linearGradient radialGradient stop marker mask pattern symbol
    """
)
ATTRIBUTES = words(
    """
    clip-path clip-rule clipPathUnits cx cy d dx dy fill fill-opacity fill-rule font-family
    font-size font-style font-weight gradientTransform gradientUnits height href id marker-end
    marker-mid marker-start markerHeight markerUnits markerWidth mask offset opacity orient
    patternTransform patternUnits points preserveAspectRatio r refX refY rotate rx ry stop-color
    stop-opacity stroke stroke-dasharray stroke-dashoffset stroke-linecap stroke-linejoin
    stroke-miterlimit stroke-opacity stroke-width text-anchor textLength transform viewBox width x
    x1 x2 y y1 y2
    """
)
LENGTHS = words("cx cy d height points r rx ry width x x1 x2 y y1 y2")
DECIMALS = re.compile(r"-?\d*\.\d{3,}")
FONT = re.compile(r"(?:(italic|oblique)\s+)?(?:(bold|\d{3})\s+)?([\d.]+)(?:px)?\s+(.*)")


def inline_svg(source: str, *, prefix: str, label: str) -> Markup | None:
    """Make a drawing that can stand inside a page beside others.

    Styles become attributes, because the page's policy forbids styles; ids that are referred to
    get a prefix, because two drawings by matplotlib share theirs, and the others go; fonts are
    dropped for the page's own; hundredths of a point are kept.

    Parameters
    ----------
    source : str
        SVG.
    prefix : str
        Unique on the page.
    label : str
        The text alternative.

    Returns
    -------
    Markup or None
        None where this cannot be read or is too large: show another form.
    """
    source = re.sub(r"<!DOCTYPE\s[^>\[]*>", "", whole(source), count=1)
    if len(source) > LARGEST or "<!DOCTYPE" in source or "<!ENTITY" in source:
        return None
    try:
        known = set(re.findall(r"(?:url\(\s*['\"]?|href=['\"])#([\w.-]+)", source))
        return _drawn(ElementTree.fromstring(source), prefix, label, known)
    except (ElementTree.ParseError, ValueError, RecursionError):
        return None


def _drawn(root: ElementTree.Element, prefix: str, label: str, known: set[str]) -> Markup | None:
    if _local(root.tag) != "svg":
        return None
    _clean(root, prefix, known)
    size = [re.match(r"\d+(?:\.\d+)?", root.attrib.pop(side, "")) for side in ("width", "height")]
    width, height = (float(number[0]) if number else 0.0 for number in size)
    box = root.attrib.setdefault("viewBox", f"0 0 {width:g} {height:g}")
    numbers = [float(number) for number in re.split(r"\s*,\s*|\s+", box)]
    if len(numbers) != 4 or not all(map(math.isfinite, numbers)) or min(numbers[2:]) <= 0:
        return None
    if width:  # matplotlib counts points; a page counts pixels
        root.set("width", f"{width * 4 / 3:.0f}")
    root.set("stroke-linecap", "butt")  # what matplotlib's own style element says
    root.set("stroke-linejoin", "round")
    if numbers[2] >= 100:
        _shorten(root)
    body = re.sub(r"\s*\n\s*", " ", ElementTree.tostring(root, encoding="unicode"))
    return Markup(f'<svg role="img" aria-label="{escape(label)}"{body[len("<svg") :]}')


def _clean(element: ElementTree.Element, prefix: str, known: set[str]) -> None:
    element.tag = _local(element.tag)
    given = {_local(name): value for name, value in element.attrib.items()}
    given = _declarations(given.pop("style", "")) | given
    element.attrib.clear()
    for name, value in given.items():
        value = value.strip()
        if "\\" in value:  # a stylesheet's way to spell url() differently
            continue
        if name not in ATTRIBUTES or name == "font-family":
            continue
        if name == "id":
            if value not in known:
                continue
            value = f"{prefix}-{value}"
        elif name == "href":
            if re.match(r"data:image/(png|jpeg);base64,[\w+/=\s]+$", value):
                pass
            elif value.startswith("#"):
                value = f"#{prefix}-{value[1:]}"
            else:
                continue
        elif "url(" in value:
            found = re.fullmatch(r"url\(\s*['\"]?#([\w.-]+)['\"]?\s*\)", value)
            if not found:
                continue
            value = f"url(#{prefix}-{found[1]})"
        element.set(name, value)
    for child in list(element):
        # Comments and processing instructions have a function for a tag.
        if isinstance(child.tag, str) and _local(child.tag) in ELEMENTS:
            _clean(child, prefix, known)
        else:
            element.remove(child)


def _declarations(style: str) -> dict[str, str]:
    pairs = (part.partition(":") for part in style.split(";") if ":" in part)
    found = {name.strip(): value.strip() for name, _, value in pairs}
    if font := FONT.match(found.pop("font", "")):
        slant, weight, size, _ = font.groups()
        found |= {"font-size": size}
        found |= {"font-style": slant} if slant else {}
        found |= {"font-weight": weight} if weight else {}
    return {name: re.sub(r"(?<=\d)px$", "", value) for name, value in found.items()}


def _shorten(root: ElementTree.Element) -> None:
    """Round lengths to hundredths, where these are too small to be seen."""
    for element in root.iter():
        for name in LENGTHS & element.attrib.keys():
            lengths = DECIMALS.sub(_hundredths, element.attrib[name])
            element.set(name, " ".join(lengths.split()))


def _hundredths(number: re.Match[str]) -> str:
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")


def _local(name: str) -> str:
    return name.rpartition("}")[2]
