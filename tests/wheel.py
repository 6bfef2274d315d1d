"""The project's wheel, built from this checkout, and virtual environments that hold it."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Installed:
    """A virtual environment with the wheel in it."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def harness(self, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Runs the installed command, which sees nothing of this checkout."""
        env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | {"COLUMNS": "200"}
        command = [str(self.folder / "bin" / "harness"), *arguments]
        return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=120)


def build_wheel(folder: Path) -> Path:
    """Builds the wheel into the folder, without a network."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], cwd=ROOT, check=True, capture_output=True
    )  # fmt: skip
    (wheel,) = folder.glob("*.whl")
    return wheel


def pip(python: Path, *arguments: str) -> None:
    """Installs into the environment of that interpreter. Raises CalledProcessError with pip's words."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(python),
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]
    subprocess.run([*command, *arguments], check=True, capture_output=True, text=True)


def install_beside_ours(wheel: Path, folder: Path, without: tuple[str, ...]) -> Installed:
    """An environment with the wheel and links to the packages of this one, but for those whose names begin as told."""
    venv.create(folder, symlinks=True)
    site = folder / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    ours = ("fastapi_concurrency_harness", "_editable", "__editable__", "__pycache__")
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if entry.suffix != ".pth" and not entry.name.lower().startswith((*ours, *without)):
            (site / entry.name).symlink_to(entry)
    installed = Installed(folder)
    pip(installed.python, "--no-deps", "--no-index", str(wheel))
    return installed
