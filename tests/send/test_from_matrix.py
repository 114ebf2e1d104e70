"""A campaign whose content is a matrix: each person gets the matrix's content, variant and channel, or the gap's name (R78, R80)."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.content.contents import content
from tests.definitions.conftest import GOOD, Company
from tests.send.company import (
    CONSENTED_AT,
    NIGHT,
    Person,
    campaign,
    definitions,
    fill,
    hashed,
    lake,
    night,
    plan_of,
    rows_of,
)
from vesper.check import checked
from vesper.definition_set import DefinitionSet
from vesper.marts.lifecycle import LIFECYCLE
from vesper.marts.message import RAW_SUPPRESSION
from vesper.marts.segment_member import SEGMENT_MEMBER
from vesper.marts.tag import TAG
from vesper.model.campaign import Campaign
from vesper.model.content import Content
from vesper.model.matrix import Matrix
from vesper.model.outreach import Purpose
from vesper.model.source import Source
from vesper.model.tag import Tag
from vesper.send import INTENT, campaigns_of
from vesper.tables.campaign import EVENT
from vesper.tables.contact import CONSENT, CONTACT

EAST = {"id": "east", "when": {"attribute": {"field": "province", "in": ["上海"]}}}
ROWS: list[dict[str, Any]] = [
    {"id": "fans", "stages": ["prospect"], "bears": ["fan"], "content": "case"},
    {"id": "quiet", "stages": ["prospect"], "lacks": ["fan", "busy"], "gap": "还没有"},
    {"id": "loyal", "stages": ["loyal"], "content": "silent", "channels": ["webhook", "email"]},
    {"id": "mql", "stages": ["mql"], "content": "case", "rule": "default", "channels": ["email"]},
]


def matrix(*rows: Mapping[str, Any]) -> Matrix:
    fields = {"id": "main", "says": "矩阵", "owner": "marketing", "channels": ["email", "webhook"]}
    return Matrix.model_validate(fields | {"rows": [dict(row) for row in rows or ROWS]})


def contents() -> dict[str, Content]:
    """`case` says something to everybody, other words to the east; `silent` speaks to the east alone."""
    case = content(
        text="{% block offer %}通用{% endblock %}", variants=[EAST | {"blocks": {"zh_CN": {"offer": "上海"}}}]
    )
    whole = {"zh_CN": {"subject": "上海", "text": "上海 {{ unsubscribe_url }}"}}
    silent = content(variants=[EAST | {"messages": whole}])
    return {"case": case.model_copy(update={"id": "case"}), "silent": silent.model_copy(update={"id": "silent"})}


def by_matrix(**changes: Any) -> Campaign:
    return campaign(**({"content": {"matrix": "main"}, "channel": None} | changes))


def known(each: Campaign, one: Matrix | None = None) -> DefinitionSet:
    base = definitions(each)
    return DefinitionSet({**base.items, Content: contents(), Matrix: {"main": one or matrix()}}, base.hashes)


@dataclass(frozen=True)
class Known:
    """A person as the matrix and the plan know them."""

    contact_id: str
    stage: str | None
    tags: frozenset[str] = frozenset()
    has_mail: bool = True
    agrees: frozenset[str] = frozenset({"email", "webhook"})
    is_kept_out: bool = False
    prefers: str | None = None
    province: str | None = None


@pytest.fixture(scope="module")
def shop() -> Iterator[sa.Engine]:
    engine = lake()
    TAG.create(engine)
    yield engine
    engine.dispose()


def put(shop: sa.Engine, people: list[Known]) -> None:
    """These people and no others."""
    with shop.begin() as connection:
        for table in (CONTACT, CONSENT, LIFECYCLE, SEGMENT_MEMBER, RAW_SUPPRESSION, EVENT, TAG):
            connection.execute(sa.delete(table))
    fill(shop, [Person(p.contact_id, mail(p), p.stage, consents=None, province=p.province) for p in people])
    since = {"since_on": NIGHT, "business_on": NIGHT, "definition_hash": "x"}
    tags = [{"tag_id": tag, "contact_id": p.contact_id, **since} for p in people for tag in sorted(p.tags)]
    said = {"purpose": "marketing", "source": "crm_member", "is_granted": True}
    agreed = [{"contact_id": p.contact_id, "channel": one, **said} for p in people for one in sorted(p.agrees)]
    out = {"channel": "email", "at": CONSENTED_AT, "reason": "unsubscribed"}
    kept_out = [{"address_hash": hashed("email", mail(p) or ""), **out} for p in people if p.is_kept_out and p.has_mail]
    preferring = [preference(p) for p in people if p.prefers]
    with shop.begin() as connection:
        for table, rows in ((TAG, tags), (CONSENT, agreed), (RAW_SUPPRESSION, kept_out), (EVENT, preferring)):
            if rows:
                connection.execute(sa.insert(table), rows)


def mail(person: Known) -> str | None:
    return f"{person.contact_id}@example.com" if person.has_mail else None


def preference(person: Known) -> dict[str, Any]:
    return {
        "event_id": f"e{person.contact_id}",
        "on": NIGHT,
        "contact_id": person.contact_id,
        "kind": f"prefers_{person.prefers}",
        "at": CONSENTED_AT,
        "received_at": CONSENTED_AT,
        "source": "app",
        "is_machine": False,
    }


def planned(shop: sa.Engine, root: Path, each: Campaign, one: Matrix | None = None) -> dict[str, Any]:
    found = rows_of(shop, plan_of(each, night(known(each, one), root)))
    assert len({row.contact_id for row in found}) == len(found)
    return {row.contact_id: row for row in found}


def expected(person: Known, each: Campaign, one: Matrix) -> tuple[str, str | None, str | None, str | None, str | None]:
    """decision, detail, channel, content_id and variant, by plain Python."""
    row = one.row_for(person.stage, person.tags) if person.stage else None
    is_off = person.stage not in each.brief.stages
    if row is None or row.content is None:
        name = row.id if row else "+".join([person.stage, *sorted(person.tags)]) if person.stage else "no_stage"
        return ("stage", person.stage, None, None, None) if is_off else ("gap", name, None, None, None)
    order = list(one.channels_of(row))
    if person.prefers in order:
        order.sort(key=lambda channel: channel != person.prefers)
    channel = next((way for way in order if why_not(person, each, way) is None), order[0])
    is_east = person.province == "上海"
    variant = (
        "default" if row.content == "case" and (not is_east or row.rule == "default") else "east" if is_east else None
    )
    why = why_not(person, each, channel)
    if why is None and is_off:
        return "stage", person.stage, channel, row.content, variant
    why = why or (None if variant else "no_variant")
    return why or INTENT, None, channel, row.content, variant


def why_not(person: Known, each: Campaign, channel: str) -> str | None:
    if channel == "email" and not person.has_mail:
        return "no_address"
    if each.purpose == "marketing" and channel not in person.agrees:
        return "no_consent"
    return "suppressed" if channel == "email" and person.is_kept_out and each.purpose != "operational" else None


people = st.lists(
    st.builds(
        Known,
        st.just(""),
        st.sampled_from([None, "prospect", "loyal", "mql", "at_risk"]),
        st.frozensets(st.sampled_from(["busy", "fan"])),
        st.booleans(),
        st.frozensets(st.sampled_from(["email", "webhook"])),
        st.booleans(),
        st.sampled_from([None, "email", "webhook"]),
        st.sampled_from([None, "上海"]),
    ),
    min_size=1,
    max_size=25,
)


@pytest.mark.requirement("R78", "R80", "R83")
@settings(max_examples=30)
@given(drawn=people, purpose=st.sampled_from(["marketing", "requested", "operational"]), is_all=st.booleans())
def test_everybody_gets_what_plain_python_says(
    shop: sa.Engine, tmp_path_factory: pytest.TempPathFactory, drawn: list[Known], purpose: Purpose, is_all: bool
) -> None:
    everybody = [Known(**{**vars(one), "contact_id": f"c{place:02}"}) for place, one in enumerate(drawn)]
    stages = ["prospect", "loyal", "mql", *(["at_risk"] if is_all else [])]
    each = by_matrix(purpose=purpose)
    each = each.model_copy(update={"brief": each.brief.model_copy(update={"stages": tuple(stages)})})
    put(shop, everybody)
    found = planned(shop, tmp_path_factory.getbasetemp(), each)
    names = ("decision", "detail", "channel", "content_id", "variant")
    got = {id: tuple(getattr(row, name) for name in names) for id, row in found.items()}
    assert got == {one.contact_id: expected(one, each, matrix()) for one in everybody}


@pytest.mark.requirement("R78", "R80")
def test_the_address_is_that_of_the_persons_channel(shop: sa.Engine, tmp_path: Path) -> None:
    fan = Known("c1", "prospect", frozenset({"fan"}))
    put(shop, [fan, replace(fan, contact_id="c2", has_mail=False), replace(fan, contact_id="c3", agrees=frozenset())])
    found = planned(shop, tmp_path, by_matrix())
    assert {id: (row.channel, row.address, row.decision) for id, row in found.items()} == {
        "c1": ("email", "c1@example.com", INTENT),
        "c2": ("webhook", "c2", INTENT),
        "c3": ("email", "c3@example.com", "no_consent"),
    }
    assert found["c1"].address_hash == hashed("email", "c1@example.com")
    assert found["c2"].address_hash == hashed("webhook", "c2")


@pytest.mark.requirement("R78", "R106")
def test_while_a_source_behind_its_tags_has_a_hole_nobody_is_written_to(shop: sa.Engine, tmp_path: Path) -> None:
    put(shop, [Known("c1", "prospect", frozenset({"fan"}))])
    each = by_matrix()
    fan = Tag.model_validate({"id": "fan", "says": "x", "owner": "o", "members": {"orders": {"at_least": 1}}})
    source = Source.model_construct(  # type: ignore[call-arg]
        id="shop_order", feeds="order_line", event_kind=None, fields={}
    )
    base = known(each)
    whole = DefinitionSet({**base.items, Tag: {"fan": fan}, Source: {"shop_order": source}}, base.hashes)
    tonight = night(whole, tmp_path)
    assert [row.decision for row in rows_of(shop, plan_of(each, tonight))] == [INTENT]
    held = replace(tonight, held=frozenset({"shop_order"}))
    assert [(row.decision, row.detail) for row in rows_of(shop, plan_of(each, held))] == [("held", "shop_order")]


@pytest.mark.requirement("R78")
def test_a_matrix_that_is_no_longer_in_force_is_a_gap_by_its_name(shop: sa.Engine, tmp_path: Path) -> None:
    put(shop, [Known("c1", "loyal")])
    each = by_matrix()
    found = rows_of(shop, plan_of(each, night(definitions(each), tmp_path)))
    assert [(row.decision, row.detail) for row in found] == [("gap", "matrix/main")]


def test_a_campaign_by_matrix_runs_like_any_other(tmp_path: Path) -> None:
    each = by_matrix()
    tonight = night(known(each), tmp_path, NIGHT + dt.timedelta(days=1))
    assert campaigns_of(tonight) == [each]


MATRIX = """\
says: 矩阵
owner: marketing
channels: [email]
rows:
  - {id: risk, stages: [at_risk], content: winback}
  - {id: others, stages: [prospect, first_purchase, repurchase, loyal], gap: 还没有}
"""
CAMPAIGN = GOOD["campaigns/winback"].replace("channel: email\ncontent: winback", "content: {matrix: main}")


@pytest.mark.requirement("R78")
@pytest.mark.parametrize(
    ("old", "new", "line", "what", "instead"),
    [
        ("", "", 0, "", ""),
        ("{matrix: main}", "{matrix: mian}", 13, "There is no matrix mian", "main?"),
        ("{matrix: main}", "{matix: main}", 13, "content.matix is not a key here", "matrix?"),
        ("content: {", "channel: email\ncontent: {", 1, "The matrix says on which channel", "Drop channel"),
        ("{matrix: main}", "winback", 1, "Nothing says on which channel", "Write channel"),
    ],
)
def test_check_says_what_is_wrong(tmp_path: Path, old: str, new: str, line: int, what: str, instead: str) -> None:
    company = Company(tmp_path)
    company.write("matrix/main.yml", MATRIX)
    company.write("campaigns/winback.yml", CAMPAIGN.replace(old, new, 1) if old else CAMPAIGN)
    found = [problem for problem in company.problems() if "is missing" not in problem.what]
    assert len(found) == bool(old)
    for problem in found:
        assert (problem.file, problem.line) == ("definitions/campaigns/winback.yml", line)
        assert what in problem.what
        assert instead in problem.instead


@pytest.mark.requirement("R78", "R111")
def test_what_a_matrix_sends_in_another_language_is_warned_of(tmp_path: Path) -> None:
    company = Company(tmp_path)
    company.write("matrix/main.yml", MATRIX)
    company.write("campaigns/winback.yml", CAMPAIGN)
    said = "It is sent and not written in en; people get it in zh_CN."
    assert said in [warning.what for warning in checked(tmp_path).warnings]
    company.write("campaigns/winback.yml", CAMPAIGN.replace("state: full", "state: draft"))
    assert said not in [warning.what for warning in checked(tmp_path).warnings]


@pytest.mark.requirement("R78", "R89")
def test_a_matrix_never_brings_a_content_that_nobody_can_leave(tmp_path: Path) -> None:
    company = Company(tmp_path)
    company.write("matrix/main.yml", MATRIX)
    company.write("campaigns/winback.yml", CAMPAIGN)
    company.spoil("content/winback", "      退订：{{ unsubscribe_url }}\n", "")
    assert [problem.file for problem in company.problems() if "unsubscribe" in problem.what] == [
        "definitions/content/winback.yml"
    ]
