"""`vesper backtest scoring --days N`: what the rules would have said N days ago, against what people did since. Writes nothing (R60, R61).

What belongs here: which night and which facts, both rule sets side by side, and the words. What does not: the counts and figures
(`vesper/backtest.py`), computing the scores (`tasks/trial.py`).
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tasks.explain_asked import page, section, table
from tasks.sql import Unanswered, open_to_read, published
from tasks.trial import Trial
from vesper import backtest as ask
from vesper.conversion import WON, converted, said
from vesper.definition_hash import SCORING, hash_of
from vesper.definition_set import DefinitionSet
from vesper.language import Translate, translator
from vesper.load import definition_set, definition_texts
from vesper.marts.score import SCORE
from vesper.marts.score_reason import SCORE_REASON
from vesper.model.policy import ScoringPolicy
from vesper.night import Night
from vesper.tables.contact import CONTACT
from vesper.wording import figure
from warehouse.house import House
from warehouse.ledger.suppression import bind_key
from warehouse.runner import Runner

CAME, GONE = "backtest_converted", "backtest_won_before"
IN_FORCE, FILES = "in_force", "files"


@dataclass
class Judgement:
    """What one rule set would have said."""

    rules: str
    people: int
    converted: int
    conversion_ratio: float | None
    auc: float | None
    lift_ten: float | None
    lift_twenty: float | None
    lift_thirty: float | None
    mql_count: int
    mql_converted: int
    missed_count: int
    is_rising: bool
    bands: list[dict[str, Any]] = field(default_factory=list)
    by_rule: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Backtest:
    """Both rule sets on the same people. `facts_are_of` is the night whose tables were read."""

    scored_on: dt.date
    until_on: dt.date
    facts_are_of: dt.date
    judgements: list[Judgement]


def backtest(root: Path, days: int) -> str:
    """The backtest in markdown, in the workspace's language. Raises Unanswered while no night is published, or nobody was known by then."""
    with open_to_read(root) as house:
        return worded(_tested(house, days), translator(house.workspace.company.language))


def tested(root: Path, days: int) -> Backtest:
    """The backtest as figures."""
    with open_to_read(root) as house:
        return _tested(house, days)


def _tested(house: House, days: int) -> Backtest:
    _ = translator(house.workspace.company.language)
    newest = published(house).get(CONTACT.name)
    if newest is None:
        raise Unanswered(_("No night has run in this workspace yet; start one with `vesper run nightly`."))
    until_on = newest.business_on
    scored_on = until_on - dt.timedelta(days=days)
    kept = house.lake.as_of(CONTACT.name, scored_on)
    facts_on = scored_on if kept and kept.business_on == scored_on else until_on
    found = Backtest(scored_on, until_on, facts_on, [])
    for rules, definitions in _rule_sets(house).items():
        night = Night(scored_on, house.workspace, definitions)
        found.judgements.append(_judged(house, night, rules, facts_on, until_on))
    if not found.judgements[0].people:
        raise Unanswered(_("Nobody was known yet on {on}; ask for fewer days.").format(on=scored_on))
    return found


def _rule_sets(house: House) -> dict[str, DefinitionSet]:
    """The rules in force, and the edited files where they differ."""
    active = house.definitions_at(None)
    files = definition_set(definition_texts(house.workspace.root), translator(house.workspace.company.language))
    any_night = house.business_on()
    hashes = {hash_of(Night(any_night, house.workspace, rules), *SCORING) for rules in (active, files)}
    return {IN_FORCE: active} if len(hashes) == 1 else {IN_FORCE: active, FILES: files}


def _judged(house: House, night: Night, rules: str, facts_on: dt.date, until_on: dt.date) -> Judgement:
    with Runner(house.lake) as runner:
        bind_key(runner, house.address_key)
        came = _from_newest(house, runner, converted(night.business_on, until_on), CAME)
        gone = _from_newest(house, runner, said(WON, None, night.business_on), GONE)
        trial = Trial(house, runner, night, facts_on)
        trial.make([SCORE.name, SCORE_REASON.name])
        by_score = trial.rows(ask.by_score(night.business_on, came, gone))
        by_rule = trial.rows(ask.by_rule(night.business_on, came, gone))
    return _figures(night, rules, by_score, by_rule)


def _from_newest(house: House, runner: Runner, select: sa.Select[Any], name: str) -> sa.Table:
    """Contacts found in the newest tables, bound beside the older ones that the scores are made of."""
    with Runner(house.lake) as newest:
        trial = Trial(house, newest, Night(_newest_on(house), house.workspace, DefinitionSet()))
        trial.bind(select)
        runner.bind_arrow(name, newest.arrow(select))
    return sa.Table(name, sa.MetaData(), sa.Column("contact_id", sa.String))


def _newest_on(house: House) -> dt.date:
    return published(house)[CONTACT.name].business_on


def _figures(night: Night, rules: str, by_score: Sequence[Any], by_rule: Sequence[Any]) -> Judgement:
    policy = night.definitions.one(ScoringPolicy, "scoring")
    counts = [ask.ScoreCount(row.score, row.people, row.converted) for row in by_score]
    qualified = [row for row in by_score if row.is_mql]
    people, won = sum(c.people for c in counts), sum(c.converted for c in counts)
    in_bands = ask.bands(counts, policy.calibration.band_width)
    mql_won = sum(row.converted for row in qualified)
    ten, twenty, thirty = (ask.lift(counts, top) for top in ask.TOP)
    return Judgement(
        rules=rules,
        people=people,
        converted=won,
        conversion_ratio=ask.conversion(counts),
        auc=ask.auc(counts),
        lift_ten=ten,
        lift_twenty=twenty,
        lift_thirty=thirty,
        mql_count=sum(row.people for row in qualified),
        mql_converted=mql_won,
        missed_count=won - mql_won,
        is_rising=ask.is_rising(in_bands),
        bands=[_share(c.people, c.converted, score_from=c.score) for c in in_bands],
        by_rule=[_share(row.people, row.converted, rule_id=row.rule_id, points=row.points) for row in by_rule],
    )


def _share(people: int, won: int, **key: Any) -> dict[str, Any]:
    return {**key, "people": people, "converted": won, "conversion_ratio": won / people if people else None}


def worded(found: Backtest, _: Translate) -> str:
    """The backtest in markdown."""
    said = _("Scores as of {scored_on}; conversions from the day after it to {until_on}.").format(
        scored_on=found.scored_on, until_on=found.until_on
    )
    if found.facts_are_of != found.scored_on:
        said += " " + _(
            "The tables of that night are not kept, so the facts up to it are read from {on}: what contacts told later counts as known then."
        ).format(on=found.facts_are_of)
    names = {IN_FORCE: _("Rules in force"), FILES: _("Edited files")}
    parts = [section(names[one.rules], _judgement(one, _)) for one in found.judgements]
    return page(_("Backtest of the scoring rules"), said, *parts)


def _judgement(one: Judgement, _: Translate) -> str:
    facts = {
        _("people"): figure(one.people),
        _("converted"): f"{figure(one.converted)} ({figure(one.conversion_ratio, 'conversion_ratio')})",
        _("AUC"): "-" if one.auc is None else f"{one.auc:.3f}",
        _("lift of the top 10 %, 20 %, 30 %"): ", ".join(
            "-" if lift is None else f"{lift:.2f}" for lift in (one.lift_ten, one.lift_twenty, one.lift_thirty)
        ),
        _("MQL, of them converted"): f"{figure(one.mql_count)}, {figure(one.mql_converted)}",
        _("converted without having been MQL"): figure(one.missed_count),
        _("each band converts at least as well as the one below"): _("yes") if one.is_rising else _("no"),
    }
    lines = "\n".join(f"- {name}: {value}" for name, value in facts.items())
    return "\n\n".join([lines, _table(one.bands, _), _table(one.by_rule, _)])


def _table(rows: Sequence[dict[str, Any]], _: Translate) -> str:
    if not rows:
        return ""
    cells = [[figure(value, name) for name, value in row.items()] for row in rows]
    return table([_(name.replace("_", " ")) for name in rows[0]], cells)
