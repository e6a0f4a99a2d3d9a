"""Pictures of a report as phone and desk show it, light and dark: make screenshots REPORT=RUN/report.html NAME=run."""

import argparse
import io
import os
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

SIZES = {"phone": (390, 844), "desktop": (1280, 900)}
SHADES = 128
"""Colours of a picture, spread so that those of few points stay; a page of 1280 by 900 is then some 50 KB."""


def main() -> None:
    """Write NAME-phone-light.png and its three siblings, each from the top of the page or from a heading."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path)
    parser.add_argument("--name", required=True)
    parser.add_argument("--to", type=Path, default=Path("docs/images"))
    parser.add_argument("--part", help="the heading to begin at, such as Examples")
    asked = parser.parse_args()
    asked.to.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        found = os.environ.get("CHROMIUM") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        for device, (width, height) in SIZES.items():
            for scheme in ("light", "dark"):
                page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
                page.goto(asked.report.absolute().as_uri())
                page.wait_for_timeout(1000)
                _save(page, asked.part, asked.to / f"{asked.name}-{device}-{scheme}.png")
                page.close()
        browser.close()


def _save(page: Page, part: str | None, path: Path) -> None:
    if part:
        page.locator("h2", has_text=part).first.evaluate("place => place.scrollIntoView()")
        page.wait_for_timeout(300)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.quantize(SHADES, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path}: {path.stat().st_size / 1000:.0f} KB")


if __name__ == "__main__":
    main()
