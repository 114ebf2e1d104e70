"""Reports of stages for the tests: one that went well and one of a stage that stopped."""

import datetime as dt
from decimal import Decimal

from vesper.stage_report import Balance, CheckResult, StageFailed, StageReport

ON = dt.date(2018, 1, 1)
SENTENCE = (
    "score 2018-01-01: 50 of 2,469 rows of mart__score have no contact_id; correct source crm_member, then run again"
)


def good_report() -> StageReport:
    """A score stage with something of everything that a report can carry."""
    return StageReport(
        "score",
        ON,
        rows={"mart__score": 2469, "mart__score_reason": 9100},
        reused=["mart__lifecycle"],
        quarantined={("crm_member", "phone: not a number"): 12, ("app_signup", "email: missing"): 30},
        checks=[
            CheckResult("mart__score", "unique", "contact_id", True, "critical"),
            CheckResult("mart__score", "between", "score", False, "warning", unexpected=3, observed="101"),
        ],
        balances=[Balance("score", 2469, {"scored": 2469})],
        warnings=["shop_mailing came a day late"],
        facts={
            "mqls": 214,
            "pass_ratio": Decimal("0.0867"),
            "since_yesterday": {"mqls": 14},
            "lifecycle": [{"stage": "loyal", "people": 1200}, {"stage": "at_risk", "people": 80, "pass_ratio": 0.5}],
            "delivery": {"accepted": 3, "refused: no_consent": 2},
        },
    )


def stopped() -> StageFailed:
    """A score stage that its gate stopped, with the check that did not pass."""
    check = CheckResult("mart__score", "required", "contact_id", False, "critical", unexpected=50)
    return StageFailed(SENTENCE, StageReport("score", ON, checks=[check]))
