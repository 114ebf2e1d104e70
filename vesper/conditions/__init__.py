"""Conditions, one file each: what a marketer may write, and the Select of the people it holds for. A new file here is a new condition.

What belongs here: the union of all conditions, found by scanning this folder. What does not: any one condition.
"""

import importlib
import pkgutil
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, create_model

from vesper.model.condition import ConditionBody, OneKey


def _bodies() -> dict[str, type[BaseModel]]:
    """Every condition's model by the word it is written with."""
    modules = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    members = [
        item
        for module in modules
        for item in vars(module).values()
        if getattr(item, "__module__", "") == module.__name__
    ]
    bodies = [
        item
        for item in members
        if isinstance(item, type) and issubclass(item, ConditionBody) and issubclass(item, BaseModel)
    ]
    return {body.word: body for body in sorted(bodies, key=lambda body: body.word)}


def _exactly_one(schema: dict[str, Any]) -> None:
    """Editors are told: one key, and which body stands behind it."""
    schema["minProperties"] = schema["maxProperties"] = 1
    for name, entry in schema["properties"].items():
        schema["properties"][name] = entry["anyOf"][0]


BODIES = _bodies()

if TYPE_CHECKING:
    Condition = OneKey
else:
    Condition = create_model(
        "Condition",
        __base__=OneKey,
        __module__=__name__,
        __doc__="A condition: one key, e.g. orders, and its settings.",
        **{word: (body | None, None) for word, body in BODIES.items()},
    )
    Condition.model_config["json_schema_extra"] = _exactly_one
    for _body in BODIES.values():
        _body.model_rebuild(force=True, _types_namespace={"Condition": Condition})
    Condition.model_rebuild(force=True)
