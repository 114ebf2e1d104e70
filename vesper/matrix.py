"""The content that the matrix has for each contact, on which channels, by which dynamic rule; or the gap, by its name (R78, R80).

What belongs here: the choice as a Select. What does not: the matrix itself (`model/matrix.py`), whether the person may be written to at all
(`vesper/send.py`).

A contact's preferred channel is the newest event `prefers_<channel>`, e.g. `prefers_email`: any source of events can bring it, a preference page
or a column of the CRM alike (`map: {邮件: prefers_email}`). It goes before the others of the row; a channel that the row does not have is not taken.
"""

from collections.abc import Mapping
from typing import Any, get_args

import sqlalchemy as sa

from vesper.content_variant import refuses_personalisation, variant_in
from vesper.marts.lifecycle import LIFECYCLE
from vesper.marts.tag import TAG
from vesper.membership import ContactRow
from vesper.model.content import DEFAULT, Content
from vesper.model.matrix import Matrix, MatrixRow
from vesper.model.outreach import Channel
from vesper.night import Night
from vesper.tables.campaign import EVENT
from vesper.tables.contact import CONTACT

PREFERS = "prefers_"
SEPARATOR = ","
NO_STAGE = "no_stage"
NOTHING = sa.cast(sa.null(), sa.String)


def choice(matrix: Matrix, night: Night) -> sa.Select[Any]:
    """One row per golden contact: contact_id, row_id, content_id, channels, channel, rule, variant, gap.

    `row_id` is the row that the contact meets, a gap's too; NULL where no row is for them. `channels` are joined with commas in the order they are
    tried, and `channel` is the first. `rule` is the row's dynamic rule, `variant` what it gives this contact (NULL with a content: it says nothing to
    them, `no_variant`). `gap` is NULL exactly where there is a content; else the id of the row that is a gap, or the stage and tags that no row is for
    (`prospect+active_prospect`), or `no_stage`.
    """
    found = _met(matrix, night).cte(f"met_{matrix.id}")
    rows = {str(place): row for place, row in enumerate(matrix.rows)}
    names = {row.content: row for row in matrix.rows if row.content}
    contents = {id: content for id, content in night.definitions.of(Content).items() if id in names}
    channels = _channels(found, rows, matrix)
    return sa.select(
        found.c.contact_id,
        _by_row(found, {place: row.id for place, row in rows.items()}).label("row_id"),
        _by_row(found, {place: row.content for place, row in rows.items()}).label("content_id"),
        channels.label("channels"),
        sa.func.split_part(channels, SEPARATOR, 1, type_=sa.String).label("channel"),
        _by_row(found, {place: row.rule if row.content else None for place, row in rows.items()}).label("rule"),
        _variant(found, rows, contents).label("variant"),
        _gap(found, rows).label("gap"),
    )


def preferred(name: str = "said_preference") -> sa.Select[Any]:
    """Each contact who said so: contact_id and the preferred `channel`, as of the newest such event. `name` is that of its CTE."""
    kinds = [f"{PREFERS}{channel}" for channel in get_args(Channel)]
    newest = sa.func.row_number().over(
        partition_by=EVENT.c.contact_id, order_by=(EVENT.c.at.desc(), EVENT.c.event_id.desc())
    )
    channel = sa.func.substr(EVENT.c.kind, len(PREFERS) + 1, type_=sa.String)
    said = (
        sa.select(EVENT.c.contact_id, channel.label("channel"), newest.label("place"))
        .where(EVENT.c.kind.in_(kinds), EVENT.c.contact_id.is_not(None), sa.not_(EVENT.c.is_machine))
        .cte(name)
    )
    return sa.select(said.c.contact_id, said.c.channel).where(said.c.place == 1)


def _met(matrix: Matrix, night: Night) -> sa.Select[Any]:
    """Each contact with stage, preferred channel, the tags it bears of the matrix's, the place of the row it meets, and the variants' answers."""
    borne = _borne(matrix).cte(f"borne_{matrix.id}")
    wants = preferred(f"said_{matrix.id}").cte(f"wants_{matrix.id}")
    row = ContactRow(night)
    contents = night.definitions.of(Content)
    named = sorted({one.content for one in matrix.rows if one.content and one.is_dynamic} & contents.keys())
    variants = [variant_in(row, contents[id]).label(f"variant_{id}") for id in named]
    bears = {tag: sa.func.coalesce(borne.c[f"bears_{tag}"], sa.false(), type_=sa.Boolean) for tag in matrix.tags}
    stage = LIFECYCLE.c.stage
    source = row.source()
    if LIFECYCLE.name not in row.tables:
        source = source.join(LIFECYCLE, LIFECYCLE.c.contact_id == CONTACT.c.contact_id, isouter=True)
    source = source.join(borne, borne.c.contact_id == CONTACT.c.contact_id, isouter=True)
    source = source.join(wants, wants.c.contact_id == CONTACT.c.contact_id, isouter=True)
    tests = [(_meets(one, stage, bears), str(place)) for place, one in enumerate(matrix.rows)]
    return sa.select(
        CONTACT.c.contact_id,
        stage.label("stage"),
        wants.c.channel.label("wants"),
        _joined(bears).label("tags"),
        CONTACT.c.contact_id.in_(refuses_personalisation()).label("refuses"),
        sa.cast(sa.case(*tests, else_=sa.null()), sa.String).label("row"),
        *variants,
    ).select_from(source)


def _borne(matrix: Matrix) -> sa.Select[Any]:
    """Each contact who bears a tag of the matrix: `bears_<tag>` for each of them."""
    flags = [sa.func.bool_or(TAG.c.tag_id == tag, type_=sa.Boolean).label(f"bears_{tag}") for tag in matrix.tags]
    named = TAG.c.tag_id.in_(matrix.tags) if matrix.tags else sa.false()
    return sa.select(TAG.c.contact_id, *flags).where(named).group_by(TAG.c.contact_id)


def _joined(bears: Mapping[str, sa.ColumnElement[bool]]) -> sa.ColumnElement[str]:
    """The tags borne, in alphabetical order with a plus before each."""
    joined: sa.ColumnElement[str] = sa.literal("")
    for tag, is_borne in bears.items():
        joined = joined + sa.case((is_borne, f"+{tag}"), else_="")
    return joined


def _meets(
    row: MatrixRow, stage: sa.ColumnElement[Any], bears: Mapping[str, sa.ColumnElement[bool]]
) -> sa.ColumnElement[bool]:
    return sa.and_(
        stage.in_(row.stages), *[bears[tag] for tag in row.bears], *[sa.not_(bears[tag]) for tag in row.lacks]
    )


def _by_row(found: sa.CTE, values: Mapping[str, str | None]) -> sa.ColumnElement[Any]:
    """A value of the row that each contact meets."""
    known = {place: sa.literal(value) for place, value in values.items() if value is not None}
    return sa.cast(sa.case(known, value=found.c.row, else_=sa.null()), sa.String) if known else NOTHING


def _channels(found: sa.CTE, rows: Mapping[str, MatrixRow], matrix: Matrix) -> sa.ColumnElement[Any]:
    """The row's channels, the preferred one first where the row has it."""
    cases: list[tuple[sa.ColumnElement[bool], str]] = []
    for place, row in rows.items():
        order = matrix.channels_of(row)
        for wanted in order[1:]:
            moved = (wanted, *[channel for channel in order if channel != wanted])
            cases.append((sa.and_(found.c.row == place, found.c.wants == wanted), SEPARATOR.join(moved)))
        if order:
            cases.append((found.c.row == place, SEPARATOR.join(order)))
    return sa.cast(sa.case(*cases, else_=sa.null()), sa.String) if cases else NOTHING


def _variant(found: sa.CTE, rows: Mapping[str, MatrixRow], contents: Mapping[str, Content]) -> sa.ColumnElement[Any]:
    """What the row's dynamic rule gives."""
    known: dict[str, sa.ColumnElement[Any]] = {}
    for place, row in rows.items():
        if row.content is None or row.content not in contents:
            continue
        if row.is_dynamic:
            known[place] = found.c[f"variant_{row.content}"]
        else:
            everybody: sa.ColumnElement[Any] = sa.literal(DEFAULT) if contents[row.content].messages else NOTHING
            known[place] = sa.case((found.c.refuses, everybody), else_=sa.literal(row.rule))
    return sa.cast(sa.case(known, value=found.c.row, else_=sa.null()), sa.String) if known else NOTHING


def _gap(found: sa.CTE, rows: Mapping[str, MatrixRow]) -> sa.ColumnElement[Any]:
    """The name of the gap."""
    named = {place: sa.literal(row.id) for place, row in rows.items() if row.content is None}
    filled = sa.and_(found.c.row.is_not(None), found.c.row.not_in(list(named)))
    own = [(found.c.row == place, name) for place, name in named.items()]
    without = found.c.stage + found.c.tags
    return sa.cast(
        sa.case((filled, sa.null()), *own, (found.c.stage.is_(None), sa.literal(NO_STAGE)), else_=without), sa.String
    )
