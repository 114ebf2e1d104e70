"""`vesper explain`: the page of a person and of a campaign agree with the tables and the ledger, and show nobody's address."""

import datetime as dt
import hashlib
import re
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tasks.explain import echoed, explain
from tasks.sql import Unanswered, open_to_read, run_sql
from tests.ops.conftest import CARD_AND_CAMPAIGN, edit
from vesper.address import address_hash
from vesper.explain import sharing
from vesper.language import translator
from vesper.tables.contact import CONTACT_MEMBER, SOURCE_RECORD
from warehouse.ledger.engine import open_ledger, reading
from warehouse.ledger.schema import CONSENT, MESSAGE, REFUSAL, SUPPRESSION
from warehouse.runner import Runner
from warehouse.secret import address_key

CAMPAIGN = "winback_coupon"


def one(root: Path, sql: str) -> tuple[Any, ...]:
    return run_sql(root, sql)[1][0]


def ledger(root: Path, query: sa.Select[Any]) -> list[Any]:
    with open_to_read(root) as house, reading(house.engine) as connection:
        return list(connection.execute(query).all())


def section(page: str, title: str) -> str:
    return page.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def cells(text: str) -> list[list[str]]:
    """The rows of a markdown table, its head left out."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def test_the_reasons_on_the_page_sum_to_the_score(grocer: Path) -> None:
    scores = run_sql(grocer, "select contact_id, score, previous_score from mart__score order by contact_id")[1]
    moved = [row for row in scores if row[2] is not None and row[2] != row[1]]
    assert moved, "the two nights of the fixture should differ in a score"
    for contact_id, score, previous in [*scores[:3], *moved[:2]]:
        text = section(explain(grocer, contact_id), "评分")
        *reasons, total = cells(text)
        assert sum(int(row[1]) for row in reasons if row[1] != "-") == score
        assert sum(int(row[2]) for row in reasons if row[2] != "-") == previous
        assert total[1] == f"**{score}**"
        assert f"**{score}** 分" in text and f"昨日：{previous}" in text


def test_each_line_names_the_file_and_the_hash_that_decided(own_grocer: Path) -> None:
    contact_id, rule_id = one(
        own_grocer,
        "select contact_id, rule_id from mart__score_reason where kind in ('fit', 'engagement') order by 1, 2",
    )
    file = own_grocer / "definitions" / "scoring" / f"{rule_id}.yml"
    digest = hashlib.sha256(file.read_bytes()).hexdigest()[:16]
    edit(file, r"(?m)^owner:.*$", "owner: somebody.else@grocer.example.com")
    rows = {row[0]: row for row in cells(section(explain(own_grocer, contact_id), "评分"))}
    assert rows[rule_id][-1] == f"`definitions/scoring/{rule_id}.yml` {digest}"
    assert "Vesper 自带" in rows["base"][-1]


def test_any_identifier_leads_to_the_same_page(grocer: Path) -> None:
    contact_id, card, phone, email = one(
        grocer,
        "select contact_id, card, phone, email from core__contact where card not in (select campaign_id from core__campaign) "
        "and phone is not null and email is not null order by source_count desc, contact_id",
    )
    page = explain(grocer, contact_id)
    number = phone.removeprefix("+86")
    spellings = [
        card,
        f"card:{card}",
        phone,
        number,
        f"{number[:3]} {number[3:7]}-{number[7:]}",
        f" {email.upper()} ",
        f"email:{email}",
    ]
    assert {spelling: explain(grocer, spelling) == page for spelling in spellings} == dict.fromkeys(spellings, True)


@pytest.mark.requirement("R122")
def test_no_page_shows_a_name_a_number_or_an_address(grocer: Path) -> None:
    people = run_sql(
        grocer,
        "select contact_id, name, phone, email from core__contact where phone is not null and email is not null "
        "order by source_count desc, contact_id limit 5",
    )[1]
    for contact_id, name, phone, email in people:
        rows = "select r.phone, r.email, r.name from core__source_record r join core__contact_member using (source, record_key)"
        told = {
            value for row in run_sql(grocer, f"{rows} where contact_id = '{contact_id}'")[1] for value in row if value
        }
        page = explain(grocer, phone)
        assert [value for value in told | {phone.removeprefix("+86")} if value in page] == []
        assert f"{name[0]}**" in page and f"{phone[:3]}*****{phone[-2:]}" in page and f"{email[0]}**@" in page


def test_the_source_rows_are_those_that_were_merged(grocer: Path) -> None:
    contact_id, count = one(
        grocer, "select contact_id, source_count from core__contact order by source_count desc, contact_id"
    )
    rows = cells(section(explain(grocer, contact_id), "来源记录"))
    member = f"select source, record_key from core__contact_member where contact_id = '{contact_id}'"
    assert {(row[0], row[1]) for row in rows} == set(run_sql(grocer, member)[1])
    assert len(rows) == count > 2
    assert {row[2] for row in rows} <= {"首条记录", "会员卡", "电话", "邮箱"}


def test_stage_and_segments_are_those_of_the_night(grocer: Path) -> None:
    contact_id, stage, rule_id = one(
        grocer,
        "select contact_id, stage, l.rule_id from mart__lifecycle l join mart__segment_member using (contact_id) order by contact_id",
    )
    page = explain(grocer, contact_id)
    assert f"（{stage}）" in page and f"规则 {rule_id}" in page
    segments = run_sql(
        grocer, f"select segment_id, entered_on from mart__segment_member where contact_id = '{contact_id}' order by 1"
    )[1]
    assert [(row[1], row[2]) for row in cells(section(page, "人群"))] == [(id, str(on)) for id, on in segments]


def test_consent_shows_its_proof_and_what_holds_now(own_grocer: Path) -> None:
    contact_id, at, source, version = one(
        own_grocer,
        "select contact_id, c.at, source, text_version from core__consent c where channel = 'email' and is_granted order by contact_id",
    )
    mine = {row[0]: row for row in cells(section(explain(own_grocer, contact_id), "授权"))}
    assert mine["email"][4:6] == [source, version] and mine["email"][2] == mine["email"][6] == "已同意"
    (email,) = one(own_grocer, f"select email from core__contact where contact_id = '{contact_id}'")
    refuse(own_grocer, address_hash(address_key(own_grocer / ".vesper"), "email", email), at)
    after = {row[0]: row for row in cells(section(explain(own_grocer, contact_id), "授权"))}
    assert after["email"][2] == "已同意" and after["email"][6] == "已拒绝"
    assert after["email"][7] == "unsubscribe"


def refuse(root: Path, hashed: str, at: Any) -> None:
    """An unsubscribe after the night: a refusal in the ledger, and the address suppressed."""
    said = {"channel": "email", "address_hash": hashed, "at": at}
    engine = open_ledger(f"sqlite:///{root / '.vesper' / 'ledger.db'}")
    with engine.begin() as connection:
        refusal = said | {"purpose": "marketing", "is_granted": False, "source": "unsubscribe", "row_key": "1"}
        connection.execute(sa.insert(CONSENT).values(refusal | {"recorded_on": at.date()}))
        connection.execute(sa.insert(SUPPRESSION).values(said | {"reason": "unsubscribe"}))
    engine.dispose()


def test_messages_and_refusals_of_a_person_are_those_of_the_ledger(grocer: Path) -> None:
    sent = ledger(grocer, sa.select(MESSAGE).where(MESSAGE.c.state == "accepted").order_by(MESSAGE.c.message_id))[0]
    (row,) = cells(section(explain(grocer, sent.contact_id), "消息"))
    assert (row[0], row[1], row[7]) == (sent.message_id, CAMPAIGN, "1")
    refused = ledger(grocer, sa.select(REFUSAL).where(REFUSAL.c.reason == "no_consent").order_by(REFUSAL.c.contact_id))[
        0
    ]
    (why,) = cells(section(explain(grocer, refused.contact_id), "未发送的原因"))
    assert why[:2] == [str(refused.business_on), CAMPAIGN]
    assert why[2] == translator("zh_CN")("no consent") != "no consent"
    assert f"`definitions/campaigns/{CAMPAIGN}.yml`" in why[3]


def test_a_mailing_of_the_shop_and_its_answer_stand_on_the_page(grocer: Path) -> None:
    contact_id, campaign_id, on = one(
        grocer,
        "select contact_id, campaign_id, mailed_on from core__campaign_member where responded_at is not null order by 1, 2",
    )
    rows = {row[0]: row for row in cells(section(explain(grocer, contact_id), "来源中的活动"))}
    assert rows[campaign_id][2] == str(on) and rows[campaign_id][3] != "-"


def test_the_audience_of_a_campaign_is_its_intents_and_refusals(grocer: Path) -> None:
    page = explain(grocer, CAMPAIGN)
    (night,) = cells(section(page, "目标人群"))
    members = one(grocer, "select count(*) from mart__segment_member where segment_id = 'dormant_90d'")[0]
    planned = ledger(grocer, sa.select(MESSAGE.c.state).where(MESSAGE.c.campaign_id == CAMPAIGN))
    refused = ledger(grocer, sa.select(REFUSAL.c.reason).where(REFUSAL.c.campaign_id == CAMPAIGN))
    assert night[0] == "2018-01-01"
    assert int(night[1]) == members == len(planned) + len(refused)
    assert int(night[2]) == len(planned) > 0
    assert sum(int(number) for number in re.findall(r" (\d+)", night[3])) == len(refused)
    assert sum(int(row[2]) for row in cells(section(page, "消息"))) == len(planned)
    for name in (f"campaigns/{CAMPAIGN}", "segments/dormant_90d", f"content/{CAMPAIGN}"):
        digest = hashlib.sha256((grocer / "definitions" / f"{name}.yml").read_bytes()).hexdigest()[:16]
        assert f"`definitions/{name}.yml` {digest}" in page


def test_a_waiting_message_says_when_it_goes(own_grocer: Path) -> None:
    engine = open_ledger(f"sqlite:///{own_grocer / '.vesper' / 'ledger.db'}")
    waits = {"state": "planned", "reason": "waiting:window", "not_before": dt.datetime(2018, 1, 3)}
    with engine.begin() as connection:
        first = connection.scalar(sa.select(sa.func.min(MESSAGE.c.message_id)))
        connection.execute(sa.update(MESSAGE).where(MESSAGE.c.message_id == first).values(waits))
    engine.dispose()
    assert "下次发送：2018-01-02 19:00。" in explain(own_grocer, CAMPAIGN)


def test_a_campaign_of_the_shop_shows_what_it_brought(grocer: Path) -> None:
    mailed, responded = one(
        grocer, "select count(*), count(responded_at) from core__campaign_member where campaign_id = '18'"
    )
    (row,) = cells(section(explain(grocer, "campaign:18"), "活动效果"))
    assert row[0] == "mailing" and (row[1], row[3]) == (str(mailed), str(responded))


def test_what_names_two_things_is_asked_back(grocer: Path) -> None:
    with pytest.raises(Unanswered, match=f"`campaign:{CARD_AND_CAMPAIGN}`, `card:{CARD_AND_CAMPAIGN}`"):
        explain(grocer, CARD_AND_CAMPAIGN)
    assert explain(grocer, f"card:{CARD_AND_CAMPAIGN}").startswith("# c")
    assert explain(grocer, f"campaign:{CARD_AND_CAMPAIGN}").startswith(f"# {CARD_AND_CAMPAIGN} · ")


@pytest.mark.requirement("R122")
@pytest.mark.parametrize("asked", ["13912345670", "+86 139 1234 5670", "nobody.else@example.com", "王小明"])
def test_whom_nobody_knows_is_not_said_aloud(grocer: Path, asked: str) -> None:
    with pytest.raises(Unanswered) as unknown:
        explain(grocer, asked)
    assert asked not in str(unknown.value) and echoed(asked) in str(unknown.value)


def test_an_unknown_id_is_answered_with_the_nearest(grocer: Path) -> None:
    contact_id = one(grocer, "select contact_id from core__contact order by 1")[0]
    wrong = contact_id[:-1] + ("0" if contact_id[-1] != "0" else "1")
    with pytest.raises(Unanswered, match=contact_id):
        explain(grocer, wrong)
    with pytest.raises(Unanswered, match="winback_coupon"):
        explain(grocer, "winbak_coupon")


@pytest.mark.requirement("R111")
def test_the_page_speaks_the_language_of_the_workspace(own_grocer: Path) -> None:
    edit(own_grocer / "vesper.toml", 'language = "zh_CN"', 'language = "en"')
    contact_id, score = one(own_grocer, "select contact_id, score from mart__score order by 1")
    page = explain(own_grocer, contact_id)
    assert [line[3:] for line in page.splitlines() if line.startswith("## ")] == [
        "Source rows", "Links", "Kept apart", "Ids and history", "Steward rules", "Where values come from", "Company",
        "Score", "Lifecycle", "Lead", "Hand-overs", "Tags, tiers and personas", "Segments", "Consent", "Campaigns of sources", "Messages", "Not written to",
    ]  # fmt: skip
    assert f"**{score}**: " in page
    chinese = re.compile("[一-鿿]")
    reasons = section(page, "Score")
    assert not chinese.search(reasons)


def test_a_number_that_several_people_share_names_all_of_them(grocer: Path) -> None:
    keys = ("1", "2")
    records = [_named(source="crm", record_key=key, phone="+8613912345670") for key in keys]
    members = [_named(source="crm", record_key=key, contact_id=f"c{key * 16}") for key in keys]
    with open_to_read(grocer) as house, Runner(house.lake) as runner:
        runner.materialize(sa.union_all(*records), SOURCE_RECORD.name)
        runner.materialize(sa.union_all(*members), CONTACT_MEMBER.name)
        found = runner.rows(sharing("phone", "139 1234 5670"))
    assert [row.contact_id for row in found] == ["c" + key * 16 for key in keys]


def _named(**values: str) -> sa.Select[Any]:
    return sa.select(*[sa.literal(value).label(name) for name, value in values.items()])
