"""Balances of the stages and the metrics that a report leaves behind."""

import datetime as dt

from data_quality import conservation
from data_quality.metrics import metric_rows
from vesper.stage_report import CheckResult, StageReport


def test_each_stage_balances_when_nothing_is_lost() -> None:
    balances = [
        conservation.consolidated_rows("a", 10, new=4, changed=1, unchanged=2, quarantined=2, superseded=1),
        conservation.consolidated_contacts(10, golden=7, merged=2, excluded={"dummy_phone": 1}),
        conservation.scored(7, 7),
        conservation.segmented("dormant_90d", 5, previous=6, entered=1, left=2),
        conservation.sent("winback", 5, 3, {"no_consent": 1, "cap": 1}),
    ]
    assert [each.name for each in balances if not each.holds] == []
    assert conservation.broken_sentence(balances, "data") is None


def test_a_balance_that_does_not_hold_is_told_with_its_numbers() -> None:
    sentence = conservation.broken_sentence([conservation.scored(7, 6)], "数据组")
    assert sentence is not None
    assert all(word in sentence for word in ("score", "7", "6", "数据组", "stays in force"))


def test_a_report_leaves_metrics_of_its_rows_quarantine_balances_and_counted_facts() -> None:
    report = StageReport("consolidate", dt.date(2017, 6, 1))
    report.rows = {"core__contact": 7}
    report.quarantined = {("crm_member", "type:a"): 2, ("crm_member", "required:b"): 1}
    report.balances = [conservation.scored(7, 7)]
    report.checks = [CheckResult("core__contact", "unique", "contact_id", False, "critical")]
    report.facts = {"files": 3, "replay": {"a": "same"}, "is_first": True}
    rows = metric_rows(report)
    found = {(row["table_name"], row["metric"]): row["value"] for row in rows}
    assert found == {
        ("core__contact", "rows"): 7,
        ("crm_member", "quarantined"): 3,
        ("crm_member", "quarantined type:a"): 2,
        ("crm_member", "quarantined required:b"): 1,
        ("score", "total"): 7,
        ("score", "scored"): 7,
        ("core__contact", "checks"): 1,
        ("core__contact", "checks_failed"): 1,
        ("consolidate", "warnings"): 0,
        ("consolidate", "files"): 3,
    }
    assert [(row["table_name"], row["metric"]) for row in rows] == sorted(found)


def test_an_order_line_that_a_lookup_doubled_is_noticed() -> None:
    assert conservation.consolidated_orders(10, {"shop_order": 10}).holds
    assert not conservation.consolidated_orders(11, {"shop_order": 10}).holds
