"""A Locust file -> an environment to run it in, as the ``locust`` command would make it."""

from __future__ import annotations

from pathlib import Path

import locust
from locust import User
from locust.argument_parser import get_parser
from locust.dispatch import UsersDispatcher
from locust.env import Environment
from locust.runners import WorkerNode
from locust.util.load_locustfile import load_locustfile


class LocustFileError(Exception):
    """The Locust file cannot be used; carries the sentence for the user."""


def make_environment(locustfile: str, host: str) -> Environment:
    """The environment of a Locust file: its users, its listeners and the defaults of its own options.

    Raises LocustFileError when it does not load, or defines no user that does something.
    """
    name = Path(locustfile).name
    try:
        classes = list(load_locustfile(locustfile)[0].values())
        options = get_parser(default_config_files=[]).parse_args([])
    except BaseException as error:
        raise LocustFileError(f"{name} cannot be loaded: {type(error).__name__}: {error}") from error
    if not classes:
        raise LocustFileError(f"{name} defines no user; write a class derived from locust.FastHttpUser")
    for user_class in classes:
        if not user_class.tasks:
            raise LocustFileError(f"{user_class.__name__} in {name} has no task; mark a method of it with @task")
        user_class.host = host
    try:
        return Environment(user_classes=classes, host=host, events=locust.events, parsed_options=options)
    except ValueError as error:
        raise LocustFileError(f"{name} cannot be used: {error}") from error


def first_user(user_classes: list[type[User]]) -> dict[str, int]:
    """The class of which Locust would start a single user, as a count by class name."""
    dispatcher = UsersDispatcher([WorkerNode("alone")], user_classes)
    dispatcher.new_dispatch(1, 1)
    return next(dispatcher)["alone"]
