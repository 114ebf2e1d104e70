"""Template messages of a WeChat official account: for service alone, one person in one call (R84).

What belongs here: that call. What does not: tokens (`app_call.py`), mass messages (`wechat_mass.py`).
Document: developers.weixin.qq.com sendTemplateMessage. `client_msg_id` makes a second call within ten minutes harmless, so a call without an
answer is made once more at once; what stays without one is unknown.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from connectors.channels import Channel, ChannelUnreachable, Letter, Outcome, Tokens
from connectors.channels._fence import LOOPBACK, may_reach
from connectors.channels.app_call import AppCall, calling, outcome_of
from connectors.channels.door import NoAnswer, NotReached
from connectors.channels.sms import inside
from vesper.model.workspace import Workspace

PATH = "/cgi-bin/message/template/send"
GONE = frozenset({40003})
"""No openid of this account."""


@dataclass(frozen=True)
class TemplateMessages:
    """A channel (see `connectors.channels.Channel`)."""

    app: AppCall
    app_id: str
    reaches: Callable[[str], bool]

    @property
    def provider(self) -> str:
        """Whose limits bind: the account."""
        return f"wechat {self.app_id}"

    def ready(self) -> None:
        """Connect and have a token; raises ChannelUnreachable."""
        self.app.ready()

    def send(self, letter: Letter) -> Outcome:
        """One call, and once more under the same id where no answer came."""
        app_id, _, openid = letter.address.partition(":")
        if not self.reaches(letter.address):
            return Outcome("rejected", "fence", "this workspace may not write to the address")
        if app_id != self.app_id or not letter.template:
            return Outcome("rejected", "unsendable", "an openid of another account, or a content without template")
        body: dict[str, object] = {
            "touser": openid,
            "template_id": letter.template,
            "client_msg_id": letter.message_id,
            "data": {name: {"value": value} for name, value in letter.params.items()},
        }
        try:
            return self._sent(body)
        except NoAnswer:
            return self._probed(body)
        except (NotReached, ChannelUnreachable):
            return Outcome("deferred", "not_reached")

    def _probed(self, body: dict[str, object]) -> Outcome:
        """The second call: only a yes proves something of the first."""
        try:
            found = self._sent(body)
        except (NoAnswer, NotReached, ChannelUnreachable):
            return Outcome("unknown", "no_answer")
        return found if found.kind == "accepted" else Outcome("unknown", "no_answer", found.code)

    def _sent(self, body: dict[str, object]) -> Outcome:
        return outcome_of(self.app.call(PATH, body), GONE)


@contextmanager
def wechat_opened(workspace: Workspace, folder: str, tokens: Tokens | None = None) -> Iterator[Channel]:
    """One connection. Raises ChannelUnreachable."""
    app = workspace.wechat
    if not app.app_id:
        with inside(workspace, folder, f"wechat {LOOPBACK}") as kept:
            yield kept
        return
    with calling(workspace, app, "wechat", tokens) as call:
        yield TemplateMessages(call, app.app_id, partial(may_reach, workspace, channel="wechat"))
