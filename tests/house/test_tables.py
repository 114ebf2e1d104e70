"""Tables that analysts build on: each is described, and those of the contract keep their names and columns."""

import pytest
import sqlalchemy as sa

from docs import table_page

CONTRACT = {
    "core__contact": "contact_id name phone email province city company_id first_seen_on updated_at",
    "core__contact_provenance": "contact_id field source record_key rule",
    "core__contact_alias": "old_id contact_id",
    "core__company": "company_id name industry province city employee_count parent_id role",
    "core__consent": "contact_id channel purpose is_granted at source text_version",
    "core__event": "event_id contact_id kind at received_at source series_id message_id is_machine",
    "core__order_line": "order_id line_number contact_id product_code category quantity amount ordered_at",
    "core__campaign": "campaign_id name kind starts_on ends_on",
    "core__campaign_member": "campaign_id contact_id mailed_on responded_at",
    "core__calendar": "on",
    "mart__inflow": "business_on first_source new_contacts",
    "mart__stale_record": "source record_key age_days owner",
    "mart__visibility": "business_on market_id complete_count known_count market_size size_source size_as_of_on visibility_ratio band "
    "target_ratio target_due_on",
    "mart__visibility_gap": "business_on market_id field have_count missing_count have_ratio",
    "mart__score": "business_on contact_id score fit_score engagement_score is_mql mql_preset previous_score",
    "mart__calibration": "business_on band contact_count converted_count conversion_ratio accepted_count rejected_count",
    "mart__score_reason": "business_on contact_id rule_id points evidence_count first_at last_at",
    "mart__lifecycle": "contact_id stage entered_at rule_id",
    "mart__lifecycle_change": "business_on contact_id from_stage to_stage rule_id at",
    "mart__segment_member": "segment_id contact_id entered_on",
    "mart__segment_change": "business_on segment_id contact_id change",
    "mart__campaign_effect": "business_on campaign_id channel mailed_count delivered_count opened_count clicked_count responded_count "
    "converted_count revenue cost roi_ratio",
    "mart__funnel": "cohort_on from_stage to_stage entered_count passed_count pass_ratio median_days",
    "mart__monitor": "flow metric period target actual gap analysis action owner",
    "out__message": "message_id campaign_id contact_id step_id occurrence channel state reason planned_at sent_at",
    "out__handover": "handover_id contact_id score owner created_at notified_at accepted_at outcome",
    "dq__metric": "business_on stage table_name metric value",
    "dq__quarantine": "business_on stage source row_key rule_id row_json",
}


@pytest.fixture(scope="module")
def tables() -> dict[str, sa.Table]:
    return {table.name: table for table in table_page.declared()}


@pytest.mark.requirement("R97")
@pytest.mark.parametrize("name", CONTRACT)
def test_a_table_of_the_contract_keeps_its_columns(tables: dict[str, sa.Table], name: str) -> None:
    assert [column for column in CONTRACT[name].split() if column not in tables[name].columns] == []


@pytest.mark.requirement("R97")
def test_every_mart_names_its_night_and_its_definition(tables: dict[str, sa.Table]) -> None:
    marts = [table for name, table in tables.items() if name.startswith("mart__")]
    assert [t.name for t in marts if not {"business_on", "definition_hash"} <= set(t.columns.keys())] == []


@pytest.mark.requirement("R97", "R122")
def test_every_table_and_column_is_described(tables: dict[str, sa.Table]) -> None:
    silent = [
        f"{table.name}.{column.name}" for table in tables.values() for column in table.columns if not column.comment
    ]
    assert silent == []
    assert [table.name for table in tables.values() if not table.comment or not table.info["owner"]] == []


def test_every_table_has_a_grain_of_its_own_columns_and_a_layer(tables: dict[str, sa.Table]) -> None:
    assert [
        t.name for t in tables.values() if not t.info["grain"] or not set(t.info["grain"]) <= set(t.columns.keys())
    ] == []
    assert [t.name for t in tables.values() if table_page.layer(t) not in table_page.LAYERS] == []


def test_columns_are_named_by_what_they_hold(tables: dict[str, sa.Table]) -> None:
    """`_at` an instant, `_on` a day, `is_` and `has_` a flag: the same in every table. A count is whole, or text where a survey says "3+"."""
    kinds: dict[str, type | tuple[type, ...]] = {
        "_at": sa.DateTime,
        "_on": sa.Date,
        "_count": (sa.Integer, sa.String),
        "is_": sa.Boolean,
        "has_": sa.Boolean,
    }
    wrong = [
        f"{table.name}.{column.name}: {column.type}"
        for table in tables.values()
        for column in table.columns
        for affix, kind in kinds.items()
        if (column.name.startswith(affix) if affix.endswith("_") else column.name.endswith(affix))
        and not isinstance(column.type, kind)
    ]
    assert wrong == []
