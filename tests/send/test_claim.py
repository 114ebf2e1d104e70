"""Claims and the step over the wire: who holds a message, in which order, and what a holder of an older fence can do."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.send.company import hashed, statement
from tests.send.machinery import DAY, FREE, LIMITS, START, all_of, of, put, row
from vesper.clock import now
from warehouse.ledger import dispatch_sql
from warehouse.ledger.claim import Wanted, claim, expire, explain_waiting, lapse, release
from warehouse.ledger.consent import append_consent, is_granted, suppress
from warehouse.ledger.dispatch import (
    BACKOFF,
    Begun,
    Gone,
    Later,
    Refused,
    Result,
    Stopped,
    Terms,
    begin,
    settle,
    step,
)
from warehouse.ledger.engine import open_ledger
from warehouse.ledger.schema import ATTEMPT, CONSENT, SUPPRESSION, TOUCH
from warehouse.ledger.send_stop import scope_of, set_stopped
from warehouse.ledger.session import Session

LEASE = dt.timedelta(minutes=20)
MAIL = Wanted("email", START + DAY, 100)
TERMS = Terms("w", FREE)


def ids(messages: list[Any]) -> list[str]:
    return [one.campaign_id for one in messages]


def test_the_order_is_priority_then_time_and_on_played_time_the_other_way_round(any_ledger: sa.Engine) -> None:
    hour = dt.timedelta(hours=1)
    put(
        any_ledger,
        [
            row("late", "c", priority=250, not_before=START + 2 * hour),
            row("early", "c", priority=250, not_before=START + hour),
            row("paper", "c", priority=150, not_before=START + 3 * hour),
            row("tomorrow", "c", priority=1, not_before=START + 2 * DAY),
            row("hook", "c", priority=1, channel="webhook"),
        ],
    )
    with Session(any_ledger) as session:
        assert ids(claim(session, "w", MAIL, now() + LEASE)) == ["paper", "early", "late"]
        assert release(session, "w") == 3
        played = Wanted("email", START + DAY, 2, by_time=True)
        assert ids(claim(session, "w", played, now() + LEASE)) == ["early", "late"]


@pytest.mark.requirement("R108")
def test_paused_and_excluded_campaigns_stay_where_they_are(any_ledger: sa.Engine) -> None:
    put(any_ledger, [row(id, "c") for id in "abc"])
    set_stopped(any_ledger, "ops", "typing error", True, scope_of("a"))
    with Session(any_ledger) as session:
        without = Wanted("email", START, 10, frozenset("b"))
        assert ids(claim(session, "w", without, now() + LEASE)) == ["c"]
        assert explain_waiting(session, {"a"}, START, "waiting:paused") == {"a": 1}
        set_stopped(any_ledger, "ops", "corrected", False, scope_of("a"))
        assert ids(claim(session, "w", without, now() + LEASE)) == ["a"]


def test_two_sessions_never_hold_the_same_message(any_ledger: sa.Engine) -> None:
    put(any_ledger, [row("a", f"c{n}") for n in range(10)])
    with Session(any_ledger) as one, Session(any_ledger) as other:
        first = claim(one, "w1", Wanted("email", START, 6), now() + LEASE)
        second = claim(other, "w2", Wanted("email", START, 6), now() + LEASE)
    assert (len(first), len(second)) == (6, 4)
    assert not {m.message_id for m in first} & {m.message_id for m in second}


def test_a_lapsed_claim_is_spent_for_its_old_holder(any_ledger: sa.Engine) -> None:
    put(any_ledger, [row("a", "c")])
    with Session(any_ledger) as session:
        (old,) = claim(session, "w1", MAIL, now() + LEASE)
        with session.writing() as connection:
            assert lapse(connection, now()) == 0
            assert lapse(connection, now() + 2 * LEASE) == 1
        (new,) = claim(session, "w2", MAIL, now() + LEASE)
        assert (old.fence, new.fence) == (1, 2)
        assert begin(session, old, START, TERMS) == Gone()
        assert isinstance(begin(session, new, START, TERMS), Begun)
        assert begin(session, new, START, TERMS) == Gone()
    assert of(any_ledger, new).state == "sending"


@pytest.mark.requirement("R88", "R90", "R108")
def test_what_happens_between_claim_and_wire_is_seen(any_ledger: sa.Engine) -> None:
    """Unsubscribed, suppressed, paused, stopped: not one of them begins."""
    put(any_ledger, [row("a", "left"), row("a", "bounced"), row("a", "other"), row("b", "other")])
    with Session(any_ledger) as session:
        held = {(m.campaign_id, m.contact_id): m for m in claim(session, "w", MAIL, now() + LEASE)}
        append_consent(any_ledger, [statement("left@example.com", False, at=START, source="unsubscribe")])
        suppress(any_ledger, "email", hashed("email", "bounced@example.com"), "bounced", START)
        set_stopped(any_ledger, "ops", "wrong", True, scope_of("b"))
        assert begin(session, held["a", "left"], START, TERMS) == Refused("no_consent")
        assert begin(session, held["a", "bounced"], START, TERMS) == Refused("suppressed")
        assert begin(session, held["b", "other"], START, TERMS) == Stopped("campaign")
        set_stopped(any_ledger, "ops", "wrong", True)
        assert begin(session, held["a", "other"], START, TERMS) == Stopped("send")
    assert all_of(any_ledger, TOUCH) == []


@pytest.mark.requirement("R86")
def test_a_cap_that_binds_names_the_messages_that_fill_it(any_ledger: sa.Engine) -> None:
    put(any_ledger, [row(id, "c") for id in "abc"] + [row("late", "c", expires_at=START + dt.timedelta(hours=1))])
    with Session(any_ledger) as session:
        terms = Terms("w", LIMITS)
        first, second, *rest = claim(session, "w", MAIL, now() + LEASE)
        assert isinstance(begin(session, first, START, terms), Begun)
        assert isinstance(begin(session, second, START, terms), Begun)
        for message in rest:
            begin(session, message, START, terms)
    blocked = f"all_channels: {', '.join(sorted((first.message_id, second.message_id)))}"
    for message in rest:
        kept = of(any_ledger, message)
        assert kept.reason == ("capped:all_channels" if message.campaign_id == "late" else "waiting:all_channels")
        assert sorted(kept.detail.removeprefix("all_channels: ").split(", ")) == blocked.removeprefix(
            "all_channels: "
        ).split(", ")


def test_one_commit_settles_a_message_and_begins_the_next(any_ledger: sa.Engine) -> None:
    put(any_ledger, [row("a", "c1"), row("a", "c2")])
    with Session(any_ledger) as session:
        one, two = claim(session, "w", MAIL, now() + LEASE)
        begun = begin(session, one, START, TERMS)
        assert isinstance(begun, Begun)
        _, next_one = step(session, Result(one, begun, "accepted", "250"), two, START, TERMS)
        assert isinstance(next_one, Begun)
    assert (of(any_ledger, one).state, of(any_ledger, two).state) == ("accepted", "sending")
    assert [(a.message_id, a.outcome, a.fence, a.owner) for a in all_of(any_ledger, ATTEMPT)] == [
        (one.message_id, "accepted", 1, "w")
    ]


def test_deferrals_wait_longer_each_time_and_end(any_ledger: sa.Engine) -> None:
    put(any_ledger, [row("a", "c")])
    at = START
    with Session(any_ledger) as session:
        for pause in (*BACKOFF, None):
            (message,) = claim(session, "w", Wanted("email", at, 1), now() + LEASE)
            begun = begin(session, message, at, TERMS)
            assert isinstance(begun, Begun)
            later = settle(session, Result(message, begun, "deferred", "451"), TERMS)
            assert later == (None if pause is None else Later(at + pause, "waiting:retry"))
            at += pause or dt.timedelta()
    kept = of(any_ledger, message)
    assert (kept.state, kept.reason, kept.attempts) == ("rejected", "exhausted", 5)
    assert all_of(any_ledger, TOUCH) == []
    assert [a.number for a in all_of(any_ledger, ATTEMPT)] == [1, 2, 3, 4, 5]


def test_an_address_that_does_not_exist_is_kept_out(any_ledger: sa.Engine) -> None:
    put(any_ledger, [row("a", "c"), row("b", "c")])
    with Session(any_ledger) as session:
        one, two = claim(session, "w", MAIL, now() + LEASE)
        begun = begin(session, one, START, TERMS)
        assert isinstance(begun, Begun)
        gone = Result(one, begun, "rejected", "550", "no such user", is_gone=True)
        assert step(session, gone, two, START, TERMS)[1] == Refused("suppressed")
    assert [(s.address_hash, s.reason) for s in all_of(any_ledger, SUPPRESSION)] == [(one.address_hash, "hard_bounce")]


def test_what_came_too_late_is_refused_at_once(any_ledger: sa.Engine) -> None:
    put(any_ledger, [row("a", "c"), row("b", "c", expires_at=START)])
    with Session(any_ledger) as session:
        assert expire(session, START + DAY, START + dt.timedelta(hours=1)) == 1
    assert {m.campaign_id: (m.state, m.reason) for m in all_of(any_ledger)} == {
        "a": ("planned", None),
        "b": ("refused", "expired"),
    }


@pytest.fixture(scope="module")
def consents(tmp_path_factory: pytest.TempPathFactory) -> Any:
    engine = open_ledger(f"sqlite:///{tmp_path_factory.mktemp('consents') / 'ledger.db'}")
    yield engine
    engine.dispose()


said = st.tuples(st.booleans(), st.sampled_from("ab"), st.sampled_from("12"), st.integers(0, 3))


@pytest.mark.requirement("R88")
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(said, max_size=8))
def test_the_step_reads_consent_as_the_fold_does(consents: sa.Engine, statements: list[Any]) -> None:
    with consents.begin() as connection:
        connection.execute(sa.delete(CONSENT))
    kept = [
        statement("c@example.com", granted, source=source, row_key=key, at=START + hours * dt.timedelta(hours=1))
        for granted, source, key, hours in statements
    ]
    append_consent(consents, kept)
    address = hashed("email", "c@example.com")
    with consents.connect() as connection:
        expected = is_granted(connection, "email", "marketing", address)
    with Session(consents) as session, session.transaction() as cursor:
        read = session.prepared(dispatch_sql.FACTS).row(
            cursor,
            one="",
            scope="",
            channel="email",
            purpose="marketing",
            address_hash=address,
            contact_id="",
            provider="",
            since=START,
        )
    assert read is not None
    assert bool(read[2]) == expected


def test_the_schema_of_a_claim_survives_a_reopening(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    first = open_ledger(url)
    put(first, [row("a", "c")])
    with Session(first) as session:
        claim(session, "w", MAIL, now() + LEASE)
    first.dispose()
    second = open_ledger(url)
    assert [(m.state, m.owner, m.fence) for m in all_of(second)] == [("claimed", "w", 1)]
    second.dispose()
