"""What the calls of Pydantic's version 1 do on the installed version: "works", "warns" (and works) or "raises …"."""

import json
import warnings
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from pydantic import BaseModel, ConfigDict, create_model, validator


class User(BaseModel):
    name: str


class FromAttributes(User):
    model_config = ConfigDict(from_attributes=True)


def outcome(call: Callable[[], Any], expected: object) -> str:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = call()
        except Exception as error:
            return f"raises {type(error).__name__}"
    return f"gives {result!r}" if result != expected else "warns" if caught else "works"


def called(name: str) -> Callable[[], Any]:
    """A method of a user by its name: type checkers know that some of these do not exist."""
    return lambda: getattr(User(name="ann"), name)()


def validated(*parameters: str) -> Callable[[], Any]:
    """What a model with a @validator that takes these parameters and makes names upper case makes of "ann"."""

    def make() -> Any:
        function = eval(f"lambda {', '.join(parameters)}: value.upper()")
        return create_model("Upper", name=(str, ...), __validators__={"v": validator("name")(function)})(name="ann")

    return lambda: make().name


def frozen() -> object:
    class Frozen(User):
        class Config:
            frozen = True

    return Frozen.model_config["frozen"]


def orm_mode() -> str:
    class Row(User):
        class Config:
            orm_mode = True

    return Row.from_orm(row).name


row = SimpleNamespace(name="ann")
text = '{"name":"ann"}'
facts = {
    "dict": outcome(called("dict"), {"name": "ann"}),
    "json": outcome(called("json"), text),
    "model_json": outcome(called("model_json"), text),
    "model_dump_json": outcome(called("model_dump_json"), text),
    "schema": outcome(lambda: User.schema()["title"], "User"),
    "validator": outcome(validated("cls", "value"), "ANN"),
    "validator_values": outcome(validated("cls", "value", "values"), "ANN"),
    "validator_field": outcome(validated("cls", "value", "field"), "ANN"),
    "validator_config": outcome(validated("cls", "value", "config"), "ANN"),
    "class_config": outcome(frozen, True),
    "orm_mode": outcome(orm_mode, "ann"),
    "from_orm": outcome(lambda: User.from_orm(row).name, "ann"),
    "from_orm_from_attributes": outcome(lambda: FromAttributes.from_orm(row).name, "ann"),
}
print(json.dumps(facts))
