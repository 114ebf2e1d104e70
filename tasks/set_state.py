"""A campaign or journey goes to another state of its rollout: draft, pilot, partial, full, stopped (R99, R101).

What belongs here: the one line that changes. What does not: which changes are legal (`tasks/rollout.py`, inside the activation).
"""

import re
from pathlib import Path

from tasks import ops
from vesper.language import translator
from vesper.load import definition_texts
from vesper.model.campaign import Campaign
from vesper.model.outreach import RUNNING
from warehouse.house import House
from warehouse.ledger import definitions as in_ledger
from warehouse.ledger.engine import reading

STATES = ("draft", "pilot", "partial", "full", "stopped")
_LINE = re.compile(r"^state:\s*\w+", re.MULTILINE)


def set_state(root: Path, id: str, state: str, by: str, reason: str) -> str:
    """Put what is in force under another state in force; the company's file follows where it said the same before.

    Raises LookupError for an id that is no campaign and no journey in force, DefinitionsInvalid where it does not fit, StageFailed for a state that
    leaves out a step without a reason or needs a live test first.
    """
    house = House.open(root)
    _ = translator(house.workspace.company.language)
    try:
        with reading(house.engine) as connection:
            known = {item.name: item.text for item in in_ledger.in_force(connection)}
        kind = "campaigns" if id in house.definitions_at(None).of(Campaign) else "journeys"
    finally:
        house.close()
    name = f"{kind}/{id}"
    if name not in known:
        raise LookupError(_("There is no campaign and no journey {word}.").format(word=id))
    before, after = known[name], _with_state(known[name], state)
    if before == after:
        return _("{id} is in state {state} already.").format(id=id, state=_(state))
    is_same = definition_texts(root).get(name) == before
    file = root / "definitions" / kind / f"{id}.yml"
    said = ops.activate_text(root, name, after, by, reason)
    if state not in RUNNING:
        said += "\n" + _("Until then as well, no message of it leaves any more.")
    if is_same and file.is_file():
        file.write_text(after, encoding="utf-8")
        return said
    left = _("The file definitions/{name}.yml says other things and was left alone; write `state: {state}` there, too.")
    return f"{said}\n{left.format(name=name, state=state)}"


def _with_state(text: str, state: str) -> str:
    """The text with its line `state:`, or with a new first one where it has none."""
    line = f"state: {state}"
    return _LINE.sub(line, text, count=1) if _LINE.search(text) else f"{line}\n{text}"
