"""Short messages at two providers: what an answer means, who may be reached, and what a provider knows of a message of unknown fate."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.channels import ChannelUnreachable, Letter, opened
from connectors.channels.evidence import Asked, SinkFolder, evidence_of
from connectors.channels.sms import ShortMessages, door_to, provider_of
from tests.channels.conftest import TEMPLATE, settings
from tests.send.company import workspace
from vesper.clock import now
from vesper.model.channel import Sms
from vesper.model.workspace import Clock
from vesper.sms import as_read, international, is_way_out, national, says_way_out

AT = dt.datetime(2018, 1, 2, 2)
NUMBER = "+8613800000001"
WAY_OUT = "拒收请回复R"


def letter(provider: str, number: str = NUMBER, id: str = "m" * 26, **changes: Any) -> Letter:
    fields = {"template": TEMPLATE[provider], "params": {"name": "王 小明"}} | changes
    return Letter(id, number, "", "【好邻居】王小明，到店立减", "", "", AT, **fields)


def as_written(provider: str, number: str) -> str:
    """A number as the provider knows it."""
    return national(number) if provider == "aliyun" else number


@pytest.mark.requirement("R84")
def test_a_message_is_taken_under_our_own_id(fake: tuple[str, Any, str], tmp_path: Path) -> None:
    provider, one, address = fake
    space = workspace(tmp_path, sms=settings(provider, address))
    with opened(space, "sms") as channel:
        channel.ready()
        assert channel.send(letter(provider)).kind == "accepted"
        assert channel.send(letter(provider, id="n" * 26)).kind == "accepted"
        assert channel.provider == f"sms {provider}"
    assert set(SinkFolder(one.folder).shown()) == {"m" * 26, "n" * 26}
    kept = json.loads((one.folder / f"{'m' * 26}.post").read_bytes())
    params = kept.get("TemplateParam") or json.dumps(kept["TemplateParamSet"])
    assert "王 小明" in json.loads(params if isinstance(params, str) else "null").__str__()


REPLIES = [
    ("aliyun", "isv.MOBILE_NUMBER_ILLEGAL", "rejected", "hard"),
    ("aliyun", "isv.BUSINESS_LIMIT_CONTROL", "deferred", None),
    ("aliyun", "isv.DAY_LIMIT_CONTROL", "deferred", None),
    ("aliyun", "Throttling.User", "deferred", None),
    ("aliyun", "isv.AMOUNT_NOT_ENOUGH", "deferred", None),
    ("aliyun", "isp.SYSTEM_ERROR", "unknown", None),
    ("aliyun", "isv.SMS_CONTENT_ILLEGAL", "rejected", "policy"),
    ("aliyun", "isv.SOMETHING_NEW", "rejected", None),
    ("tencent", "InvalidParameterValue.IncorrectPhoneNumber", "rejected", "hard"),
    ("tencent", "LimitExceeded.PhoneNumberDailyLimit", "deferred", None),
    ("tencent", "RequestLimitExceeded", "deferred", None),
    ("tencent", "FailedOperation.InsufficientBalanceInSmsPackage", "deferred", None),
    ("tencent", "FailedOperation.PhoneNumberInBlacklist", "rejected", "policy"),
    ("tencent", "InternalError.Timeout", "unknown", None),
]


@pytest.mark.requirement("R84")
@pytest.mark.parametrize(("provider", "code", "kind", "bounce"), REPLIES)
def test_what_a_code_means(
    tmp_path: Path, provider: str, code: str, kind: str, bounce: str | None, fakes: dict[str, tuple[Any, str]]
) -> None:
    """Only a code of the provider proves that it did not take a message; what may have been taken is unknown."""
    one, address = fakes[provider]
    one.codes[as_written(provider, NUMBER)] = code
    with opened(workspace(tmp_path, sms=settings(provider, address)), "sms") as channel:
        outcome = channel.send(letter(provider))
    assert (outcome.kind, outcome.bounce) == (kind, bounce)
    assert outcome.code == ("429" if "Throttling" in code or code.startswith("Request") else code)
    assert one.taken == []


@pytest.mark.requirement("R84")
def test_a_wrong_secret_keeps_messages_waiting(
    fake: tuple[str, Any, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider, one, address = fake
    monkeypatch.setenv("SMS_KEY_SECRET", "wrong")
    with opened(workspace(tmp_path, sms=settings(provider, address)), "sms") as channel:
        outcome = channel.send(letter(provider))
    assert outcome.kind == "deferred"
    assert one.taken == []


@pytest.mark.requirement("R84", "R120")
def test_a_message_without_an_answer_is_unknown_and_the_provider_is_asked(
    fake: tuple[str, Any, str], tmp_path: Path
) -> None:
    provider, one, address = fake
    sms = settings(provider, address)
    one.hanging.add(as_written(provider, NUMBER))
    called_at = now()
    with door_to(address) as door:
        door.answer_seconds = 0.5
        outcome = ShortMessages(door, provider_of(sms), provider, lambda _: True).send(letter(provider))
    assert outcome.kind == "unknown"
    other = Asked("n" * 26, "+8613800000002", called_at + dt.timedelta(microseconds=1))
    place = evidence_of(workspace(tmp_path, sms=sms), "sms", [Asked("m" * 26, NUMBER, called_at), other])
    assert set(place.shown()) == {"m" * 26}
    # Aliyun's records are whole: silence says that it was not taken. Tencent's show messages with a receipt only.
    assert place.covers(other.called_at) is (provider == "aliyun")
    assert not place.covers(called_at - dt.timedelta(days=1))


def test_a_provider_that_does_not_answer_has_said_nothing(fake: tuple[str, Any, str], tmp_path: Path) -> None:
    provider, _one, _address = fake
    asked = [Asked("m" * 26, NUMBER, now())]
    place = evidence_of(workspace(tmp_path, sms=settings(provider, "http://127.0.0.1:9")), "sms", asked)
    assert not place.shown()
    assert not place.covers(asked[0].called_at)


@pytest.mark.requirement("R84")
def test_a_rehearsal_reaches_nobody_at_a_real_provider(tmp_path: Path) -> None:
    real = settings("aliyun", "")
    with pytest.raises(ChannelUnreachable), opened(workspace(tmp_path, sms=real), "sms"):
        pass
    named = real.model_copy(update={"test_numbers": ("+8613900000009",)})
    space = workspace(tmp_path, clock=Clock(), sms=named)
    with opened(space, "sms") as channel:
        assert channel.send(letter("aliyun")).code == "fence"


def test_the_loopback_keeps_what_would_be_read(tmp_path: Path) -> None:
    with opened(workspace(tmp_path), "sms") as channel:
        channel.ready()
        assert channel.send(letter("aliyun", template="")).kind == "accepted"
    assert set(SinkFolder(tmp_path / ".vesper" / "sink").shown()) == {"m" * 26}
    assert "立减" in (tmp_path / ".vesper" / "sink" / f"{'m' * 26}.post").read_text()


def test_a_real_provider_needs_its_settings() -> None:
    with pytest.raises(ValueError, match="sign"):
        Sms(provider="aliyun", key_id="${A}", key_secret="${B}")
    with pytest.raises(ValueError, match="app_id"):
        Sms(provider="tencent", key_id="${A}", key_secret="${B}", sign="好邻居")
    with pytest.raises(ValueError, match="secret"):
        Sms(key_secret="abc")


# the texts ------------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("R84")
@given(text=st.text(min_size=1, max_size=80), sign=st.text("好邻居超市", min_size=1, max_size=8))
def test_marketing_is_signed_and_says_one_way_out(text: str, sign: str) -> None:
    read = as_read(text, sign, WAY_OUT, is_marketing=True)
    assert read.startswith(f"【{sign}】")
    assert says_way_out(read)
    assert as_read(read, sign, WAY_OUT, is_marketing=True) == read
    assert as_read(text, sign, WAY_OUT, is_marketing=False).removeprefix(f"【{sign}】") in (text, text[len(sign) + 2 :])


@pytest.mark.parametrize("said", ["拒收请回复R", "拒收请回复 r", "回T退订", "回复TD拒收", "退订回Ｎ", "取消请回0000"])
def test_a_way_out_is_not_doubled(said: str) -> None:
    assert as_read(f"到店立减，{said}", "好邻居", WAY_OUT, is_marketing=True) == f"【好邻居】到店立减，{said}"


@pytest.mark.requirement("R90")
@pytest.mark.parametrize(
    "reply", ["R", "r", " T ", "TD", "td.", "Ｎ", "0000", "００００", "退订", "“退订”", "拒收。", "ｔｄ！"]
)
def test_a_reply_that_asks_to_be_left_alone(reply: str) -> None:
    assert is_way_out(reply)


@pytest.mark.parametrize("reply", ["", "好的", "R2D2", "不退订", "想了解退订政策", "1", "Tomorrow", "00000", "NO"])
def test_a_reply_that_says_something_else(reply: str) -> None:
    assert not is_way_out(reply)


@pytest.mark.parametrize(
    ("written", "code", "number"),
    [
        ("13800000001", "86", "+8613800000001"),
        ("8613800000001", "86", "+8613800000001"),
        ("+8613800000001", "86", "+8613800000001"),
        ("008613800000001", "86", "+8613800000001"),
        ("61234567", "852", "+85261234567"),
        ("85261234567", "852", "+85261234567"),
    ],
)
def test_a_number_is_one_however_a_provider_writes_it(written: str, code: str, number: str) -> None:
    assert international(written, code) == number
