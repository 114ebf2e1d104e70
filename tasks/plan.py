"""`vesper plan`: what the edited files would change, before they come into force. Computes the newest night twice over the same facts; writes nothing.

What belongs here: which definitions differ, the two trials, the figures, and their words in markdown. What does not: the Selects
(`vesper/plan.py`), computing a trial (`tasks/trial.py`), putting a definition in force (`tasks/ops.py`). R61, R107, R110, R119.
"""

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tasks.explain_asked import page, section, table
from tasks.journey_forecast import DAYS, Foreseen, as_table, foreseen, title
from tasks.sql import Unanswered, night_of, open_to_read, published
from tasks.trial import Trial
from vesper import plan as ask
from vesper.handover import load, policy_of
from vesper.language import Translate, translator
from vesper.load import definition_set, definition_texts
from vesper.marts import all_marts
from vesper.marts.lifecycle import LIFECYCLE
from vesper.marts.persona import PERSONA
from vesper.marts.score import SCORE
from vesper.marts.score_reason import SCORE_REASON
from vesper.marts.segment_member import SEGMENT_MEMBER
from vesper.marts.tag import TAG
from vesper.marts.tier import TIER
from vesper.marts.visibility import VISIBILITY
from vesper.night import Night
from vesper.send import HOLDS, INTENT, audience, campaigns_of, decisions_of, sending_of
from vesper.send import plan as audience_of
from vesper.tables.declare import METADATA
from vesper.wording import figure
from warehouse.house import House
from warehouse.ledger.definitions import hash_of, in_force
from warehouse.ledger.engine import reading
from warehouse.ledger.suppression import bind_key
from warehouse.runner import Runner

GROUPS: dict[str, tuple[str, ...]] = {
    TAG.name: ("tag_id",),
    TIER.name: ("tiering_id", "tier"),
    PERSONA.name: ("persona_id",),
    LIFECYCLE.name: ("stage",),
    SEGMENT_MEMBER.name: ("segment_id",),
}
"""Tables of members, each with the columns that name a group."""
OTHERS = (SCORE.name, SCORE_REASON.name, VISIBILITY.name)
BEFORE = "before"
IN_FULL = "reach_in_full"
"""What somebody approves: the figure for approved_people."""
REACHED_IN_FULL = (INTENT, "already_planned", "pilot", "partial", *HOLDS)
SHORT = 12


@dataclass
class Plan:
    """What a change would move, on one night's facts. Every list is of plain rows; people are ids with masked names."""

    business_on: dt.date
    definitions: list[dict[str, Any]]
    groups: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    people: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    score: dict[str, Any] = field(default_factory=dict)
    bands: list[dict[str, Any]] = field(default_factory=list)
    rules: list[dict[str, Any]] = field(default_factory=list)
    mql: list[dict[str, Any]] = field(default_factory=list)
    visibility: list[dict[str, Any]] = field(default_factory=list)
    campaigns: list[dict[str, Any]] = field(default_factory=list)
    capacity: dict[str, Any] = field(default_factory=dict)
    journeys: list[Foreseen] = field(default_factory=list)


def plan(root: Path, on: dt.date | None = None) -> str:
    """The plan in markdown, in the workspace's language. Raises Unanswered while no night has run, DefinitionsInvalid for files that do not load."""
    with open_to_read(root) as house:
        found = _planned(house, on)
        return worded(found, translator(house.workspace.company.language))


def planned(root: Path, on: dt.date | None = None) -> Plan:
    """The plan as figures; `on` is a published night, the newest by itself."""
    with open_to_read(root) as house:
        return _planned(house, on)


def _planned(house: House, on: dt.date | None) -> Plan:
    night = _night(house, on)
    files = definition_texts(house.workspace.root)
    edited = replace(night, definitions=definition_set(files, translator(house.workspace.company.language)))
    found = Plan(night.business_on, _differing(house, files))
    if not found.definitions:
        return found
    with Runner(house.lake) as runner:
        bind_key(runner, house.address_key)
        before = Trial(house, runner, night)
        before.make([*GROUPS, *OTHERS])
        for name in (*GROUPS, *OTHERS):
            before.kept(name, BEFORE)
        audiences = _audiences(before)
        after = before.again(edited)
        after.make([*GROUPS, *OTHERS])
        _fill(found, after)
        found.campaigns = _campaigns(audiences, _audiences(after))
        found.capacity = _capacity(found, after)
    found.journeys = foreseen(house, texts=files)
    return found


def _night(house: House, on: dt.date | None) -> Night:
    """The published night that is tried, under the definitions in force now."""
    newest = published(house).get(SEGMENT_MEMBER.name)
    snapshot = house.lake.as_of(SEGMENT_MEMBER.name, on) if on and newest else newest
    if snapshot is None or (on and snapshot.business_on != on):
        _ = translator(house.workspace.company.language)
        raise Unanswered(_("No whole night is published yet to hold a plan against; run `vesper run nightly` first."))
    night = night_of(house, all_marts()[SEGMENT_MEMBER.name], snapshot.business_on)
    return replace(night, definitions=house.definitions_at(None))


def _differing(house: House, files: dict[str, str]) -> list[dict[str, Any]]:
    """Definitions whose file is not what is in force: name, change (new, changed, removed), hash of the file."""
    with reading(house.engine) as connection:
        active = {item.name: item.hash for item in in_force(connection)}
    now = {name: hash_of(text) for name, text in files.items()}
    differing = sorted(name for name in active.keys() | now.keys() if active.get(name) != now.get(name))
    return [
        {
            "definition": name,
            "change": "new" if name not in active else "removed" if name not in now else "changed",
            "hash": now.get(name, "")[:SHORT],
        }
        for name in differing
    ]


def _fill(found: Plan, after: Trial) -> None:
    for name, groups in GROUPS.items():
        sides = METADATA.tables[name], _before(name)
        moved = _records(after, ask.movement(*sides, groups))
        found.groups[name] = [row for row in moved if row["entered_count"] or row["left_count"]]
        found.people[name] = _records(after, ask.people_moved(*sides, groups)) if found.groups[name] else []
    scores = SCORE, _before(SCORE.name)
    found.score = _records(after, ask.score_totals(*scores))[0]
    found.bands = _records(after, ask.score_bands(*scores))
    found.mql = _records(after, ask.mql_moved(*scores))
    rules = _records(after, ask.changed_rules(SCORE_REASON, _before(SCORE_REASON.name)))
    found.rules = [row for row in rules if _differs(row, "count") or row["before_points"] != row["after_points"]]
    found.visibility = [
        row
        for row in _records(after, ask.visibilities(VISIBILITY, _before(VISIBILITY.name)))
        if row["before_ratio"] != row["after_ratio"] or row["before_band"] != row["after_band"]
    ]


def _before(name: str) -> Any:
    return METADATA.tables[name].to_metadata(sa.MetaData(), name=f"{name}__{BEFORE}")


def _differs(row: dict[str, Any], what: str) -> bool:
    return bool(row[f"before_{what}"] != row[f"after_{what}"])


def _records(trial: Trial, select: Any) -> list[dict[str, Any]]:
    return [row._asdict() for row in trial.rows(select)]


def _audiences(trial: Trial) -> dict[str, Counter[str]]:
    """Of each campaign that would run: how its audience splits into intents and refusals by reason; and whom it would reach in state full."""
    found = {}
    for campaign in campaigns_of(trial.night):
        planned = audience_of(sending_of(campaign), audience(campaign), trial.night).subquery("planned")
        counts = Counter({row.decision: row.people for row in trial.rows(decisions_of(planned))})
        found[campaign.id] = counts + Counter({IN_FULL: sum(counts[decision] for decision in REACHED_IN_FULL)})
    return found


def _capacity(found: Plan, after: Trial) -> dict[str, Any]:
    """New MQLs against the hand-overs that the team has room for (R69); nothing where nobody is handed over."""
    policy = policy_of(after.night)
    if policy is None:
        return {}
    held = sum(row.people for row in after.rows(load(policy)))
    room = max(sum(one.open_limit for one in policy.team.values()) - held, 0)
    gained = int(found.score["mql_gained"])
    return {"mql_gained": gained, "open_count": held, "room_count": room, "over_count": max(gained - room, 0)}


def _campaigns(before: dict[str, Counter[str]], after: dict[str, Counter[str]]) -> list[dict[str, Any]]:
    rows = []
    for id in sorted(before.keys() | after.keys()):
        old, new = before.get(id, Counter()), after.get(id, Counter())
        for decision in sorted(old.keys() | new.keys()):
            if old[decision] != new[decision]:
                rows.append(
                    {
                        "campaign_id": id,
                        "decision": decision,
                        "before_count": old[decision],
                        "after_count": new[decision],
                    }
                )
    return rows


def worded(found: Plan, _: Translate) -> str:
    """The plan in markdown."""
    title = _("Plan: what the edited files would change")
    if not found.definitions:
        return page(title, _("Every file is what is in force already; nothing would change."))
    said = _("Both sides are computed on the facts of {on}; nothing is written, planned or sent.").format(
        on=found.business_on
    )
    parts = [section(_("Definitions that differ"), _rows(found.definitions, _)), *_moved(found, _)]
    return page(title, said, *parts, _("In force they come by `vesper activate KIND/ID HASH`."))


def _moved(found: Plan, _: Translate) -> list[str]:
    parts = []
    for name, rows in found.groups.items():
        if rows:
            body = _rows(rows, _) + "\n\n" + _rows(found.people[name], _)
            parts.append(section(_("Movement in {table}").format(table=name), body))
    if any(found.score.get(name) for name in ("changed_count", "mql_gained", "mql_lost")) or found.rules:
        totals = "\n".join(f"- {_(key.replace('_', ' '))}: {figure(value)}" for key, value in found.score.items())
        tables = [_rows(rows, _) for rows in (found.rules, found.bands, found.mql)]
        parts.append(section(_("Scores"), "\n\n".join(filter(None, [totals, *tables]))))
    if found.capacity:
        parts.append(section(_("Sales capacity"), _rows([found.capacity], _)))
    if found.visibility:
        parts.append(section(_("Market visibility"), _rows(found.visibility, _)))
    if found.campaigns:
        parts.append(section(_("Who would get what"), _rows(found.campaigns, _)))
    if found.journeys:
        parts.append(section(title(DAYS, _), as_table(found.journeys, _)))
    return parts or [_("The change moves nobody on this night.")]


def _rows(rows: list[dict[str, Any]], _: Translate) -> str:
    """Rows as a table, headed by their keys in words."""
    if not rows:
        return ""
    cells = [[_cell(key, value, _) for key, value in row.items()] for row in rows]
    return table([_(key.replace("_", " ")) for key in rows[0]], cells)


def _cell(key: str, value: Any, _: Translate) -> str:
    if value is None or value == "":
        return "-"
    if key in ("change", "direction", "decision"):
        return _(str(value).replace("_", " "))
    return figure(value, key)
