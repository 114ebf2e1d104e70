"""Short messages from the plan to the wire: consent of their own, hours of their own, words of their own (C1, C6, C7)."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from tests.channels.company import content, delivered, known, people, planned
from tests.send.company import campaign, definitions, frequency, messages, workspace
from vesper.clock import local_time
from vesper.model.channel import Sms
from vesper.model.timing import Hours
from vesper.send_limits import limits_of
from warehouse.ledger.consent import suppress

ZONES = ("Asia/Shanghai", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe")


def kept(root: Path) -> list[dict[str, Any]]:
    """What the loopback got."""
    posts = sorted((root / ".vesper" / "sink").glob("*.post"))
    return [json.loads(post.read_text(encoding="utf-8").split("\n\n", 1)[1]) for post in posts]


@pytest.mark.requirement("R84", "R88")
def test_a_short_message_reaches_the_phone_with_signature_and_way_out(any_ledger: sa.Engine, tmp_path: Path) -> None:
    persons, space = people(3), workspace(tmp_path, sms=Sms(sign="好邻居"))
    rows = planned(any_ledger, known(), tmp_path, persons)
    assert [row.decision for row in rows] == ["intent"] * 3
    report = delivered(any_ledger, known(), space, persons)
    assert report.outcomes == {"accepted": 3}, report
    got = kept(tmp_path)
    assert sorted(one["to"] for one in got) == [one.phone for one in persons]
    assert {one["text"] for one in got} == {"【好邻居】王小明，到店立减 10 元 拒收请回复R"}
    assert {(one["template"], one["params"]["name"]) for one in got} == {("SMS_123", "王小明")}
    sent = [local_time(row.sending_at, "Asia/Shanghai").time() for row in messages(any_ledger)]
    assert all(dt.time(10) <= at < dt.time(12) for at in sent)


@pytest.mark.requirement("R84", "R90")
def test_who_refused_short_messages_gets_none(ledger: sa.Engine, tmp_path: Path) -> None:
    persons, space = people(2), workspace(tmp_path)
    planned(ledger, known(), tmp_path, persons)
    first = messages(ledger)[0]
    suppress(ledger, "sms", first.address_hash, "sms_reply", dt.datetime(2018, 1, 1))
    report = delivered(ledger, known(), space, persons)
    assert (report.outcomes, report.refused) == ({"accepted": 1}, {"suppressed": 1})


@pytest.mark.requirement("R84")
def test_marketing_without_a_way_out_waits(ledger: sa.Engine, tmp_path: Path) -> None:
    """Where the provider adds no wording, the content must say it."""
    persons, space = people(1), workspace(tmp_path, sms=Sms(sign="好邻居", appends_opt_out=False))
    planned(ledger, known(), tmp_path, persons)
    report = delivered(ledger, known(), space, persons)
    assert not report.outcomes
    assert any("拒收请回复R" in sentence for sentence in report.withheld)
    said = known(said=content(sms={"text": "到店立减，拒收请回复R", "template": "SMS_124"}))
    assert delivered(ledger, said, space, persons).outcomes == {"accepted": 1}
    assert kept(tmp_path)[0]["text"] == "【好邻居】到店立减，拒收请回复R"


@pytest.mark.requirement("R82", "R113")
@given(
    at=st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2027, 1, 1)),
    zone=st.sampled_from(ZONES),
    own=st.lists(
        st.tuples(st.integers(0, 23), st.integers(1, 23)).map(
            lambda pair: Hours.model_validate(
                {"starts": f"{pair[0]:02}:00", "ends": f"{(pair[0] + pair[1]) % 24:02}:00"}
            )
        ),
        max_size=2,
    ),
    states=st.booleans(),
)
def test_no_marketing_leaves_by_short_message_at_night(
    at: dt.datetime, zone: str, own: list[Hours], states: bool
) -> None:
    """Whatever hours a campaign has, and however little a policy says: 09:00 to 20:00, and never outside 08:00 to 21:00."""
    policy = frequency(windows={}, quiet_hours=None, **({} if states else {"channel_windows": {}}))
    limits = limits_of(definitions(policy=policy), (zone,), "marketing", None, tuple(own), "sms")
    opening = limits.in_window(at)
    first, last = (9, 20) if states else (8, 21)
    assert opening is None or first <= local_time(opening, zone).hour < last


def test_hours_that_providers_hold_back_are_refused() -> None:
    with pytest.raises(ValueError, match="08:00"):
        frequency(channel_windows={"sms": [{"starts": "07:00", "ends": "12:00"}]})


def test_a_service_message_may_leave_at_any_hour() -> None:
    quiet = definitions(policy=frequency(windows={}, quiet_hours=None))
    assert limits_of(quiet, ("Asia/Shanghai",), "requested", None, (), "sms").windows == ()


# what `check` says ----------------------------------------------------------------------------------------------------

GOOD = """says: 券
owner: marketing
messages:
  zh_CN:
    sms:
      text: "{{ name or '会员' }}，到店立减"
      template: SMS_123
      params: {name: "{{ name }}"}
"""


def faults(text: str, channel: str = "sms") -> list[tuple[int, str]]:
    from vesper.checks.book import Book
    from vesper.checks.channel import problems as of_channels
    from vesper.checks.content import problems
    from vesper.language import translator
    from vesper.reading import Reading, read

    _ = translator("en")
    reading = read("content", "coupon", text, "content/coupon.yml", _)
    if reading.problems:
        return [(one.line, one.what) for one in reading.problems]
    one = Reading("campaigns", "winback", "", reading.tree, campaign(channel=channel))
    book = Book((reading, one))
    return [(found.line, found.what) for found in (*problems(book, _), *of_channels(book, _))]


@pytest.mark.requirement("R84")
def test_a_content_needs_only_what_is_sent() -> None:
    assert faults(GOOD) == []
    assert [line for line, _what in faults(GOOD, "email")] == [4]
    mail = "says: 券\nowner: marketing\nmessages:\n  zh_CN: {subject: 好, text: '{{ unsubscribe_url }}'}\n"
    assert faults(mail, "email") == []
    assert "sms" in faults(mail)[0][1]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('"{{ name }}"', '"{{ nmae }}"', 8),
        ("{{ name or", "{% include 'x' %}{{ name or", 6),
        ("{{ name or '会员' }}，", "【别家】", 6),
    ],
)
def test_templates_of_a_short_message_are_checked(old: str, new: str, line: int) -> None:
    assert [found[0] for found in faults(GOOD.replace(old, new))] == [line]


def test_a_preview_shows_what_is_said_on_each_channel() -> None:
    from tasks.preview import _filled
    from vesper.content import written

    words = {"name": "王小明", "unsubscribe_url": "https://x/u"}
    alone = _filled(written(content(), "zh_CN"), words, "default", True)
    assert alone.text == "[sms] 王小明，到店立减 10 元"
    both = content(subject="好", text="您好 {{ unsubscribe_url }}", wecom={"text": "本周立减"})
    beside = _filled(written(both, "zh_CN"), words, "default", True)
    assert beside.subject == "广告：好"
    assert beside.text.endswith("[sms] 王小明，到店立减 10 元\n[wecom] 本周立减")
