"""Messages to customers in WeCom: an employee is asked to send them and does, or does not (R84).

What belongs here: these calls. What does not: tokens (`app_call.py`), who goes together (`tasks/broadcast.py`).
Documents: developer.work.weixin.qq.com 92135 (add_msg_template, which sends nothing), 93338 (get_groupmsg_list_v2, get_groupmsg_task,
get_groupmsg_send_result). There is no key that makes a second call harmless, so a call without an answer is looked for among the
company's broadcasts by its text and its time.
"""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.channels import ChannelUnreachable, Outcome
from connectors.channels.app_call import AppCall, outcome_of
from connectors.channels.broadcast import Answer, Fate, Found
from connectors.channels.door import NoAnswer, NotReached

BASE = "/cgi-bin/externalcontact/"
PAGE = 100
MOST_PAGES = 100
FATES: Mapping[int, Fate] = {1: "sent", 2: "failed", 3: "failed"}
"""0 not sent yet, 1 sent, 2 no friend any more, 3 got another broadcast already."""
EARLIER = dt.timedelta(minutes=5)
"""Clocks differ."""


class NotTold(Exception):
    """The provider did not answer a question to its end."""


@dataclass(frozen=True)
class CustomerMessages:
    """See `connectors.channels.broadcast.Broadcaster`."""

    app: AppCall
    fewest: int = 1
    most: int = 10_000
    repeats_for: dt.timedelta = dt.timedelta()

    def call(self, id: str, addresses: Collection[str], text: str) -> Answer:
        """See Broadcaster."""
        body = {"chat_type": "single", "external_userid": sorted(addresses), "text": {"content": text}}
        try:
            answer = self.app.call(f"{BASE}add_msg_template", body)
        except NoAnswer as error:
            return Answer(Outcome("unknown", "no_answer", str(error)))
        except (NotReached, ChannelUnreachable):
            return Answer(Outcome("deferred", "not_reached"))
        return Answer(outcome_of(answer), frozenset(map(str, answer.get("fail_list") or ())))

    def found(self, text: str, since: dt.datetime, known: Collection[str]) -> Found:
        """See Broadcaster."""
        body = {
            "chat_type": "single",
            "start_time": _seconds(since - EARLIER),
            "end_time": _seconds(since + dt.timedelta(hours=1)),
            "filter_type": 2,
        }
        try:
            listed = [
                str(one["msgid"])
                for one in self._all("get_groupmsg_list_v2", body, "group_msg_list")
                if (one.get("text") or {}).get("content") == text and str(one["msgid"]) not in known
            ]
        except NotTold:
            return Found()
        return Found(listed[0]) if len(listed) == 1 else Found(is_not_there=not listed)

    def fates(self, provider_id: str, addresses: Collection[str]) -> Mapping[str, Fate]:
        """See Broadcaster. Only those are told of whose employee was asked."""
        found: dict[str, Fate] = {}
        try:
            for task in self._all("get_groupmsg_task", {"msgid": provider_id}, "task_list"):
                body = {"msgid": provider_id, "userid": task["userid"]}
                for one in self._all("get_groupmsg_send_result", body, "send_list"):
                    found[str(one.get("external_userid"))] = FATES.get(int(one.get("status") or 0), "waiting")
        except NotTold:
            return {}
        return {address: found.get(address, "waiting") for address in addresses}

    def _all(self, name: str, body: Mapping[str, Any], key: str) -> Iterator[dict[str, Any]]:
        """Every entry of a list, page by page. Raises NotTold."""
        cursor = ""
        for _page in range(MOST_PAGES):
            try:
                answer = self.app.call(BASE + name, {**body, "limit": PAGE, "cursor": cursor})
            except (NoAnswer, NotReached, ChannelUnreachable) as error:
                raise NotTold(str(error)) from None
            if answer.get("errcode"):
                raise NotTold(str(answer["errcode"]))
            yield from answer.get(key) or ()
            cursor = str(answer.get("next_cursor") or "")
            if not cursor:
                return
        raise NotTold("too many pages")


def _seconds(at: dt.datetime) -> int:
    return int(at.replace(tzinfo=dt.UTC).timestamp())
