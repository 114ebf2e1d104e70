"""Push: a signed post to the gateway of the app, with the words of the content (R84)."""

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from connectors.channels.evidence import evidence_of
from tests.channels.test_wechat import put, run, states
from tests.send.company import campaign, definitions, frequency, workspace
from vesper.clock import now
from vesper.model.content import Content
from vesper.model.workspace import Clock


@pytest.mark.requirement("R84")
def test_the_gateway_gets_text_and_parameters(ledger: sa.Engine, tmp_path: Path) -> None:
    said = {"push": {"text": "{{ name }}，您的订单已发货", "params": {"title": "发货通知", "link": "app://orders"}}}
    content = Content.model_validate({"id": "coupon", "says": "券", "owner": "marketing", "messages": {"zh_CN": said}})
    one = campaign(channel="push", purpose="requested", starts_on=now().date(), ends_on=now().date())
    known = definitions(one, policy=frequency(windows={}, quiet_hours=None), said=content)
    space = workspace(tmp_path, clock=Clock())
    people = put(ledger, "push", ["c0000", "c0001"], purpose="requested")
    assert run(ledger, space, known, people).outcomes == {"accepted": 2}
    assert states(ledger) == ["accepted"] * 2
    place = evidence_of(space, "push")
    assert len(place.shown()) == 2
    (post, _other) = sorted((tmp_path / ".vesper" / "sink").glob("*.post"))
    told = json.loads(post.read_text("utf-8").split("\n\n", 1)[1])
    assert (told["to"], told["text"], told["payload"]["title"]) == ("c0000", "王小明，您的订单已发货", "发货通知")
