"""Reading what was posted, bounded in size and in time, and telling what it says.

What belongs here: bytes of a request. What does not: what is done with them.
"""

import asyncio
from email.parser import BytesParser
from email.policy import HTTP
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, Request

MOST_BYTES = 8 * 1024
SECONDS = 10.0
MOST_FIELDS = 20


class BodyRefused(Exception):
    """A body that is too large (413), too slow (408) or cut off (400)."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


async def body_of(request: Request, most: int = MOST_BYTES, seconds: float = SECONDS) -> bytes:
    """The whole body. Raises BodyRefused as soon as it is larger than `most` bytes, or not there after so many seconds."""
    stated = request.headers.get("content-length", "0")
    if not stated.isdigit() or int(stated) > most:
        raise BodyRefused(413 if stated.isdigit() else 400)
    kept = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for block in request.stream():
                kept += block
                if len(kept) > most:
                    raise BodyRefused(413)
    except TimeoutError:
        raise BodyRefused(408) from None
    except ClientDisconnect:
        raise BodyRefused(400) from None
    return bytes(kept)


def fields_of(body: bytes, content_type: str) -> dict[str, str]:
    """Name -> value of a posted form: of both encodings that RFC 8058 allows. What is neither has no fields."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return _multipart(body, content_type)
    if kind not in ("", "application/x-www-form-urlencoded"):
        return {}
    try:
        found = parse_qs(body.decode("utf-8", errors="replace"), max_num_fields=MOST_FIELDS)
    except ValueError:
        return {}
    return {name: values[0] for name, values in found.items()}


def _multipart(body: bytes, content_type: str) -> dict[str, str]:
    if any(letter in content_type for letter in "\r\n"):
        return {}
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", errors="replace")
    whole = BytesParser(policy=HTTP).parsebytes(head + body)
    if not whole.is_multipart():
        return {}
    found = {}
    for part in list(whole.iter_parts())[:MOST_FIELDS]:
        name = part.get_param("name", header="content-disposition")
        value = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(value, bytes):
            found[name] = value.decode("utf-8", errors="replace").strip()
    return found
