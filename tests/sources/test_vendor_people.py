"""What vendors' exports do to people: merged and deleted ids, events that find their contact, refusals that reach every address (R1, R5, R88, R90)."""

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tasks.bench import Bench
from tasks.clean import clean
from tasks.identity import resolve
from tasks.vendor import VendorIds, events, refusals, vendor_ids
from tests.sources.vendors import company, csv_of, taken_in, without_incidents
from vesper.address import address_hash
from vesper.consolidate import contact, vendor
from vesper.model.identity import IdentityPolicy
from vesper.presets import preset_text
from vesper.tables.campaign import EVENT
from vesper.tables.contact import CONTACT_MEMBER, IDENTIFIER, SOURCE_RECORD
from vesper.yaml_text import read_yaml
from warehouse.lint import refuse_unstable
from warehouse.sql_text import shaped

WANG = {"property_firstname": "小明", "property_lastname": "王"}
FILES: dict[str, list[dict[str, str]]] = {
    "hubspot_contact": [
        {"id": "101", **WANG, "property_email": "wang@jia.cn", "property_hs_merged_object_ids": "102;103"},
        {"id": "106", **WANG, "property_email": "wang2@jia.cn"},
        {"id": "104", "property_lastname": "李雷", "property_email": "lilei@yi.cn", "property_hs_email_optout": "true"},
        {"id": "105", "property_lastname": "韩梅梅", "property_email": "han@bing.cn", "_fivetran_deleted": "TRUE"},
        {"id": "107", "property_lastname": "赵四", "property_email": "zhao@ding.cn"},
    ],
    "hubspot_contact_merge_audit": [
        {"canonical_vid": "106", "vid_to_merge": "101", "timestamp": "2025-01-01 00:00:00"},
        {"canonical_vid": "900", "vid_to_merge": "104", "timestamp": "2025-01-01 00:00:00"},
        {"canonical_vid": "900", "vid_to_merge": "107", "timestamp": "2025-01-01 00:00:00"},
    ],
    "hubspot_contact_form_submission": [
        {"conversion_id": "f1", "contact_id": "103", "form_id": "7", "timestamp": "2025-03-01 16:30:00"}
    ],
    "hubspot_email_event": [
        {"id": "e1", "type": "OPEN", "recipient": "Wang2@jia.cn", "created": "2025-02-01 01:00:00", "email_campaign_id": "2"},
        {"id": "e2", "type": "CLICK", "recipient": "zhao@ding.cn", "created": "2025-02-01 01:05:00", "filtered_event": "true"},
        {"id": "e3", "type": "STATUSCHANGE", "recipient": "zhao@ding.cn", "created": "2025-02-02 01:00:00"},
        {"id": "e4", "type": "SPAMREPORT", "recipient": "stranger@wu.cn", "created": "2025-02-03 01:00:00"},
    ],
    "hubspot_email_event_status_change": [{"id": "e3", "portal_subscription_status": "UNSUBSCRIBED"}],
    "marketo_lead": [
        {"id": "1", "email": "one@jia.cn", "first_name": "Yi", "last_name": "Chen", "created_at": "2025-01-01 00:00:00"},
        {"id": "2", "email": "two@jia.cn", "first_name": "Er", "last_name": "Chen", "created_at": "2025-01-01 00:00:00"},
    ],
    "marketo_activity_merge_leads": [
        {"id": "m1", "lead_id": "1", "merge_ids": "[8, 9]", "activity_date": "2025-01-05 00:00:00"},
        {"id": "m2", "lead_id": "2", "merge_ids": "", "activity_date": "2025-01-05 00:00:00"},
        {"id": "m3", "lead_id": "20", "merge_ids": "[21]", "activity_date": "2025-01-05 00:00:00"},
        {"id": "m4", "lead_id": "21", "merge_ids": "[20]", "activity_date": "2025-01-06 00:00:00"},
    ],
    "marketo_activity_delete_lead": [{"id": "d1", "lead_id": "2", "activity_date": "2025-02-01 00:00:00"}],
    "marketo_activity_unsubscribe_email": [
        {"id": "u1", "lead_id": "9", "campaign_id": "7", "activity_date": "2025-02-09 00:00:00"}
    ],
    "pardot_visitor_activity": [
        {"id": "v1", "type": "4", "type_name": "Form", "created_at": "2025-02-01 00:00:00 UTC"},
        {"id": "v2", "type": "1", "type_name": "Email", "created_at": "2025-02-01 00:00:00 UTC"},
        {"id": "v3", "type": "2", "type_name": "", "created_at": "2025-02-01 00:00:00 UTC"},
    ],
    "salesforce_contact": [{"id": "003A", "name": "孙七", "email": "sun@geng.cn"}],
    "salesforce_lead": [{"id": "00QB", "name": "孙七", "company": "庚公司", "converted_contact_id": "003A"}],
    "pardot_prospect": [{"id": "77", "first_name": "七", "last_name": "孙", "email": "sunqi@qq.com", "crm_contact_fid": "003A"}],
    "mailchimp_member": [
        {"id": "aa", "list_id": "A", "email_address": "both@wu.cn", "status": "subscribed", "timestamp_opt": "2024-01-01 00:00:00"},
        {"id": "aa", "list_id": "B", "email_address": "both@wu.cn", "status": "unsubscribed", "timestamp_opt": "2024-02-01 00:00:00"},
    ],
    "iterable_user_unsubscribed_channel_history": [
        {"email": "Who@ever.cn", "channel_id": "5", "updated_at": "2025-01-02 00:00:00"}
    ],
    "klaviyo_event": [
        {"ID": "k1", "PERSON_ID": "p", "TYPE": "Placed Order", "DATETIME": "2025-02-01 00:00:00"},
        {"ID": "k2", "PERSON_ID": "p", "TYPE": "Back In Stock", "DATETIME": "2025-02-01 00:00:00"},
    ],
}  # fmt: skip


def identity_policy() -> IdentityPolicy:
    shipped = read_yaml(preset_text("policy", "identity") or "").value
    return IdentityPolicy.model_validate_json(json.dumps({"id": "identity", **shipped}))


@contextmanager
def night(root: Path) -> Iterator[tuple[Bench, VendorIds, list[sa.Select[Any]], list[sa.Select[Any]]]]:
    """The stage as far as people, with the Selects of events and refusals."""
    files = {preset: csv_of(rows) for preset, rows in FILES.items()}
    with taken_in(company(root, files)) as (bench, taken):
        ids = vendor_ids(bench, taken.values())
        bench.fill(SOURCE_RECORD, clean(bench, taken.values(), ids.excluded))
        resolve(bench, identity_policy(), same=ids.same)
        bench.fill(IDENTIFIER, contact.identifiers())
        yield bench, ids, events(bench, taken.values(), ids), refusals(bench, taken.values(), ids)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Everything of the night that the tests ask for, as plain values."""
    with night(tmp_path_factory.mktemp("vendors") / "company") as (bench, ids, happened, said):
        for select in [*happened, *said, sa.select(ids.same), vendor.links(ids.same, 40_000)]:
            refuse_unstable(select, "test")
        event = bench.materialize(shaped(without_incidents(*happened), EVENT), "event_tonight")
        refusal = bench.materialize(sa.union(*said), "refusal_tonight")
        member = sa.select(CONTACT_MEMBER.c.source + ":" + CONTACT_MEMBER.c.record_key, CONTACT_MEMBER.c.contact_id)
        excluded = sa.select(SOURCE_RECORD.c.crm_id, SOURCE_RECORD.c.excluded_by).where(
            SOURCE_RECORD.c.excluded_by.is_not(None)
        )
        return {
            "survivor": dict(tuple(row) for row in bench.rows(sa.select(ids.survivor))),
            "link": {(row.record_a, row.record_b) for row in bench.rows(vendor.links(ids.same, 40_000))},
            "member": dict(tuple(row) for row in bench.rows(member)),
            "excluded": dict(tuple(row) for row in bench.rows(excluded)),
            "event": {row.event_id: row for row in bench.rows(sa.select(event))},
            "key": bench.house.address_key,
            "refusal": {(row.source, row.address_hash): row for row in bench.rows(sa.select(refusal))},
        }  # fmt: skip


@pytest.mark.requirement("R5")
def test_merges_of_a_vendor_are_followed_to_the_id_that_lives_on(found: dict[str, Any]) -> None:
    lives = {old: kept for old, kept in found["survivor"].items() if old.startswith("hubspot")}
    assert lives == {
        "hubspot:101": "hubspot:106", "hubspot:102": "hubspot:106", "hubspot:103": "hubspot:106",
        "hubspot:104": "hubspot:900", "hubspot:107": "hubspot:900",
    }  # fmt: skip
    assert found["survivor"]["marketo:8"] == found["survivor"]["marketo:9"] == "marketo:1"
    assert found["survivor"]["marketo:21"] == "marketo:20"
    assert "marketo:20" not in found["survivor"], "a ring ends at its smallest id"


@pytest.mark.requirement("R5")
def test_records_that_a_vendor_merged_are_linked_even_when_the_kept_one_has_no_row(found: dict[str, Any]) -> None:
    assert found["link"] == {
        ("hubspot_contact:101", "hubspot_contact:106"),
        ("hubspot_contact:104", "hubspot_contact:107"),
        ("pardot_prospect:77", "salesforce_contact:003A"),
        ("pardot_prospect:77", "salesforce_lead:00QB"),
        ("salesforce_contact:003A", "salesforce_lead:00QB"),
    }


@pytest.mark.requirement("R1")
def test_what_the_vendor_deleted_makes_no_contact(found: dict[str, Any]) -> None:
    assert found["excluded"] == {"hubspot:105": "deleted_at_source", "marketo:2": "deleted_at_source"}
    assert not {"hubspot_contact:105", "marketo_lead:2"} & found["member"].keys()


@pytest.mark.requirement("R1")
def test_events_find_their_contact_by_id_by_merged_id_and_by_address(found: dict[str, Any]) -> None:
    member, event = found["member"], found["event"]
    assert event["hubspot_email_event:e1"].contact_id == member["hubspot_contact:106"]
    assert event["hubspot_contact_form_submission:f1"].contact_id == member["hubspot_contact:106"]
    assert event["marketo_activity_unsubscribe_email:u1"].contact_id == member["marketo_lead:1"]
    assert event["hubspot_email_event:e4"].contact_id is None


@pytest.mark.requirement("R1")
def test_events_have_one_vocabulary(found: dict[str, Any]) -> None:
    kinds = {id.split(":")[1]: row.kind for id, row in found["event"].items()}
    assert kinds == {
        "e1": "mail_opened", "e2": "mail_clicked", "e3": "mail_subscription_changed", "e4": "mail_complained", "f1": "form_submitted",
        "u1": "mail_unsubscribed", "v1": "form_submitted", "v2": "mail_clicked", "v3": "something_viewed",
        "k1": "order_placed", "k2": "back_in_stock",
    }  # fmt: skip
    event = found["event"]["hubspot_email_event:e1"]
    assert (event.series_id, event.is_machine) == ("hubspot:2", False)
    assert found["event"]["hubspot_email_event:e2"].is_machine
    form = found["event"]["hubspot_contact_form_submission:f1"]
    assert (form.at, form.on) == (dt.datetime(2025, 3, 1, 16, 30), dt.date(2025, 3, 2))


@pytest.mark.requirement("R88", "R90")
@pytest.mark.parametrize(
    ("source", "address", "at", "key"),
    [
        ("hubspot_contact", "lilei@yi.cn", None, "104#has_refused_email"),
        ("hubspot_email_event_status_change", "zhao@ding.cn", dt.datetime(2025, 2, 2, 1), "unsubscribe/all"),
        ("hubspot_email_event", "stranger@wu.cn", dt.datetime(2025, 2, 3, 1), "unsubscribe/all"),
        ("marketo_activity_unsubscribe_email", "one@jia.cn", dt.datetime(2025, 2, 9), "unsubscribe/all"),
        ("iterable_user_unsubscribed_channel_history", "who@ever.cn", dt.datetime(2025, 1, 2), "unsubscribe/5"),
    ],
)
def test_a_refusal_reaches_the_address(
    found: dict[str, Any], source: str, address: str, at: dt.datetime | None, key: str
) -> None:
    row = found["refusal"][source, address_hash(found["key"], "email", address)]
    assert (row.channel, row.purpose, row.is_granted, row.row_key) == ("email", "marketing", False, key)
    assert at is None or row.at == at


def test_nothing_else_is_refused(found: dict[str, Any]) -> None:
    assert len(found["refusal"]) == 5
