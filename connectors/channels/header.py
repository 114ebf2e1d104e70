"""Values of mail headers: what may stand in one, and how (RFC 5322, RFC 2047).

What belongs here: refusing what would become another header, words outside ASCII, folding. What does not: which headers a mail has (`mime.py`).
Python's own `Header` does the same in fifty times the CPU, and other libraries change its notion of UTF-8 for the whole process.
"""

import base64
import re
from functools import lru_cache

LINE = 76
"""Characters of a line with encoded words, without its end (RFC 2047, section 2)."""
LONGEST_VALUE = 900
"""So much of a value that is never folded keeps every line below the 998 of RFC 5322."""
LONGEST_WORDS = 2000
_BREAKS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_SPECIAL = re.compile(r'[",<>@()\[\]\\:;]')
_WORD = "=?utf-8?b?{}?="
_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_DOMAIN = r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?=.{{3,254}}\Z){_LOCAL}@{_DOMAIN}\Z")


class Unsendable(ValueError):
    """A value that cannot stand in a mail; its sentence never holds the value."""


def plain(value: str) -> str:
    """A value as it is: ASCII in one line, short enough to need no fold."""
    if not value.isascii() or _BREAKS.search(value):
        raise Unsendable("a header value holds a line break, a control character or a letter outside ASCII")
    if len(value) > LONGEST_VALUE:
        raise Unsendable("a header value is too long")
    return value


def mailbox(address: str) -> str:
    """An address of one mailbox as the wire takes it; a domain outside ASCII in its IDNA form. No quoted local parts."""
    local, at, domain = address.strip(" ").rpartition("@")
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError:
            raise Unsendable("the address is none that mail can be sent to") from None
    whole = local + at + domain
    if not _ADDRESS.match(whole) or len(local) > 64:
        raise Unsendable("the address is none that mail can be sent to")
    return whole


def words(name: str, value: str) -> str:
    """Words for people to read, folded; in base64 where they hold more than ASCII, or something that would have a meaning."""
    if _BREAKS.search(value):
        raise Unsendable("a header value holds a line break or a control character")
    if len(value) > LONGEST_WORDS:
        raise Unsendable("a header value is too long")
    room = LINE - len(name) - 2
    if value.isascii() and len(value) <= room and "=?" not in value and not _SPECIAL.search(value):
        return value
    return _encoded(value, room)


@lru_cache(maxsize=1024)
def kept_words(name: str, value: str) -> str:
    """`words` for values that come again and again, such as a sender's name."""
    return words(name, value)


def _encoded(value: str, room: int) -> str:
    """Encoded words of at most 75 characters, each of whole characters, on lines of their own."""
    data, found, start = value.encode(errors="replace"), [], 0
    while start < len(data):
        end = start + (min(room, LINE - 1) - len(_WORD.format(""))) // 4 * 3
        while end < len(data) and data[end] & 0xC0 == 0x80:
            end -= 1
        found.append(_WORD.format(base64.b64encode(data[start:end]).decode()))
        start, room = end, LINE - 1
    return "\r\n ".join(found)
