"""Short messages: one number in one call, so that every message has an answer of its own (R84).

What belongs here: from `[sms]` of vesper.toml to a channel, and what the channel does around a provider. What does not: a provider's calls
(`aliyun_sms.py`, `tencent_sms.py`), texts (`vesper/sms.py`), receipts (`vesper/receipt/`).

No provider of short messages takes a key that makes a second call harmless, so a call without an answer is unknown, and the reconciler asks the
provider what became of it.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from connectors.channels import Channel, ChannelUnreachable, Letter, Outcome
from connectors.channels._environment import filled
from connectors.channels._fence import LOOPBACK, is_free, may_reach
from connectors.channels._posts import body_of
from connectors.channels.aliyun_sms import Aliyun
from connectors.channels.door import Door, NoAnswer, NotReached
from connectors.channels.http_sink import HttpSink
from connectors.channels.tencent_sms import Tencent
from connectors.channels.webhook import post
from vesper.model.channel import Sms
from vesper.model.workspace import Workspace

WHERE = "vesper.toml [sms]"
PROVIDERS: Mapping[str, type[Aliyun] | type[Tencent]] = {"aliyun": Aliyun, "tencent": Tencent}


class Provider(Protocol):
    """What a provider of short messages offers."""

    def send(self, door: Door, letter: Letter) -> Outcome:
        """One call for one letter. Raises NotReached or NoAnswer."""


@dataclass(frozen=True)
class ShortMessages:
    """A channel (see `connectors.channels.Channel`). `reaches` says whom this workspace may write to at all."""

    door: Door
    made_by: Provider
    name: str
    reaches: Callable[[str], bool]

    @property
    def provider(self) -> str:
        """Whose limits bind: the account at the provider."""
        return f"sms {self.name}"

    def ready(self) -> None:
        """Connect; raises ChannelUnreachable."""
        self.door.ready(WHERE)

    def send(self, letter: Letter) -> Outcome:
        """One call."""
        if not self.reaches(letter.address):
            return Outcome("rejected", "fence", "this workspace may not write to the address")
        if not letter.template:
            return Outcome("rejected", "unsendable", "the content names no template of the provider")
        try:
            return self.made_by.send(self.door, letter)
        except NotReached as error:
            return Outcome("deferred", str(error))
        except NoAnswer as error:
            return Outcome("unknown", "no_answer", str(error))


@dataclass(frozen=True)
class Inside:
    """A channel that stays in this process: what would be sent, in a folder. It needs no template."""

    door: Door
    provider: str

    def ready(self) -> None:
        """Connect; raises ChannelUnreachable."""
        self.door.ready(WHERE)

    def send(self, letter: Letter) -> Outcome:
        """One post into the folder."""
        said = {**body_of(letter), "template": letter.template, "params": dict(letter.params)}
        return post(self.door, said, letter.message_id, LOOPBACK)


@contextmanager
def inside(workspace: Workspace, folder: str, provider: str) -> Iterator[Channel]:
    """The loopback of a channel of short words."""
    with HttpSink(workspace.store / folder) as sink, door_to(sink.address) as door:
        yield Inside(door, provider)


@contextmanager
def sms_opened(workspace: Workspace, folder: str) -> Iterator[Channel]:
    """One connection. Raises ChannelUnreachable."""
    sms = workspace.sms
    if sms.provider == LOOPBACK:
        with inside(workspace, folder, f"sms {LOOPBACK}") as kept:
            yield kept
        return
    provider = provider_of(sms)
    may_open(workspace)
    with door_to(sms.endpoint or provider.address) as door:
        yield ShortMessages(door, provider, sms.provider, partial(may_reach, workspace, channel="sms"))


def provider_of(sms: Sms) -> Aliyun | Tencent:
    """The provider of the settings, with its secrets. Raises ChannelUnreachable for a variable that is not set."""
    return PROVIDERS[sms.provider](sms, filled(sms.key_id, WHERE), filled(sms.key_secret, WHERE))


def may_open(workspace: Workspace) -> None:
    """A rehearsal reaches a real provider only for named numbers. Raises ChannelUnreachable."""
    if is_free(workspace) or may_reach(workspace, "", "sms"):
        return
    if workspace.clock.mode == "simulated" or not workspace.sms.test_numbers:
        raise ChannelUnreachable(
            '{where}: this is no production workspace on a live clock, so no short message leaves it. Write provider = "loopback", or on a '
            "live clock name in test_numbers who alone may be written to.",
            where=WHERE,
        )


@contextmanager
def door_to(address: str) -> Iterator[Door]:
    """A door that is closed in the end."""
    door = Door(address)
    try:
        yield door
    finally:
        door.close()
