"""Photograph three pages of the tutorial's report and the page that computes.

Light and dark, phone and desktop.

make screenshots        builds them first; needs Chromium
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parent.parent
SIZES = {"phone": (390, 844), "desktop": (1280, 860)}
# What a picture is called → the page, and what it is turned to.
PAGES = {
    "index": ("index.html", "h1"),
    "pairs": ("05_sentence_pairs.html", "#table-pairs"),
    "heatmap": ("08_heatmap.html", "#figure-heatmap"),
}


def main() -> None:
    names = ("chromium", "chromium-browser", "google-chrome")
    path = os.environ.get("STSLAB_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if path is None:
        sys.exit("no Chromium found: install one, or set STSLAB_CHROMIUM")
    report = ROOT / "reports" / "tutorial"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for device, (width, height) in SIZES.items():
            for scheme in ("light", "dark"):
                page = browser.new_page(
                    viewport={"width": width, "height": height}, color_scheme=scheme
                )
                for name, (file, target) in PAGES.items():
                    page.goto((report / file).as_uri())
                    for _ in range(2):  # what comes into sight is drawn, and moves the rest
                        page.locator(target).first.evaluate(
                            "node => scrollBy(0, node.getBoundingClientRect().top - 100)"
                        )
                        page.wait_for_timeout(300)
                    if name == "heatmap":
                        page.locator(f"{target} td").nth(23).hover()
                    page.screenshot(path=ROOT / f"docs/images/{name}-{device}-{scheme}.png")
                page.goto((ROOT / "reports" / "live" / "live.html").as_uri())
                page.locator("#why summary").click()
                page.locator("#why .worded").first.wait_for(timeout=60_000)
                page.screenshot(path=ROOT / f"docs/images/live-{device}-{scheme}.png")
                page.close()
        browser.close()


if __name__ == "__main__":
    main()
