"""Which lines of Pydantic's version 1 mypy and pyright complain about. Needs both: pip install mypy pydantic 'pyright[nodejs]'."""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

LINES = {
    "dict": "print(user.dict())",
    "json": "print(user.json())",
    "schema": "print(User.schema())",
    "from_orm": "print(User.from_orm(user))",
    "model_json": "print(user.model_json())",
}
HEAD = """
from pydantic import BaseModel, validator

class User(BaseModel):
    name: str

    class Config:
        frozen = True

    @validator("name")
    def upper(cls, value: str) -> str:
        return value.upper()

user = User(name="ann")
"""


def flagged(command: list[str], settings: dict[str, str]) -> list[str]:
    """What the lines use that the checker calls wrong: names of calls, and "validator" for its import and its use."""
    source = HEAD.lstrip() + "\n".join(LINES.values()) + "\n"
    with tempfile.TemporaryDirectory() as folder:
        for name, text in {"v1.py": source, **settings}.items():
            Path(folder, name).write_text(text)
        output = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120).stdout
    if "v1.py" not in output and not re.search(r"no issues found|0 errors", output):
        sys.exit(f"{command[0]} did not work: {output[-300:]}")
    wrong = {int(number) for number in re.findall(r"v1\.py:(\d+):.*error", output)}
    lines = source.splitlines()
    names = {text: name for name, text in LINES.items()}
    return sorted(
        {names.get(lines[n - 1], "validator" if "validator" in lines[n - 1] else lines[n - 1]) for n in wrong}
    )


PLUGIN = {"mypy.ini": "[mypy]\nplugins = pydantic.mypy\n"}
MYPY = [sys.executable, "-m", "mypy", "--strict", "--no-incremental"]
PYRIGHT = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable]
found = {
    "mypy_strict": flagged([*MYPY, "v1.py"], {}),
    "mypy_strict_plugin": flagged([*MYPY, "v1.py"], PLUGIN),
    "mypy_strict_deprecated": flagged([*MYPY, "--enable-error-code", "deprecated", "v1.py"], {}),
    "pyright_standard": flagged(PYRIGHT, {"pyrightconfig.json": '{"typeCheckingMode": "standard"}'}),
    "pyright_strict": flagged(PYRIGHT, {"pyrightconfig.json": '{"typeCheckingMode": "strict"}'}),
}
print(json.dumps(found))
