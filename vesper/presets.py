"""The definitions that ship with Vesper, in `definitions/`: lifecycles, scoring rules and sources any company may name, policies where it has none.

What belongs here: where they stand, and how a text carries the preset it is built on. What does not: reading and resolving them (`load.py`).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

PRESETS = Path(__file__).parent.parent / "definitions"
SEPARATOR = "\n--- # what the file above does not state, from the preset that ships with Vesper\n"
LAID_OVER = ("sources", "scoring", "journeys")
"""Kinds whose definitions may be stated over a preset; a lifecycle takes the stages of its preset instead."""
NEVER_TAKEN = ("owner",)
"""What only the company can say: who answers for it."""
OF_JOURNEYS = (*NEVER_TAKEN, "series", "state", "brief", "max_people", "approved_people", "starts_on", "ends_on")
"""The same of a journey: also to how many it goes, when, and why."""
MERGED = "fields"
ORDERED = "steps"


def preset_ids(kind: str) -> set[str]:
    """Ids of the shipped definitions of a kind."""
    return {file.stem for file in (PRESETS / kind).glob("*.yml")}


def preset_text(kind: str, id: str) -> str | None:
    """The text of a shipped definition; None where there is none of that name."""
    file = PRESETS / kind / f"{id}.yml"
    return file.read_text(encoding="utf-8") if file.is_file() else None


def joined(own: str, preset: str) -> str:
    """A company's text and the preset it names as one text, so that what is in force is kept whole and has one hash."""
    return f"{own}{SEPARATOR}{preset}"


def parted(text: str) -> tuple[str, str | None]:
    """The company's own part of a text, and the preset's; None where the text carries none."""
    own, separator, preset = text.partition(SEPARATOR)
    return own, preset if separator else None


def overlaid(own: Mapping[str, Any], preset: Mapping[str, Any]) -> dict[str, Any]:
    """What a company states over what its preset states.

    Fields are laid over one by one, key by key; `null` drops a field of the preset. Steps are laid over by their ids and keep the preset's order;
    a step that the preset does not have comes last. Who answers for a definition, or for a step, is never taken from a preset (R102).
    """
    own_only = OF_JOURNEYS if ORDERED in preset else NEVER_TAKEN
    whole = {key: value for key, value in preset.items() if key not in own_only} | dict(own)
    stated, shipped = own.get(MERGED), preset.get(MERGED)
    if isinstance(stated, Mapping) and isinstance(shipped, Mapping):
        fields = {
            name: _laid(stated[name], shipped.get(name)) if name in stated else shipped[name]
            for name in (*shipped, *stated)
        }
        whole[MERGED] = {name: field for name, field in fields.items() if field is not None}
    if isinstance(preset.get(ORDERED), list):
        whole[ORDERED] = _steps(own.get(ORDERED), preset[ORDERED])
    return whole


def _steps(own: Any, shipped: list[dict[str, Any]]) -> Any:
    """A preset's steps with what the company states of each; what is no list stays as it is, for the model to refuse."""
    unowned = [{key: value for key, value in step.items() if key not in NEVER_TAKEN} for step in shipped]
    if own is None:
        return unowned
    if not isinstance(own, list) or not all(isinstance(step, Mapping) for step in own):
        return own
    stated = {step.get("id"): step for step in own}
    known = {step.get("id") for step in unowned}
    return [{**step, **stated.get(step.get("id"), {})} for step in unowned] + [
        dict(step) for step in own if step.get("id") not in known
    ]


def _laid(stated: Any, shipped: Any) -> Any:
    both = isinstance(stated, Mapping) and isinstance(shipped, Mapping)
    return {**shipped, **stated} if both else stated
