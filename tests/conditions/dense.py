"""Histories in which the order of things matters: few contacts, many events close together, and conditions that nearly hold.

What belongs here: Hypothesis strategies for `response`, `sequence` and `unanswered`. What does not: facts of every kind (`strategies.py`).
"""

import datetime as dt
from typing import Any

from hypothesis import strategies as st

from tests.conditions.strategies import bounds, merged, written
from tests.conditions.world import Event, Facts, Order, ago

FORM, CLICK, SENT = "form_submitted", "mail_clicked", "mail_sent"
TIMES = st.sampled_from((dt.time(5), dt.time(12), dt.time(12, 0, 0, 1), dt.time(23)))
DAYS = st.sampled_from((0, 1, 2, 3, 6, 7, 7, 8, 8, 9, 9, 10, 11, 14, 15, 29, 30, 31, -1))
WAITS = ("1d", "3d", "7d", "7d", "17h")
kinds = st.sampled_from((FORM, CLICK, SENT, [FORM, SENT]))
filters = st.one_of(written(kind=kinds), written(kind=kinds), written(kind=kinds, series=st.just("s1")))
forms = st.one_of(st.just({"kind": FORM}), st.just({"kind": FORM}), st.just({"kind": FORM}), filters)
clicks = st.one_of(st.just({"kind": CLICK}), st.just({"kind": CLICK}), st.just({"kind": CLICK}), filters)


@st.composite
def events(draw: st.DrawFn) -> Event:
    """An event of a form or of mails."""
    on, kind = ago(draw(DAYS)), draw(st.sampled_from((FORM, FORM, CLICK, CLICK, CLICK, SENT)))
    is_machine, series = (
        draw(st.sampled_from((False, False, False, True))),
        draw(st.sampled_from(("s1", "s1", "s2", None))),
    )
    return Event(draw(st.sampled_from("aaab")), kind, on, is_machine, dt.datetime.combine(on, draw(TIMES)), series)


@st.composite
def orders(draw: st.DrawFn) -> Order:
    """An order at one of the same times of day."""
    on = ago(draw(DAYS))
    return Order(draw(st.sampled_from("aaab")), on, at=dt.datetime.combine(on, draw(TIMES)))


facts = st.builds(
    Facts,
    st.just({"a": {}, "b": {}}),
    st.lists(orders(), max_size=3).map(tuple),
    st.lists(events(), min_size=4, max_size=12).map(tuple),
)
windows = st.sampled_from((None, None, "7d", "30d", "1 month"))
responses = merged(
    st.one_of(st.just({}), bounds((0, 0, 1, 2))),
    written(
        to=forms,
        of=clicks,
        within=st.sampled_from(WAITS),
        same=st.sampled_from((None, None, "series")),
        to_within=windows,
        settles=st.sampled_from((None, None, "daily")),
    ),
)


@st.composite
def sequences(draw: st.DrawFn) -> dict[str, Any]:
    """Two to four steps; half of them end in an absence."""
    wait, must_wait = st.sampled_from((None, *WAITS)), st.sampled_from(WAITS)
    order = st.just(dict[str, Any]())
    present = st.one_of(written(event=filters, within=wait), written(event=filters, within=wait), written(order=order))
    absent = st.one_of(written(no_event=filters, within=must_wait), written(no_order=order, within=must_wait))
    first = draw(st.one_of(written(event=filters), written(order=order)))
    steps = [first, *draw(st.lists(present, max_size=2)), draw(st.one_of(present, absent))]
    return {"steps": steps, **draw(written(within=windows))}


silences = written(
    sent=filters, answer=filters, within=st.sampled_from(("7d", "30d", "1 month")), at_least=st.sampled_from((None, 2))
)

DENSE = {
    "response": st.tuples(facts, responses),
    "sequence": st.tuples(facts, sequences()),
    "unanswered": st.tuples(facts, silences),
}
"""Condition -> a history and what is asked of it."""
