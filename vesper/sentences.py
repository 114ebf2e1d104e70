"""pydantic's errors as plain sentences with a line, and what would be right instead.

What belongs here: wording. What does not: which values are right; the models say that.
"""

import re
from functools import lru_cache
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from vesper.language import Translate
from vesper.model.condition import Path
from vesper.nearest import suggestion
from vesper.problem import Problem
from vesper.yaml_text import Tree


def _(text: str) -> str:
    """Marks a message id; it is translated when the sentence is made."""
    return text


# pydantic's error type -> what is wrong, what to do. {place} is the key; the rest comes from the error's own context.
SENTENCES: dict[str, tuple[str, str]] = {
    "missing": (_("{place} is missing."), _("Add it.")),
    "string_type": (_("{place} must be a text, not {value}."), _("Put it in quotes if it is one.")),
    "string_too_short": (_("{place} is empty."), _("Write it.")),
    "string_too_long": (_("{place} is longer than {max_length} characters."), _("Shorten it.")),
    "string_pattern_mismatch": (
        _("{place}: {value} does not have the form {pattern}."),
        _("Use the form of the other files."),
    ),
    "int_type": (_("{place} must be a whole number, not {value}."), _("Write digits without quotes.")),
    "int_from_float": (_("{place} must be a whole number, not {value}."), _("Write digits without quotes.")),
    "float_type": (_("{place} must be a number, not {value}."), _("Write digits without quotes.")),
    "decimal_type": (_("{place} must be a number, not {value}."), _("Write digits without quotes.")),
    "decimal_parsing": (_("{place} must be a number, not {value}."), _("Write digits without quotes.")),
    "bool_type": (_("{place} must be true or false, not {value}."), _("Write true or false.")),
    "greater_than_equal": (_("{place} is {value}; the smallest allowed is {ge}."), _("Raise it.")),
    "greater_than": (_("{place} is {value}; it must be above {gt}."), _("Raise it.")),
    "less_than_equal": (_("{place} is {value}; the largest allowed is {le}."), _("Lower it.")),
    "less_than": (_("{place} is {value}; it must be below {lt}."), _("Lower it.")),
    "too_short": (_("{place} is empty."), _("Write at least {min_length}.")),
    "date_type": (_("{place} must be a date, not {value}."), _("Write it like 2017-12-31.")),
    "date_parsing": (_("{place}: {value} is not a date."), _("Write it like 2017-12-31.")),
    "date_from_datetime_parsing": (_("{place}: {value} is not a date."), _("Write it like 2017-12-31.")),
    "date_from_datetime_inexact": (_("{place}: {value} is not a date."), _("Write it like 2017-12-31.")),
    "model_type": (_("{place} must have keys of its own, not {value}."), _("Write its keys below it, indented.")),
    "dict_type": (_("{place} must have keys of its own, not {value}."), _("Write its keys below it, indented.")),
    "tuple_type": (_("{place} must be a list, not {value}."), _("Write it in square brackets.")),
}
OTHER = (_("{place} is not right: {message}."), "")
UNKNOWN_KEY = _("{place} is not a key here.")
UNKNOWN_WORD = _("{place}: {value} is not a word known here.")
WHOLE = _("The file")
NOTHING = _("nothing")


def problem_of(error: ErrorDetails, tree: Tree, file: str, model: type[BaseModel], translate: Translate) -> Problem:
    """One pydantic error of a model as a Problem of its file."""
    path: Path = tuple(error["loc"])
    line = tree.line(path)
    kind, facts = error["type"], {**error.get("ctx", {}), **_facts(error, tree, translate)}
    if kind == "vesper":
        what, instead = facts["_what"], facts["_instead"]
        return Problem(
            file, line, translate(what).format(**facts), translate(instead).format(**facts) if instead else ""
        )
    if kind == "extra_forbidden":
        instead = suggestion(path[-1], keys_at(model, tree.nearest(path)[:-1]), translate)
        return Problem(file, line, translate(UNKNOWN_KEY).format(**facts), instead)
    if kind == "literal_error":
        words = re.findall(r"'([^']*)'", str(facts["expected"]))
        return Problem(
            file, line, translate(UNKNOWN_WORD).format(**facts), suggestion(error["input"], words, translate)
        )
    what, instead = SENTENCES.get(kind, OTHER)
    return Problem(file, line, translate(what).format(**facts), translate(instead).format(**facts) if instead else "")


def _facts(error: ErrorDetails, tree: Tree, translate: Translate) -> dict[str, Any]:
    path: Path = tuple(error["loc"])
    known = tree.nearest(path)
    place = path if error["type"] in ("missing", "extra_forbidden") else known
    words = [str(step) for step in place if str(step) != "[key]" and not str(step).startswith("<")]
    return {
        "place": ".".join(words) or translate(WHOLE),
        "value": translate(NOTHING) if error["input"] is None else _shown(error["input"]),
        "message": error["msg"].rstrip("."),
    }


def _shown(value: Any) -> str:
    """A wrong value as it is quoted in a sentence; never a long one."""
    text = str(value) if not isinstance(value, dict | list) else ("{…}" if isinstance(value, dict) else "[…]")
    return text if len(text) <= 40 else text[:39] + "…"


def keys_at(model: type[BaseModel], path: Path) -> set[str]:
    """Keys that a model takes at a path of its text."""
    schema = _schema(model)
    spots = [schema]
    for step in path:
        spots = [inner for spot in spots for option in _options(spot, schema) for inner in _step(option, step)]
    return {key for spot in spots for option in _options(spot, schema) for key in option.get("properties", {})} - {"id"}


@lru_cache(maxsize=64)
def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema()


def _options(spot: dict[str, Any], schema: dict[str, Any]) -> list[dict[str, Any]]:
    """What a place of a JSON schema may be, references followed."""
    if "$ref" in spot:
        return _options(schema["$defs"][spot["$ref"].rsplit("/", 1)[-1]], schema)
    choices = spot.get("anyOf") or spot.get("oneOf")
    return [option for choice in choices for option in _options(choice, schema)] if choices else [spot]


def _step(spot: dict[str, Any], step: str | int) -> list[dict[str, Any]]:
    if isinstance(step, int):
        return [spot["items"]] if "items" in spot else []
    inner = spot.get("properties", {}).get(step, spot.get("additionalProperties"))
    return [inner] if isinstance(inner, dict) else []
