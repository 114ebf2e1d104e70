"""Which clicks and opens a machine made: what one request tells, and what several tell together.

What belongs here: these rules. What does not: where the facts come from (`intake/`, `tasks/inbox.py`). Rows that a machine made are kept and marked;
nothing scores them, no segment and no journey looks at them (`is_machine` of core__event).

A person who is taken for a machine loses points, a machine that is taken for a person sells a lead that is none; so a rule stands here only where
people do not do what it looks for. A mail program that loads pictures by itself (Apple's proxy, which says no more than Mozilla/5.0) is not
somebody who read; a proxy that loads them when the mail is opened (Google's) is.
"""

import datetime as dt
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

CLICKED, OPENED = "mail_clicked", "mail_opened"
BURST_LINKS = 3
BURST = dt.timedelta(seconds=2)
"""So many different links of one message within this time: nobody reads that fast."""
AFTER_ACCEPTANCE = dt.timedelta(seconds=3)
"""A click so soon after a server took the mail comes from a scanner on its way: the mail is in nobody's inbox yet."""

HEAD, TRAP, SCANNER, PROXY, BURSTS, TOO_SOON = "head", "trap", "scanner", "proxy", "burst", "too_soon"
"""Reasons, as rows keep them."""

_BARE = re.compile(r"\s*Mozilla/5\.0\s*(\(\s*\))?\s*")
_SCANNER = re.compile(
    r"barracuda|proofpoint|mimecast|safelinks|symantec|messagelabs|forcepoint|fireeye|trend ?micro|cisco.?ironport|sophos|checkpoint|"
    r"virustotal|urlscan|bot\b|crawler|spider|slurp|facebookexternalhit|slackbot|telegrambot|whatsapp|linkexpander|preview|"
    r"curl/|wget/|python-|go-http-client|java/|okhttp|libwww|headlesschrome|phantomjs|http_request|guzzle|axios|node-fetch",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Seen:
    """A click or an open as it was kept. `link` is the address it led to; empty for an open."""

    id: int
    message_id: str
    kind: str
    at: dt.datetime
    link: str = ""


def told_by_request(kind: str, method: str, agent: str, *, is_trap: bool = False) -> str | None:
    """Why one request was made by a machine; None where it says nothing of it. `agent` is its User-Agent."""
    if is_trap:
        return TRAP
    if method == "HEAD":
        return HEAD
    if not agent.strip() or _SCANNER.search(agent):
        return SCANNER
    return PROXY if _BARE.fullmatch(agent) else None


def told_together(seen: Iterable[Seen], accepted: Mapping[str, dt.datetime]) -> dict[int, str]:
    """Ids of the clicks that a machine made as the others show, and why: bursts, and clicks before the mail can have been seen.

    Args:
        accepted: message -> when a server took it.

    The same in whatever order the rows come, and however often.
    """
    of: dict[str, list[Seen]] = {}
    for one in sorted(set(seen), key=lambda one: (one.at, one.id)):
        if one.kind == CLICKED:
            of.setdefault(one.message_id, []).append(one)
    found: dict[int, str] = {}
    for message_id, clicks in of.items():
        taken_at = accepted.get(message_id)
        if taken_at is not None:
            found |= {one.id: TOO_SOON for one in clicks if one.at <= taken_at + AFTER_ACCEPTANCE}
        found |= dict.fromkeys(_bursts(clicks), BURSTS)
    return found


def _bursts(clicks: Collection[Seen]) -> Iterator[int]:
    """Ids of the clicks that lie in a window of BURST with BURST_LINKS different links. `clicks` are one message's, in order of time."""
    window: list[Seen] = []
    links: Counter[str] = Counter()
    for one in clicks:
        window.append(one)
        links[one.link] += 1
        while one.at - window[0].at > BURST:
            gone = window.pop(0)
            links[gone.link] -= 1
        if sum(count > 0 for count in links.values()) >= BURST_LINKS:
            yield from (each.id for each in window)
