"""`vesper new journey ID --preset NAME`: a journey over a preset, with the contents, coupons and recommendations it needs, for the company to edit.

What belongs here: which files there are, and what only the company can say put in its place. What does not: presets themselves (`definitions/`), and
how a file is laid over one (`vesper/presets.py`). A file that is there already is left alone.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from tasks.sql import Unanswered
from vesper.clock import today
from vesper.language import translator
from vesper.load import parse, read_workspace
from vesper.model.content import Content
from vesper.model.journey import Journey
from vesper.model.workspace import Workspace
from vesper.nearest import suggestion
from vesper.presets import preset_ids, preset_text
from vesper.sent import sent_by

NAME = re.compile(r"[a-z][a-z0-9_]*")
_BRIEF = re.compile(r"^brief:\n(?: .*\n)+", re.MULTILINE)
_OWNER = re.compile(r"^owner: .*$", re.MULTILINE)


def new_journey(root: Path, id: str, preset: str, owner: str = "") -> list[str]:
    """Write the files of a journey that do not stand yet; returns their paths within the workspace, the journey's first.

    Raises Unanswered with one sentence for an id that is taken or malformed, or a preset that does not ship.
    """
    workspace = read_workspace(Path(root).resolve())
    _ = translator(workspace.company.language)
    text = preset_text("journeys", preset) if NAME.fullmatch(preset) else None
    if text is None:
        what = _("There is no preset {word}.").format(word=preset)
        raise Unanswered(f"{what} {suggestion(preset, preset_ids('journeys'), _)}")
    if not NAME.fullmatch(id):
        raise Unanswered(_("{word} does not name a journey; write small letters, digits and _.").format(word=id))
    file = workspace.root / "definitions" / "journeys" / f"{id}.yml"
    if file.exists():
        raise Unanswered(_("There is a journey {word} already; give another name, or edit it.").format(word=id))
    journey = parse("journeys", preset, text)
    assert isinstance(journey, Journey)
    answers = owner or workspace.notices.owner
    whole = {file: _drafted(journey, text, workspace, answers)}
    for name in _behind(journey):
        shipped = preset_text(*name.split("/"))
        if shipped is not None:
            own = _OWNER.sub(f"owner: {answers}", shipped, count=1)
            whole[workspace.root / "definitions" / f"{name}.yml"] = own
    written = {path: said for path, said in whole.items() if not path.exists()}
    for path, said in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(said, encoding="utf-8")
    return [path.relative_to(workspace.root).as_posix() for path in written]


def _drafted(journey: Journey, text: str, workspace: Workspace, owner: str) -> str:
    """The company's text over the preset: what no preset can say, in state draft, for a year from now on."""
    clock = workspace.clock
    on = clock.simulated_on if clock.mode == "simulated" and clock.simulated_on else today(workspace.company.zone)
    language = workspace.company.language
    title, says = (
        json.dumps(words, ensure_ascii=False) for words in (journey.title(language), journey.says.of(language))
    )
    brief = _BRIEF.search(text)
    steps = "".join(f"  - {{id: {step.id}, owner: {owner}}}\n" for step in journey.steps)
    return (
        f"name: {title}\nsays: {says}\nowner: {owner}\npreset: {journey.id}\n"
        f"series: {journey.series}\nstate: draft\n{brief[0] if brief else ''}max_people: {journey.max_people}\n"
        f"starts_on: {on}\nends_on: {on.replace(year=on.year + 1, day=min(on.day, 28))}\nsteps:\n{steps}"
    )


def _behind(journey: Journey) -> Iterator[str]:
    """The definitions that it needs, each once: contents with what they recommend, and pools of coupons."""
    found: dict[str, None] = {}
    for sent in sent_by(journey):
        found[sent.name] = None
        kind, id = sent.name.split("/")
        content = parse(kind, id, preset_text(kind, id) or "") if preset_text(kind, id) else None
        if isinstance(content, Content) and content.recommends:
            found[f"recommendations/{content.recommends}"] = None
    found |= {f"coupons/{step.give.pool}": None for step in journey.steps if step.give}
    yield from found
