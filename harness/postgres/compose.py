"""The commands of Docker and Compose, and what they complain of in words that say what to do."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from harness.errors import SetupError

COMMAND_S = 60.0
PULL_S = 600.0
OTHERWISE = "or leave --postgres docker out: the embedded server needs no engine"


@dataclass(frozen=True)
class State:
    """What Docker says of a container."""

    status: str  # running, exited, …; "gone" where there is none
    health: str  # starting, healthy, unhealthy, or nothing
    last_words: str

    @property
    def alive(self) -> bool:
        return self.status == "running" and self.health != "unhealthy"

    def __str__(self) -> str:
        return f"{self.health if self.status == 'running' else self.status}, and its log ends with: {self.last_words}"


class Compose:
    """One Compose file under one project name. Every method raises SetupError with one sentence."""

    def __init__(self, file: Path, project: str, env: Mapping[str, str]) -> None:
        """env: variables for the file, beside those of this process."""
        self._file = file
        self._project = project
        self._env = {**os.environ, **env}
        self._containers: dict[str, str] = {}  # by service

    def check(self) -> None:
        """Whether there is an engine that this user may use, Compose, and the file."""
        if not self._file.is_file():
            raise SetupError(
                f"--postgres docker: there is no {self._file.name} here: run this in a checkout of the project"
            )
        if shutil.which("docker") is None:
            raise SetupError(f"--postgres docker: there is no command docker; install Docker, {OTHERWISE}")
        asked = self._run(["docker", "version", "--format", "{{.Server.Version}}"])
        if asked.returncode != 0:
            raise SetupError(f"--postgres docker: {_no_engine(asked.stderr)}, {OTHERWISE}")
        _ = self._command

    def has_image(self, service: str) -> bool:
        return self._run(["docker", "image", "inspect", self.image(service)]).returncode == 0

    def image(self, service: str) -> str:
        """The image that the file names for a service."""
        config = self._ask("config")
        found = re.search(rf"^  {service}:\n(?:    .*\n|\s*\n)*?    image: (\S+)", config, re.MULTILINE)
        if found is None:
            raise SetupError(f"{self._file.name} names no image for the service {service}")
        return found[1].strip("'\"")

    def pull(self, service: str) -> None:
        done = self._run([*self._command, "pull", "--quiet", service], limit_s=PULL_S)
        if done.returncode != 0:
            raise SetupError(
                f"--postgres docker: the image {self.image(service)} is not on this machine and cannot be pulled "
                f"({_last_words(done)}); put it there with docker pull or docker load, {OTHERWISE}"
            )

    def up(self, service: str) -> None:
        """Starts a service, and those that it depends on, in the background."""
        self._ask("up", "-d", service)

    def down(self) -> None:
        """Removes containers, networks and volumes of the project at once: nothing of them is wanted."""
        self._ask("down", "-v", "-t", "0")

    def signal(self, service: str, name: str) -> None:
        """Sends a signal to the first process of a service's container."""
        sent = self._run(["docker", "kill", "--signal", name, self._container(service)])
        if sent.returncode != 0:
            raise SetupError(f"the container of {service} takes no signal: {_last_words(sent)}")

    def state(self, service: str) -> State:
        """What has become of the service's container."""
        container = self._container(service)
        if not container:
            return State("gone", "", "nothing")
        what = "{{.State.Status}} {{with .State.Health}}{{.Status}}{{end}}"
        status, _, health = self._run(["docker", "inspect", "--format", what, container]).stdout.strip().partition(" ")
        logs = self._run(["docker", "logs", "--tail", "5", container])
        lines = [line.strip() for line in (logs.stdout + logs.stderr).splitlines() if line.strip()]
        return State(status, health, lines[-1] if lines else "nothing")

    def _container(self, service: str) -> str:
        """Its id, or nothing; asked for once, since older Compose takes half a second to answer."""
        if not self._containers.get(service):
            self._containers[service] = self._ask("ps", "-a", "-q", service).strip()
        return self._containers[service]

    def _ask(self, *arguments: str) -> str:
        done = self._run([*self._command, *arguments])
        if done.returncode != 0:
            raise SetupError(f"--postgres docker: docker compose {arguments[0]} failed: {_last_words(done)}")
        return done.stdout

    @cached_property
    def _command(self) -> list[str]:
        """Compose as docker's own subcommand, or the older program of its own."""
        if self._run(["docker", "compose", "version"]).returncode == 0:
            program = ["docker", "compose"]
        elif shutil.which("docker-compose"):
            program = ["docker-compose"]
        else:
            raise SetupError(
                "--postgres docker: there is neither docker compose nor docker-compose; install the Compose plugin, "
                + OTHERWISE
            )
        return [*program, "-f", str(self._file), "-p", self._project]

    def _run(self, command: Sequence[str], limit_s: float = COMMAND_S) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                command, env=self._env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=limit_s
            )
        except subprocess.TimeoutExpired:
            raise SetupError(f"--postgres docker: {' '.join(command)} gives no answer for {limit_s:.0f} s") from None
        except OSError as error:
            raise SetupError(f"--postgres docker: {command[0]} cannot be run: {error.strerror}") from error


def _no_engine(complaint: str) -> str:
    if "permission denied" in complaint.lower():
        return "this user may not use the Docker engine; add it to the group docker"
    return f"no Docker engine answers ({_first_line(complaint)}); start it"


def _first_line(text: str) -> str:
    lines = text.strip().splitlines() or ["it says nothing"]
    return lines[0].removesuffix(".")


def _last_words(done: subprocess.CompletedProcess[str]) -> str:
    """The line that tells of an error, else the last one."""
    lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()] or ["it says nothing"]
    errors = [line for line in lines if re.search(r"error|denied|cannot", line, re.IGNORECASE)]
    return (errors or lines)[-1].removesuffix(".")
