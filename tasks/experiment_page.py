"""`vesper experiment`: each experiment as a page that people read, the list of all, and a winner declared by a person (R92).

What belongs here: the words of the pages, and asking what is published. What does not: figures and verdicts (the night: `tasks/experiment.py`).
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tasks.explain_asked import page, section, table
from tasks.sql import Unanswered, bind_published, open_to_read
from vesper.clock import instant
from vesper.definition_set import DefinitionSet
from vesper.experiment.holdout import POLICY
from vesper.experiment.verdict import points
from vesper.language import Translate, translator
from vesper.load import load_definitions, read_workspace
from vesper.marts.experiment import EXPERIMENT
from vesper.marts.experiment_arm import EXPERIMENT_ARM, horizon_on
from vesper.marts.holdout_lift import HOLDOUT_LIFT
from vesper.marts.segment_member import SEGMENT_MEMBER
from vesper.model.campaign import Campaign
from vesper.model.experiment import Experiment
from vesper.model.outreach import outreach_of
from vesper.nearest import suggestion
from vesper.send_person import PLANNED_AT
from warehouse.house import House
from warehouse.ledger.engine import reading
from warehouse.ledger.experiment import decide as record
from warehouse.ledger.experiment_schema import EXPERIMENT_DECISION
from warehouse.runner import Runner

STATES = {
    "running": "running",
    "srm": "wrong split",
    "winner": "a winner",
    "no_difference": "no difference",
    "too_early": "too early",
}
"""A state -> its words, translated when they are shown."""
METRICS = {
    "click": "clicked in a message",
    "event": "did {what}",
    "order": "ordered",
    "coupon": "redeemed a coupon of {what}",
}


@dataclass(frozen=True)
class Desk:
    """What is published, the definitions as they are written, and the language."""

    house: House | None
    runner: Runner | None
    tables: dict[str, sa.Table]
    known: DefinitionSet
    language: str
    _: Translate

    def newest(self, declared: sa.Table, **which: str) -> list[Any]:
        """Rows of the newest night of a history; none while it has not been published."""
        if self.runner is None or declared.name not in self.tables:
            return []
        newest = sa.select(sa.func.max(declared.c.business_on)).scalar_subquery()
        rows = sa.select(declared).where(declared.c.business_on == newest)
        return list(self.runner.rows(rows.where(*[declared.c[name] == value for name, value in which.items()])))


@contextmanager
def _desk(root: Path) -> Iterator[Desk]:
    workspace = read_workspace(Path(root).resolve())
    language = workspace.company.language
    known, _ = load_definitions(workspace.root), translator(language)
    with ExitStack() as opened:
        try:
            house = opened.enter_context(open_to_read(root))
        except Unanswered:  # no night has run yet: an experiment can be looked at all the same
            yield Desk(None, None, {}, known, language, _)
            return
        runner = opened.enter_context(Runner(house.lake))
        yield Desk(house, runner, bind_published(house, runner), known, language, _)


def listed(root: Path) -> str:
    """Every experiment with its state, and what the holdouts say, in markdown."""
    with _desk(root) as desk:
        _ = desk._
        found = {row.experiment_id: row for row in desk.newest(EXPERIMENT)}
        heads = [_("experiment"), _("question"), _("state"), _("effect"), _("interval"), "p", _("winner")]
        rows = [_line(one, found.get(id), _) for id, one in desk.known.of(Experiment).items()]
        parts = [table(heads, rows) or _("There is no experiment yet; write one in definitions/experiments.")]
        lifts = _lifts(desk)
        return page(_("Experiments"), *parts, *([section(_("Holdouts"), lifts)] if lifts else []))


def shown(root: Path, id: str) -> str:
    """One experiment in markdown. Raises Unanswered for an id that is none."""
    with _desk(root) as desk:
        known = desk.known.of(Experiment)
        if id not in known:
            what = desk._("There is no experiment {word}.").format(word=id)
            raise Unanswered(f"{what} {suggestion(id, known, desk._)}".rstrip())
        return _page(desk, known[id])


def pages(root: Path) -> dict[str, str]:
    """The page of every experiment that has begun, by id: what the dashboard shows after each night."""
    with _desk(root) as desk:
        begun = {row.experiment_id for row in desk.newest(EXPERIMENT)}
        return {id: _page(desk, one) for id, one in desk.known.of(Experiment).items() if id in begun}


def decide(root: Path, id: str, arm_id: str | None, by: str, reason: str) -> str:
    """Declare a winner, or none any more; recorded with who and why, and binding from the next plan on. Raises Unanswered for unknown words."""
    workspace = read_workspace(Path(root).resolve())
    _ = translator(workspace.company.language)
    known = load_definitions(workspace.root).of(Experiment)
    if id not in known:
        raise Unanswered(f"{_('There is no experiment {word}.').format(word=id)} {suggestion(id, known, _)}".rstrip())
    arms = {arm.id for arm in known[id].arms}
    if arm_id is not None and arm_id not in arms:
        raise Unanswered(f"{_('There is no arm {word}.').format(word=arm_id)} {suggestion(arm_id, arms, _)}".rstrip())
    if not reason.strip():
        raise Unanswered(_("A decision needs a reason; it stands in the ledger."))
    with _desk(root) as desk:
        rows = desk.newest(EXPERIMENT, experiment_id=id)
    if not rows:
        raise Unanswered(_("{id} has not begun, so nothing can be decided.").format(id=id))
    if arm_id is not None and rows[0].state == "srm":
        raise Unanswered(f"{id}: {rows[0].why}")
    on = rows[0].business_on
    house = House.open(workspace.root)
    try:
        after_the_plan = instant(on, PLANNED_AT, workspace.company.zone) + dt.timedelta(seconds=1)
        is_new = record(house.engine, id, arm_id, on, by, reason, after_the_plan)
    finally:
        house.close()
    if not is_new:
        return _("{id}: that was decided already; nothing has changed.").format(id=id)
    if arm_id is None:
        return _("{id}: the decision is taken back.").format(id=id)
    return _("{id}: {arm} is the winner; who was in no arm gets it from the next plan on.").format(id=id, arm=arm_id)


def _line(one: Experiment, row: Any, _: Translate) -> list[str]:
    if row is None:
        return [one.id, one.question, _("begins on {day}").format(day=one.starts_on), "", "", "", ""]
    interval = f"{points(row.effect_low)} … {points(row.effect_high)}"
    effect = f"{row.arm_id} {points(row.effect)}"
    return [one.id, one.question, _(STATES[row.state]), effect, interval, f"{row.p:.3g}", row.winner_id or ""]


def _page(desk: Desk, one: Experiment) -> str:
    _ = desk._
    rows = desk.newest(EXPERIMENT, experiment_id=one.id)
    parts = [one.question, _facts(desk, one)]
    if rows:
        parts.append(f"**{_(STATES[rows[0].state])}** · {rows[0].business_on}: {rows[0].why}")
    else:
        parts.append(_("It begins on {day}.").format(day=one.starts_on))
    parts.append(section(_("Sample size"), _size(desk, one)))
    parts.append(section(_("Arms"), _arms(desk, one)))
    decisions = _decisions(desk, one)
    return page(one.title(desk.language), *parts, *([section(_("Decisions"), decisions)] if decisions else []))


def _facts(desk: Desk, one: Experiment) -> str:
    _ = desk._
    what = _(METRICS[one.metric.kind]).format(what=one.metric.event or one.metric.pool)
    rule = _("the rest gets it from the next night on") if one.winner == "send_the_rest" else _("a person decides")
    if one.horizon is None:
        method = _("always valid: may be read every night")
    else:
        method = _("fixed: read once, on {day}").format(day=horizon_on(one))
    rows = [
        [_("owner"), one.owner],
        [_("about"), f"{one.about or one.segment}{f'/{one.step}' if one.step else ''}"],
        [_("counted"), _("{what} within {within} of the assignment").format(what=what, within=one.metric.within)],
        [_("method"), f"{method}; alpha {one.alpha:g}"],
        [_("a winner"), rule],
        [_("nights that assign"), f"{one.starts_on} … {one.ends_on}"],
    ]
    return table([_("what"), _("as declared")], rows)


def _size(desk: Desk, one: Experiment) -> str:
    """What the answer needs, and what the audience has now."""
    _ = desk._
    needed = _(
        "To tell {worth} percentage points from a rate of {baseline:.1%} with a chance of {power:.0%}, the arms need {needed} people together."
    )
    said = needed.format(
        worth=points(one.smallest_effect), baseline=one.baseline, power=one.power, needed=one.needed_people
    )
    people = _audience(desk, one)
    if people is None:
        return said
    given = round(people * one.of_audience)
    has = _("The audience has {people} people tonight; {given} of them take part.").format(people=people, given=given)
    short = "" if given >= one.needed_people else f" **{_('That is too few for the smallest effect.')}**"
    return f"{said} {has}{short}"


def _audience(desk: Desk, one: Experiment) -> int | None:
    """Members of the segment that is asked, tonight; None where it is no segment or not published."""
    outreach = outreach_of(desk.known, one.about or "")
    segment = outreach.segment if isinstance(outreach, Campaign) else one.segment
    if segment is None or desk.runner is None or SEGMENT_MEMBER.name not in desk.tables:
        return None
    count = sa.select(sa.func.count(sa.distinct(SEGMENT_MEMBER.c.contact_id)))
    return int(desk.runner.scalar(count.where(SEGMENT_MEMBER.c.segment_id == segment)))


def _arms(desk: Desk, one: Experiment) -> str:
    _ = desk._
    found = {row.arm_id: row for row in desk.newest(EXPERIMENT_ARM, experiment_id=one.id)}
    heads = [
        _("arm"),
        _("share"),
        _("gives"),
        _("assigned"),
        _("sent"),
        _("clicked"),
        _("settled"),
        _("did it"),
        _("rate"),
    ]
    rows = []
    for arm in one.arms:
        row = found.get(arm.id)
        gives = f"{arm.kind} {getattr(arm, arm.kind)}"
        figures = ["", "", "", "", "", ""] if row is None else _figures(row)
        rows.append([arm.id, f"{arm.share:.0%}", gives, *figures])
    return table(heads, rows)


def _figures(row: Any) -> list[str]:
    rate = "" if row.rate is None else f"{row.rate:.2%} ({row.rate_low:.2%} … {row.rate_high:.2%})"
    counts = (row.assigned_count, row.sent_count, row.clicked_count, row.closed_count, row.converted_count)
    return [*map(str, counts), rate]


def _decisions(desk: Desk, one: Experiment) -> str:
    """Who decided what, when and why; the newest last."""
    if desk.house is None:
        return ""
    _, decision = desk._, EXPERIMENT_DECISION.c
    query = sa.select(EXPERIMENT_DECISION).where(decision.experiment_id == one.id).order_by(decision.decision_id)
    with reading(desk.house.engine) as connection:
        rows = [
            [row.business_on, row.arm_id or _("taken back"), row.by, row.reason] for row in connection.execute(query)
        ]
    return table([_("night"), _("winner"), _("by"), _("why")], rows)


def _lifts(desk: Desk) -> str:
    """What messages bring, by holdout."""
    _ = desk._
    heads = [
        _("holdout"),
        _("written to"),
        _("bought"),
        _("held out"),
        _("bought"),
        _("incremental lift"),
        _("interval"),
    ]
    rows = []
    for row in desk.newest(HOLDOUT_LIFT):
        lift = "" if row.lift is None else points(row.lift)
        interval = "" if row.lift is None else f"{points(row.lift_low)} … {points(row.lift_high)}"
        name = (
            row.holdout_id.replace(POLICY, _("everybody"), 1) if row.holdout_id.startswith(POLICY) else row.holdout_id
        )
        counts = [row.treated_count, row.treated_buyer_count, row.held_count, row.held_buyer_count]
        rows.append([name, *map(str, counts), lift, interval])
    return table(heads, rows)
