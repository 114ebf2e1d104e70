"""Mass messages of a WeChat official account: one call for two to ten thousand people; what became of it is told of all of them together.

What belongs here: these calls. What does not: tokens (`app_call.py`), who goes together (`tasks/broadcast.py`).
Documents: developers.weixin.qq.com Batch_Sends. `clientmsgid` is checked against the last 24 hours: the same call again answers 45065 with
the id of the first, so a call without an answer is simply made again. A service account may reach somebody four times a month.
"""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from connectors.channels import ChannelUnreachable, Outcome
from connectors.channels.app_call import AppCall, outcome_of
from connectors.channels.broadcast import FEWEST, Answer, Fate, Found
from connectors.channels.door import NoAnswer, NotReached

SEND, ASK = "/cgi-bin/message/mass/send", "/cgi-bin/message/mass/get"
KNOWN = 45065
"""The id was sent before; the answer holds what it became."""
FATES: Mapping[str, Fate] = {"SEND_SUCCESS": "sent", "SEND_FAIL": "failed", "DELETE": "failed"}


@dataclass(frozen=True)
class MassMessages:
    """See `connectors.channels.broadcast.Broadcaster`."""

    app: AppCall
    fewest: int = FEWEST["wechat_mass"]
    most: int = 10_000
    repeats_for: dt.timedelta = dt.timedelta(hours=23)

    def call(self, id: str, addresses: Collection[str], text: str) -> Answer:
        """See Broadcaster."""
        body = {"touser": sorted(addresses), "msgtype": "text", "text": {"content": text}, "clientmsgid": id}
        try:
            answer = self.app.call(SEND, body)
        except NoAnswer as error:
            return Answer(Outcome("unknown", "no_answer", str(error)))
        except (NotReached, ChannelUnreachable):
            return Answer(Outcome("deferred", "not_reached"))
        if answer.get("errcode") == KNOWN and answer.get("msg_id"):
            return Answer(Outcome("accepted", str(KNOWN), str(answer["msg_id"])))
        return Answer(outcome_of(answer))

    def found(self, text: str, since: dt.datetime, known: Collection[str]) -> Found:
        """See Broadcaster: nothing lists mass messages; the same call again tells."""
        return Found()

    def fates(self, provider_id: str, addresses: Collection[str]) -> Mapping[str, Fate]:
        """See Broadcaster."""
        try:
            answer = self.app.call(ASK, {"msg_id": provider_id})
        except (NoAnswer, NotReached, ChannelUnreachable):
            return {}
        fate = FATES.get(str(answer.get("msg_status")), "waiting")
        return dict.fromkeys(addresses, fate)
