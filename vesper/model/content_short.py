"""What a channel of short words says: a short message, a template of WeChat, a note of WeCom. One shape for all of them.

What belongs here: the shape, and which channels have words of their own. What does not: mail (`content.py`), filling (`vesper/content_short.py`).
"""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from vesper.model.definition import Strict, Text

SHORTS: Mapping[str, str] = {
    "sms": "sms",
    "wechat": "wechat",
    "wechat_mass": "wechat_mass",
    "wecom": "wecom",
    "push": "push",
}
"""Channel -> key of a message that holds its words. Every other channel takes subject and body."""
BROADCASTS = frozenset({"wechat_mass", "wecom"})
"""Channels on which many messages are one call: their text is the same for everybody, so it names no word of a person."""
EVERYBODY = frozenset({"company", "address"})
"""Words of a content that are the same for everybody."""
SERVICE_ONLY = frozenset({"wechat"})
"""Channels whose provider forbids marketing."""


class ShortMessage(Strict):
    """The text as it is read; where the provider fills a template of its own, that template and its parameters."""

    text: Text
    """The whole text as the person reads it, without the signature; Jinja over the words of a content."""
    template: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    """Id of the template that the provider approved: SMS_123 (Aliyun), 449739 (Tencent), or one of WeChat."""
    params: dict[str, Text] = {}
    """Parameter of that template -> its value, a template of ours; the order is that of the provider's template."""

    def __hash__(self) -> int:
        return hash((self.text, self.template, tuple(self.params.items())))

    @property
    def sources(self) -> dict[tuple[str, ...], str]:
        """Every template of ours in it by its place."""
        return {("text",): self.text} | {("params", name): value for name, value in self.params.items()}
