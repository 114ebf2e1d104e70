"""Do high scores mean what they say? Conversion and the word of sales by score band (R60).

What belongs here: the people of each band some days ago, and what came of them since. What does not: what a rule set would have done (backtest).
"""

from typing import Any

import sqlalchemy as sa

from vesper.clock import on
from vesper.conversion import ACCEPTED, REJECTED, converted, said
from vesper.definition_hash import SCORING, hash_of
from vesper.marts import mart
from vesper.marts.score import SCORE
from vesper.model.policy import ScoringPolicy
from vesper.night import Night
from vesper.tables.contact import CONTACT
from vesper.tables.declare import DATE, INTEGER, RATIO, TEXT, column, days_ago, table

COUNT = (0, 1_000_000_000)

CALIBRATION = table(
    "mart__calibration",
    column("business_on", DATE, "Night that the figures stand for", required=True),
    column("scored_on", DATE, "Night of the scores: `calibration.after` of policy/scoring before", required=True),
    column("score_from", INTEGER, "Smallest score of the band", required=True),
    column("band", TEXT, "The band, both ends included, e.g. 80-89; the last one includes the ceiling", required=True),
    column(
        "contact_count",
        INTEGER,
        "Contacts that stood in the band on scored_on and are still known tonight",
        required=True,
        between=COUNT,
    ),
    column(
        "converted_count",
        INTEGER,
        "Of them: who ordered, or whose deal was won, on a day after scored_on",
        required=True,
        between=COUNT,
    ),
    column("conversion_ratio", RATIO, "converted_count / contact_count", required=True, between=(0.0, 1.0)),
    column(
        "accepted_count",
        INTEGER,
        "Of them: whom sales took after scored_on, at least once",
        required=True,
        between=COUNT,
    ),
    column(
        "rejected_count",
        INTEGER,
        "Of them: whom sales refused or found invalid after scored_on, at least once",
        required=True,
        between=COUNT,
    ),
    column("definition_hash", TEXT, "Hash of the scoring rules and policy/scoring", required=True),
    grain=("business_on", "score_from"),
    cut="business_on",
    owner="marketing",
    says="What came of people by the score they had some days before. Empty for a night whose earlier scores are not kept (R60).",
)


@mart(CALIBRATION, stage="watch")
def calibration(night: Night) -> sa.Select[Any]:
    """Tonight's row of each band that held anybody."""
    policy = night.definitions.one(ScoringPolicy, "scoring")
    scored = days_ago(SCORE, policy.calibration.after.days)
    scored_on = night.days_ago(policy.calibration.after.days)
    came = converted(scored_on, night.business_on)
    who, low, high = scored.c.contact_id, *_band(policy, scored.c.score)
    people = (
        sa.select(
            low.label("score_from"),
            high.label("score_to"),
            who.in_(came).label("converted"),
            who.in_(said(ACCEPTED, scored_on, night.business_on)).label("accepted"),
            who.in_(said(REJECTED, scored_on, night.business_on)).label("rejected"),
        )
        .where(scored.c.business_on == on(scored_on), who.in_(sa.select(CONTACT.c.contact_id)))
        .subquery("people")
    )
    return _by_band(people, scored_on, night)


def _by_band(people: sa.Subquery, scored_on: Any, night: Night) -> sa.Select[Any]:
    row, number = people.c, sa.func.count()
    won = number.filter(row.converted)
    return sa.select(
        on(night.business_on).label("business_on"),
        on(scored_on).label("scored_on"),
        row.score_from,
        sa.func.concat(row.score_from, "-", row.score_to, type_=sa.String).label("band"),
        number.label("contact_count"),
        won.label("converted_count"),
        (sa.cast(won, RATIO) / sa.cast(number, RATIO)).label("conversion_ratio"),
        number.filter(row.accepted).label("accepted_count"),
        number.filter(row.rejected).label("rejected_count"),
        sa.literal(hash_of(night, *SCORING)).label("definition_hash"),
    ).group_by(row.score_from, row.score_to)


def _band(policy: ScoringPolicy, score: sa.ColumnElement[Any]) -> tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]]:
    """Smallest and largest score of the band that a score lies in."""
    width, floor, ceiling = policy.calibration.band_width, policy.floor, policy.ceiling
    last = max(ceiling - 1 - floor, 0) // width
    place = sa.func.greatest(sa.func.least(sa.func.floor((score - floor) / width), last), 0)
    low = sa.cast(place * width + floor, sa.Integer)
    return low, sa.case((low == last * width + floor, ceiling), else_=low + width - 1)
