"""The first screen of a report as a PNG, by a headless Chromium where there is one."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from harness.errors import SetupError
from harness.store import disk_errors, write_atomically

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
WIDTH_PX, HEIGHT_PX = 1280, 1000
_LIMIT_S = 60.0
_QUIET = (
    "--headless",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
)


def find_browser() -> str | None:
    """Path of a browser that can take the picture; None where there is none."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def take_picture(browser: str, page: Path, picture: Path) -> None:
    """Draws the first screen of an HTML file, on light paper, into a PNG file. Raises SetupError when the browser makes none."""
    with tempfile.TemporaryDirectory(prefix="harness-picture-", ignore_cleanup_errors=True) as scratch:
        shot = Path(scratch) / "shot.png"
        command = [
            browser, *_QUIET, *(("--no-sandbox",) if os.geteuid() == 0 else ()), f"--user-data-dir={scratch}/profile",
            f"--window-size={WIDTH_PX},{HEIGHT_PX}", f"--screenshot={shot}", page.resolve().as_uri(),
        ]  # fmt: skip
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT_S)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SetupError(f"{browser} made no picture of {page}: {error}") from error
        if done.returncode or not shot.is_file():
            said = (done.stderr.strip().splitlines() or [f"it ended with code {done.returncode}"])[-1]
            raise SetupError(f"{browser} made no picture of {page}: {said}")
        with disk_errors(picture.parent):
            picture.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(picture, shot.read_bytes())
