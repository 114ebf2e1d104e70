"""Consent in the ledger: appended once, folded to the most restrictive statement."""

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.send.company import NIGHT, rows_of, statement
from warehouse.ledger.consent import append_consent, current_consent, is_granted, is_suppressed, suppress
from warehouse.ledger.schema import CONSENT

MAIL = "ming@example.com"
HASH = statement(MAIL)["address_hash"]
DAY = dt.timedelta(days=1)
FIRST = dt.datetime(2017, 5, 1)


def folded(ledger: sa.Engine, through: dt.date | None = None) -> dict[str, Any]:
    return {row.address_hash: row for row in rows_of(ledger, current_consent(through))}


@pytest.mark.requirement("R88")
def test_appending_again_adds_nothing(any_ledger: sa.Engine) -> None:
    rows = [statement(f"p{n}@example.com") for n in range(5)]
    assert append_consent(any_ledger, rows) == 5
    assert append_consent(any_ledger, [*rows, statement("new@example.com")]) == 1
    assert len(rows_of(any_ledger, sa.select(CONSENT))) == 6


@pytest.mark.requirement("R88")
def test_one_source_that_refuses_is_enough_and_names_itself(any_ledger: sa.Engine) -> None:
    append_consent(
        any_ledger,
        [
            statement(MAIL, True, at=FIRST + 2 * DAY, source="app_signup"),
            statement(MAIL, False, at=FIRST + DAY, source="crm_member"),
        ],
    )
    row = folded(any_ledger)[HASH]
    assert (row.is_granted, row.source, row.at, row.text_version) == (False, "crm_member", FIRST + DAY, "2017-05")


@pytest.mark.requirement("R88")
def test_a_source_row_may_change_its_mind_and_a_tie_is_a_refusal(any_ledger: sa.Engine) -> None:
    append_consent(any_ledger, [statement(MAIL, False, at=FIRST), statement(MAIL, True, at=FIRST + DAY)])
    assert folded(any_ledger)[HASH].is_granted
    append_consent(any_ledger, [statement(MAIL, False, at=FIRST + DAY)])
    assert not folded(any_ledger)[HASH].is_granted


@pytest.mark.requirement("R23", "R88")
def test_the_fold_of_a_past_night_stays(any_ledger: sa.Engine) -> None:
    append_consent(any_ledger, [statement(MAIL, True)])
    append_consent(any_ledger, [statement(MAIL, False, at=FIRST + DAY, recorded_on=NIGHT + DAY)])
    assert folded(any_ledger, NIGHT)[HASH].is_granted
    assert not folded(any_ledger, NIGHT + DAY)[HASH].is_granted


statements = st.lists(
    st.builds(
        lambda granted, days, source, key: statement(MAIL, granted, at=FIRST + days * DAY, source=source, row_key=key),
        st.booleans(),
        st.integers(0, 3),
        st.sampled_from("ab"),
        st.sampled_from("xy"),
    ),
    max_size=8,
)


@pytest.mark.requirement("R88")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(said=statements)
def test_the_check_at_sending_says_what_the_fold_says(ledger: sa.Engine, said: list[dict[str, Any]]) -> None:
    with ledger.begin() as connection:
        connection.execute(sa.delete(CONSENT))
    append_consent(ledger, said)
    fold = folded(ledger)
    with ledger.connect() as connection:
        assert is_granted(connection, "email", "marketing", HASH) == (HASH in fold and fold[HASH].is_granted)


@pytest.mark.requirement("R90")
def test_suppression_is_kept_once(any_ledger: sa.Engine) -> None:
    assert suppress(any_ledger, "email", HASH, "unsubscribed", FIRST)
    assert not suppress(any_ledger, "email", HASH, "complained", FIRST + DAY)
    with any_ledger.connect() as connection:
        assert is_suppressed(connection, "email", HASH)
        assert not is_suppressed(connection, "sms", HASH)
