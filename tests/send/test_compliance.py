"""The rules of law and of mail providers, by their numbers in the design's note on channels (C1 to C12), as far as they bind mail.

C4 (one-click unsubscribe) stands in tests/intake, C6 and C7 bind text messages, C8 and C10 stand in tests/warehouse and tests/ops.
"""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from tests.definitions.conftest import GOOD, Company, company
from tests.send.company import (
    CONSENTED_AT,
    NIGHT,
    Person,
    campaign,
    content,
    copy_ledger,
    definitions,
    delivered,
    fill,
    hashed,
    lake,
    messages,
    night,
    people,
    plan_of,
    planned,
    rows_of,
    statement,
    workspace,
)
from vesper.bounce import given_up
from vesper.check import checked
from vesper.conditions import Condition
from vesper.consolidate import consent
from vesper.content import written
from vesper.marts.message import RAW_MESSAGE
from vesper.model.consent import ConsentPolicy
from vesper.model.segment import Segment
from vesper.model.source import Source
from vesper.send_person import birthday_of
from vesper.tables.campaign import EVENT
from vesper.tables.contact import CONSENT, CONTACT_MEMBER, SOURCE_RECORD
from vesper.tables.ledger_copy import LEDGER_CONSENT
from warehouse.ledger.consent import append_consent, confirm, is_granted
from warehouse.ledger.suppression import keep_out

__all__ = ["company"]

DAY = dt.timedelta(days=1)


@pytest.fixture
def shop() -> Any:
    engine = lake()
    for table in (SOURCE_RECORD, CONTACT_MEMBER, LEDGER_CONSENT):
        table.create(engine)
    yield engine
    engine.dispose()


def decide(shop: sa.Engine, root: Path, on: dt.date = NIGHT, known: Any = None, **changes: Any) -> dict[str, str]:
    each = campaign(**{"ends_on": on + 30 * DAY} | changes)
    rows = rows_of(shop, plan_of(each, night(known or definitions(each), root, on)))
    return {row.contact_id: row.decision for row in rows}


@pytest.mark.requirement("R88", "R90")
def test_c1_consent_taken_back_between_plan_and_sending_is_heeded(any_ledger: sa.Engine, tmp_path: Path) -> None:
    persons, known = people(2), definitions(campaign())
    planned(any_ledger, known, tmp_path, persons)
    append_consent(any_ledger, [statement("person0@example.com", False, at=CONSENTED_AT + DAY, row_key="later")])
    delivered(any_ledger, known, workspace(tmp_path), persons)
    assert {row.contact_id: (row.state, row.reason) for row in messages(any_ledger)} == {
        "c0000": ("refused", "no_consent"),
        "c0001": ("accepted", None),
    }


@pytest.mark.requirement("R88")
@given(
    subject=st.text("ab广告AD：{} 名", min_size=1, max_size=20).filter(lambda text: text.strip() and "{" not in text)
)
def test_c2_every_chinese_advertisement_says_so_first(subject: str) -> None:
    said = written(content(subject=subject), "zh_CN").fill(
        {"name": "王小明", "unsubscribe_url": "mailto:x", "company": "店"}
    )
    assert said.subject.startswith(("广告", "AD"))


@pytest.mark.requirement("R89")
def test_c3_marketing_mail_names_the_company_s_address(company: Company) -> None:
    def warned() -> list[str]:
        return [f"{one.file} {one.what}" for one in checked(company.root).warnings]

    assert [line for line in warned() if "vesper.toml" in line and "postal address" in line]
    settings = company.root / "vesper.toml"
    settings.write_text(settings.read_text("utf-8") + '\n[mail]\npostal_address = "1 Main St"\n', "utf-8")
    unwritten = "It is sent and not written in en; people get it in zh_CN."
    assert warned() == [f"definitions/content/winback.yml {unwritten}"]
    english = GOOD["content/winback"] + "  en:\n    subject: Come back\n    text: 'Leave: {{ unsubscribe_url }}'\n"
    company.write("content/winback.yml", english)
    assert [line for line in warned() if "content/winback.yml" in line and "United States" in line]
    company.write("content/winback.yml", english.replace("Leave:", "{{ address }} Leave:"))
    assert warned() == []
    assert company.problems() == []


@pytest.mark.requirement("R91")
@pytest.mark.parametrize(("reported", "halts"), [(2, False), (3, True)])
def test_c5_too_many_spam_reports_halt_marketing(shop: sa.Engine, tmp_path: Path, reported: int, halts: bool) -> None:
    """A thousand mails in the last seven days, and three reports: mail providers begin to block a sender there."""
    fill(shop, people(2))
    sent = [accepted(f"m{n}", NIGHT - DAY) for n in range(1000)]
    old = [accepted(f"old{n}", NIGHT - 9 * DAY) for n in range(1000)]
    reports = [event(f"m{n}", "mail_complained", NIGHT) for n in range(reported)]
    insert(shop, RAW_MESSAGE, sent + old)
    insert(shop, EVENT, [*reports, *reports[:1]])  # one is told twice
    assert set(decide(shop, tmp_path).values()) == ({"complaints"} if halts else {"intent"})
    assert set(decide(shop, tmp_path, purpose="operational").values()) == {"intent"}
    few = definitions(campaign(), policy=None)
    few = type(few)({**few.items, ConsentPolicy: {"consent": policy(complaints={"of_at_least": 1001})}}, few.hashes)
    assert set(decide(shop, tmp_path, known=few).values()) == {"intent"}


@pytest.mark.requirement("R79", "R88")
def test_c9_nobody_is_picked_by_a_score_who_refuses_it(shop: sa.Engine, tmp_path: Path) -> None:
    fill(shop, people(2))
    refuse_personalisation(shop, "c0000")
    each = campaign()
    plain = decide(shop, tmp_path, known=with_segment(each, {"orders": {"at_least": 1}}))
    assert plain == {"c0000": "intent", "c0001": "intent"}
    scored = decide(shop, tmp_path, known=with_segment(each, {"score": {"at_least": 80}}))
    assert scored == {"c0000": "personalisation", "c0001": "intent"}


@pytest.mark.requirement("R88")
def test_c9_nobody_under_fourteen_without_a_guardian(shop: sa.Engine, tmp_path: Path) -> None:
    born = {"c1": dt.date(2004, 1, 1), "c2": dt.date(2004, 1, 2), "c3": dt.date(2004, 1, 2), "c4": None}
    fill(shop, [Person(id, f"{id}@example.com", birth_on=day) for id, day in born.items()])
    insert(
        shop,
        CONSENT,
        [{"contact_id": "c3", "channel": "sms", "purpose": "guardian", "is_granted": True, "source": "x"}],
    )
    assert decide(shop, tmp_path) == {"c1": "intent", "c2": "age", "c3": "intent", "c4": "intent"}
    assert set(decide(shop, tmp_path, purpose="operational").values()) == {"intent"}
    assert set(decide(shop, tmp_path, NIGHT + DAY).values()) == {"intent"}


@given(st.dates(dt.date(1990, 1, 1), dt.date(2030, 12, 31)), st.dates(dt.date(1970, 1, 1), dt.date(1989, 12, 31)))
def test_c9_the_age_is_that_of_birthdays(day: dt.date, born: dt.date) -> None:
    years = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    assert (born <= birthday_of(day, 14)) == (years >= 14)


def raw(engine: sa.Engine, rows: list[dict[str, Any]]) -> sa.Table:
    """Rows of a contact source, and their cleaned records, one contact each."""
    names = {
        "member_id": sa.String,
        "consent_email": sa.Boolean,
        "registered_at": sa.DateTime,
        "received_at": sa.DateTime,
    }
    flags = {"has_refused_personalisation": sa.Boolean, "has_guardian_consent": sa.Boolean}
    table = sa.Table("raw_web__form", sa.MetaData(), *[sa.Column(n, kind) for n, kind in (names | flags).items()])
    table.create(engine)
    common = {"registered_at": CONSENTED_AT, "received_at": CONSENTED_AT}
    insert(engine, table, [dict.fromkeys(flags, False) | common | row for row in rows])
    record = {
        "source": "web_form",
        "phone_status": "missing",
        "email_status": "valid",
        "region_status": "none",
        "trust": 50,
    }
    for row in rows:
        key = {"record_key": row["member_id"]}
        email = {"email": f"{row['member_id']}@example.com", "received_at": CONSENTED_AT}
        insert(engine, SOURCE_RECORD, [record | key | email])
        insert(
            engine,
            CONTACT_MEMBER,
            [{"source": "web_form", "contact_id": f"c_{row['member_id']}", "rule": "founder"} | key],
        )
    return table


FORM = Source.model_construct(id="web_form", feeds="contact", key=("member_id",), crm=None)  # type: ignore[call-arg]


def stated(engine: sa.Engine, table: sa.Table, doubly: bool) -> list[Any]:
    return rows_of(
        engine, consent.new_statements([*consent.stated(table, FORM, doubly), *consent.further(table, FORM)])
    )


@pytest.mark.requirement("R88")
def test_c11_a_yes_waits_until_its_person_confirms_it(any_ledger: sa.Engine, shop: sa.Engine) -> None:
    table = raw(shop, [{"member_id": "yes", "consent_email": True}, {"member_id": "no", "consent_email": False}])
    rows = [row._asdict() | {"recorded_on": NIGHT} for row in stated(shop, table, doubly=True)]
    assert {(row["row_key"], row["purpose"], row["is_granted"]) for row in rows} == {
        ("yes", "marketing_unconfirmed", True),
        ("no", "marketing", False),
    }
    append_consent(any_ledger, rows)
    yes, no = hashed("email", "yes@example.com"), hashed("email", "no@example.com")
    with any_ledger.begin() as connection:
        assert not is_granted(connection, "email", "marketing", yes)
        assert confirm(connection, "email", yes, CONSENTED_AT + DAY, NIGHT) == 1
        assert is_granted(connection, "email", "marketing", yes)
        assert confirm(connection, "email", yes, CONSENTED_AT + 2 * DAY, NIGHT) == 0
        assert confirm(connection, "email", no, CONSENTED_AT + DAY, NIGHT) == 0
    append_consent(
        any_ledger, [statement("yes@example.com", False, source="web_form", row_key="yes", at=CONSENTED_AT + 3 * DAY)]
    )
    with any_ledger.begin() as connection:
        assert not is_granted(connection, "email", "marketing", yes)
        assert confirm(connection, "email", yes, CONSENTED_AT + 4 * DAY, NIGHT) == 0


@pytest.mark.requirement("R88")
def test_c11_what_is_not_confirmed_is_no_consent_of_the_night(shop: sa.Engine) -> None:
    table = raw(
        shop,
        [{"member_id": "a", "consent_email": True, "has_guardian_consent": True, "has_refused_personalisation": True}],
    )
    for doubly, purposes in (
        (True, {"guardian", "personalisation"}),
        (False, {"guardian", "marketing", "personalisation"}),
    ):
        new = consent.new_statements([*consent.stated(table, FORM, doubly), *consent.further(table, FORM)]).subquery(
            "new"
        )
        found = {row.purpose: row.is_granted for row in rows_of(shop, consent.consents(new))}
        assert set(found) == purposes
        assert found["guardian"]
        assert not found["personalisation"]


def accepted(id: str, on: dt.date, address: str = "", state: str = "accepted", **changes: Any) -> dict[str, Any]:
    at = dt.datetime.combine(on, dt.time(10))
    row = {
        "message_id": id, "campaign_id": "other", "contact_id": id, "step_id": "send", "occurrence": 1, "channel": "email",
        "purpose": "marketing", "address_hash": address or id, "state": state, "reason": None, "priority": 249,
        "business_on": on, "planned_at": at, "not_before": at, "expires_at": at, "sending_at": at, "final_at": at,
    }  # fmt: skip
    return row | changes


def event(message: str, kind: str, on: dt.date) -> dict[str, Any]:
    at = dt.datetime.combine(on, dt.time(11))
    base = {
        "event_id": f"{message}:{kind}:{on}",
        "on": on,
        "at": at,
        "received_at": at,
        "source": "mail",
        "is_machine": False,
    }
    return base | {"kind": kind, "message_id": message}


def insert(engine: sa.Engine, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    with engine.begin() as connection:
        connection.execute(sa.insert(table), rows)


def policy(**changes: Any) -> ConsentPolicy:
    return ConsentPolicy.model_validate({"id": "consent", "says": "授权", "owner": "vesper"} | changes)


def with_segment(each: Any, members: dict[str, Any]) -> Any:
    known = definitions(each)
    condition = Condition.model_validate(members)
    segment = Segment.model_validate({"id": "everyone", "says": "全部", "owner": "marketing", "members": condition})
    return type(known)({**known.items, Segment: {"everyone": segment}}, known.hashes)


def refuse_personalisation(engine: sa.Engine, contact_id: str) -> None:
    said = {
        "contact_id": contact_id,
        "channel": "email",
        "purpose": "personalisation",
        "is_granted": False,
        "source": "x",
    }
    insert(engine, CONSENT, [said])


def bounced(shop: sa.Engine, root: Path) -> dict[str, str]:
    rows = rows_of(shop, given_up(night(definitions(campaign()), root)))
    assert len({row.address_hash for row in rows}) == len(rows)
    return {row.address_hash: row.reason for row in rows}


@pytest.mark.requirement("R90")
def test_c12_a_mailbox_that_is_none_is_kept_out_at_once_and_a_full_one_after_three_in_three_days(
    shop: sa.Engine, tmp_path: Path
) -> None:
    days = [NIGHT - n * DAY for n in (9, 6, 3)]
    soft = [accepted(f"soft{n}", day, "full") for n, day in enumerate(days)]
    quick = [accepted(f"quick{n}", NIGHT - DAY, "quick") for n in range(3)]
    broken = [accepted(f"back{n}", day, "back") for n, day in enumerate(days)]
    put_off = [accepted(f"off{n}", day, "off", "rejected", reason="exhausted") for n, day in enumerate(days)]
    refused = [accepted(f"no{n}", day, "no", "rejected", reason="554") for n, day in enumerate(days)]
    insert(shop, RAW_MESSAGE, [*soft, *quick, *broken, *put_off, *refused, accepted("gone", NIGHT - DAY, "gone")])
    told = [event(f"soft{n}", "mail_bounced_soft", day) for n, day in enumerate(days)]
    told += [event(f"quick{n}", "mail_bounced", NIGHT) for n in range(3)]
    told += [event(f"back{n}", "mail_bounced", days[n]) for n in (0, 2)]  # the second one arrived
    told += [event("gone", "mail_bounced_hard", NIGHT), event("stranger", "mail_bounced_hard", NIGHT)]
    insert(shop, EVENT, told + told)  # a provider tells everything twice
    assert bounced(shop, tmp_path) == {"full": "soft_bounces", "off": "soft_bounces", "gone": "hard_bounce"}


@pytest.mark.requirement("R90")
def test_c12_who_is_given_up_is_written_to_no_more(shop: sa.Engine, ledger: sa.Engine, tmp_path: Path) -> None:
    fill(shop, people(2))
    address = hashed("email", "person0@example.com")
    insert(shop, RAW_MESSAGE, [accepted("gone", NIGHT - DAY, address)])
    insert(shop, EVENT, [event("gone", "mail_bounced_hard", NIGHT)])
    found = bounced(shop, tmp_path)
    with ledger.begin() as connection:
        keep_out(connection, [("email", one) for one in found], "hard_bounce", night(definitions(), tmp_path).cutoff_at)
    copy_ledger(shop, ledger)
    assert decide(shop, tmp_path) == {"c0000": "suppressed", "c0001": "intent"}
    insert(shop, RAW_MESSAGE, [accepted("gone", NIGHT - DAY, address)])
    assert bounced(shop, tmp_path) == {}
