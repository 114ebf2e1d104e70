"""The channel webhook of a workspace: each message is one signed post (R84).

What belongs here: from `[webhook]` of vesper.toml to a channel. What does not: the post itself and what answers mean (`webhook.py`).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

from connectors.channels import Channel, Letter, Outcome
from connectors.channels._environment import filled
from connectors.channels.webhook import Door, post, posting
from vesper.model.workspace import Workspace

LARGEST = 2**20
"""Bytes of a post."""


class Posts:
    """A channel (see `connectors.channels.Channel`)."""

    def __init__(self, door: Door, secret: str, deduplicates: bool, section: str = "webhook") -> None:
        self.door, self.secret, self.deduplicates, self.section = door, secret, deduplicates, section

    @property
    def provider(self) -> str:
        """Whose limits bind: the host; the rest of an address may hold a key."""
        return f"{self.section} {self.door.host}"

    def ready(self) -> None:
        """Connect; raises ChannelUnreachable."""
        self.door.ready(f"vesper.toml [{self.section}]")

    def send(self, letter: Letter) -> Outcome:
        """One post under the message's id as its Idempotency-Key."""
        return post(self.door, body_of(letter), letter.message_id, self.secret, self.deduplicates, LARGEST)


def body_of(letter: Letter) -> Mapping[str, Any]:
    """What the receiver gets: the message, to whom, what it says, and the payload of its content."""
    return {
        "event": "message",
        "message_id": letter.message_id,
        "campaign_id": letter.campaign_id,
        "to": letter.address,
        "subject": letter.subject,
        "text": letter.text,
        "unsubscribe_url": letter.unsubscribe_url,
        "sent_at": letter.sent_at.isoformat(timespec="seconds") + "Z",
        "payload": letter.payload or dict(letter.params),
    }


@contextmanager
def posts_opened(
    workspace: Workspace, folder: str, section: Literal["webhook", "push"] = "webhook"
) -> Iterator[Channel]:
    """One connection; push is a post to the gateway of the app, which knows the devices of a contact. Raises ChannelUnreachable."""
    hook, where = (workspace.push if section == "push" else workspace.webhook), f"vesper.toml [{section}]"
    secret = filled(hook.secret, where) if hook.url != "loopback" else "loopback"
    with posting(workspace, hook.url, folder, where, within="") as door:
        yield Posts(door, secret, hook.deduplicates, section)
