"""A drawing from a notebook → SVG that is safe, to stand in a page or in a file of its own."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

from markupsafe import Markup, escape

from .assets import name_set, replace_surrogates

LARGEST_INLINE = 150_000  # characters; a page shows a larger drawing as its PNG
DEEPEST = 200  # elements inside each other

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
COORDINATES = name_set("cx cy d height points r rx ry width x x1 x2 y y1 y2")
LONG_DECIMALS = re.compile(r"(\.\d\d)\d+(?![\deE])")
# A movement; not a scale, whose digits all count.
MOVES = re.compile(r"(?:(?:translate|rotate)\([-0-9., ]*\)\s*)+")
# The shorthand that matplotlib writes: style, weight, size and family.
FONT = re.compile(r"(?:(italic|oblique)\s+)?(?:(bold|\d{3})\s+)?([\d.]+)(?:px)?\s+(.*)")
REFERENCE = re.compile(r"#([\w.-]+)")
REFERENCE_AS_URL = re.compile(r"url\(\s*['\"]?#([\w.-]+)['\"]?\s*\)", re.IGNORECASE)
IMAGE_DATA = re.compile(r"data:image/(png|jpeg);base64,[\w+/=\s]+$")
FUNCTION_CALL = re.compile(r"(?<![\w-])[\w-]*(?=\()")
# All functions that a value may call. Any other may be one that asks for an address.
FUNCTIONS = name_set("matrix translate scale rotate skewx skewy rgb rgba hsl hsla")


def inline_svg(source: str, *, prefix: str, label: str) -> Markup | None:
    """Return a drawing that can stand inside a page beside others.

    Styles become attributes, because the page's policy forbids styles. Ids that the drawing refers
    to get a prefix, because two drawings by matplotlib have the same ones; other ids go. Fonts are
    dropped for the page's own.

    Parameters
    ----------
    source : str
        The SVG.
    prefix : str
        What ids begin with, different for each drawing of a page.
    label : str
        What the drawing shows, in words.

    Returns
    -------
    Markup or None
        None if the drawing cannot be read or is too large.
    """
    if len(source) > LARGEST_INLINE:
        return None
    root = _cleaned(source, ATTRIBUTES, f"{prefix}-")
    if root is None:
        return None
    _drop_unused_ids(root)
    width = _length(root.attrib.pop("width", ""))
    root.attrib.pop("height", None)
    if width:  # matplotlib counts points; a page counts pixels
        root.set("width", f"{width * 4 / 3:.0f}")
    _, _, box_width, _ = _view_box(root)
    if box_width >= 100:
        _shorten_coordinates(root)
    lines = ElementTree.tostring(root, encoding="unicode").split("\n")
    body = " ".join(line.strip() for line in lines if line.strip())
    attributes_and_content = body[len("<svg") :]
    return Markup(f'<svg role="img" aria-label="{escape(label)}"{attributes_and_content}')


def standalone_svg(source: str) -> str | None:
    """Return a drawing for a file of its own, which no policy guards when it is opened.

    Nothing that runs or asks for an address is left. What matplotlib draws stays as it is, with
    its fonts, and its names for an editor. None if the drawing cannot be read.
    """
    root = _cleaned(source, ATTRIBUTES | {"font-family"}, "")
    if root is None:
        return None
    for element in root.iter():
        if "href" in element.attrib:  # editors of today know it by its older name
            element.set("xlink:href", element.attrib.pop("href"))
    root.set("xmlns", "http://www.w3.org/2000/svg")
    root.set("xmlns:xlink", "http://www.w3.org/1999/xlink")
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _cleaned(source: str, attributes: set[str], prefix: str) -> ElementTree.Element | None:
    """Return the root of a drawing that holds allowed elements and `attributes` alone."""
    source = re.sub(r"<!DOCTYPE\s[^<>\[]*>", "", replace_surrogates(source), count=1)
    # A document type that is left can declare entities, which grow without limit when read.
    if "<!DOCTYPE" in source or "<!ENTITY" in source:
        return None
    try:
        root = ElementTree.fromstring(source)
        if _local_name(root.tag) != "svg":
            return None
        _clean(root, attributes, prefix, DEEPEST)
        width, height = (_length(root.get(side, "")) for side in ("width", "height"))
        root.attrib.setdefault("viewBox", f"0 0 {width:g} {height:g}")
        view_box = _view_box(root)
    except (ElementTree.ParseError, ValueError):
        return None
    if len(view_box) != 4 or not all(map(math.isfinite, view_box)) or min(view_box[2:]) <= 0:
        return None
    # matplotlib sets these two in its style element, which was removed.
    root.attrib.setdefault("stroke-linecap", "butt")
    root.attrib.setdefault("stroke-linejoin", "round")
    return root


def _clean(element: ElementTree.Element, attributes: set[str], prefix: str, levels: int) -> None:
    """Remove from an element what is not allowed in it, down to so many levels."""
    if not levels:
        raise ValueError("too many elements inside each other")
    element.tag = _local_name(element.tag)
    values = {_local_name(name): value for name, value in element.attrib.items()}
    # If a style and an attribute set the same, the attribute stays.
    values = _declarations(values.pop("style", "")) | values
    element.attrib.clear()
    for name, value in values.items():
        if name in attributes:
            safe_value = _safe_value(name, value.strip(), prefix)
            if safe_value is not None:
                element.set(name, safe_value)
    for child in list(element):
        # Comments and processing instructions have a function for a tag.
        if isinstance(child.tag, str) and _local_name(child.tag) in ELEMENTS:
            _clean(child, attributes, prefix, levels - 1)
        else:
            element.remove(child)


def _safe_value(name: str, value: str, prefix: str) -> str | None:
    """Return a value that asks for no address, its references prefixed; None to remove it."""
    if "\\" in value:  # a stylesheet's way to spell url() differently
        return None
    if name == "id":
        return f"{prefix}{value}"
    if name == "href":
        if IMAGE_DATA.match(value):
            return value
        if value.startswith("#"):
            return f"#{prefix}{value[1:]}"
        return None
    reference = REFERENCE_AS_URL.fullmatch(value)
    if reference:
        return f"url(#{prefix}{reference[1]})"
    if not FUNCTIONS.issuperset(FUNCTION_CALL.findall(value.lower())):
        return None
    return value


def _declarations(style: str) -> dict[str, str]:
    """Return the declarations of a style attribute as attributes of SVG."""
    values = {}
    for declaration in style.split(";"):
        name, colon, value = declaration.partition(":")
        if colon:
            values[name.strip()] = value.strip()
    font = FONT.match(values.pop("font", ""))
    if font:
        slant, weight, size, family = font.groups()
        values["font-size"] = size
        values["font-family"] = family
        if slant is not None:
            values["font-style"] = slant
        if weight is not None:
            values["font-weight"] = weight
    return {name: re.sub(r"(?<=\d)px$", "", value) for name, value in values.items()}


def _drop_unused_ids(root: ElementTree.Element) -> None:
    """Remove the ids that nothing in a drawing refers to."""
    used_ids = set()
    for element in root.iter():
        for name, value in element.attrib.items():
            if name == "href" or value.startswith("url("):
                used_ids.update(REFERENCE.findall(value))
    for element in root.iter():
        if element.get("id") not in used_ids:
            element.attrib.pop("id", None)


def _shorten_coordinates(root: ElementTree.Element) -> None:
    """Cut coordinates to hundredths, which is as much as can be seen.

    They are not rounded: that could carry into the digits before the point, where a path may hold
    flags of an arc without a space between.
    """
    for element in root.iter():
        for name in COORDINATES & element.attrib.keys():
            numbers = LONG_DECIMALS.sub(r"\1", element.attrib[name]).split()
            element.set(name, " ".join(numbers))
        transform = element.get("transform", "")
        if MOVES.fullmatch(transform):
            element.set("transform", LONG_DECIMALS.sub(r"\1", transform))


def _view_box(root: ElementTree.Element) -> list[float]:
    return [float(number) for number in re.split(r"\s*,\s*|\s+", root.attrib["viewBox"])]


def _length(text: str) -> float:
    """Return the number that a length begins with, whatever its unit; 0 if there is none."""
    number = re.match(r"\d+(?:\.\d+)?", text)
    if not number:
        return 0.0
    return float(number[0])


def _local_name(name: str) -> str:
    """Return a name without its namespace."""
    return name.rpartition("}")[2]
