"""What a letter says on a channel that is no mail: the text as it is read, and what the provider is told (C6).

What belongs here: the rules of a channel around filled words. What does not: filling (`vesper/content_short.py`), who gets a letter
(`letters.py`), the wire.
"""

from typing import Any

from vesper.content_short import RenderedShort
from vesper.model.content_short import SERVICE_ONLY
from vesper.model.workspace import Workspace
from vesper.said import Said
from vesper.sms import as_read, says_way_out, starts_signed


class Withheld(Said):
    """Why messages wait though they are due. A sentence without a person in it."""

    waits = "waiting:content"


def short_letter(
    short: RenderedShort, channel: str, workspace: Workspace, where: str, *, is_marketing: bool
) -> dict[str, Any]:
    """The fields of a letter that say something.

    Raises Withheld for marketing where the provider forbids it, for a short message that brings a signature of its own, and for marketing that
    says no way out and gets none from the provider.
    """
    if is_marketing and channel in SERVICE_ONLY:
        raise Withheld(
            "{where}: the provider of {channel} forbids marketing on it; the messages wait. Send them on another channel.",
            where=where,
            channel=channel,
        )
    text = _short_message(short, workspace, where, is_marketing=is_marketing) if channel == "sms" else short.text
    return {"subject": "", "text": text, "html": "", "template": short.template, "params": short.params}


def _short_message(short: RenderedShort, workspace: Workspace, where: str, *, is_marketing: bool) -> str:
    sms = workspace.sms
    if starts_signed(short.text) and not short.text.startswith(f"【{sms.sign}】"):
        raise Withheld(
            "{where}: the short message begins with a signature of its own, and the provider puts the one of vesper.toml [sms] before it. "
            "Take it out.",
            where=where,
        )
    if is_marketing and not sms.appends_opt_out and not says_way_out(short.text):
        raise Withheld(
            "{where}: the short message does not say how one leaves, and by vesper.toml [sms] appends_opt_out the provider does not add it. "
            "Write 拒收请回复R at its end, in the provider's template as well.",
            where=where,
        )
    return as_read(short.text, sms.sign, sms.opt_out, is_marketing=is_marketing)
