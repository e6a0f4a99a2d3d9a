"""A headless Chromium, which notes whatever a page asks for or complains of."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
PHONE = {"width": 375, "height": 812}
DESKTOP = {"width": 1280, "height": 900}

DRIVER = "GL Driver Message (OpenGL, Performance"
"""What Chromium says of WebGL that the processor draws: no complaint about a page."""

Opening = Callable[..., Any]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    found = os.environ.get("CHROMIUM") or next((path for name in NAMES if (path := shutil.which(name))), None)
    assert found, "needs an installed Chromium: CHROMIUM=/path names it"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium: Browser) -> Iterator[Opening]:
    """Open a file in a window of its own; at the end nothing may have been complained of or asked for."""
    contexts, noted = [], []

    def asked(url: str) -> None:
        if not url.startswith(("file:", "data:", "blob:")):
            noted.append(f"request: {url}")

    def complained(text: str) -> None:
        if DRIVER not in text:
            noted.append(f"console: {text}")

    def open_it(path: Path, size: dict[str, int] = DESKTOP, scheme: str = "light") -> Any:
        context = chromium.new_context(viewport=size, color_scheme=scheme, has_touch=size is PHONE)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complained(message.text))
        page.on("pageerror", lambda error: noted.append(f"error: {error}"))
        page.on("request", lambda request: asked(request.url))
        page.goto(path.as_uri())
        page.wait_for_function("[...document.querySelectorAll('.plot')].every(plot => plot.querySelector('.main-svg'))")
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert noted == []
