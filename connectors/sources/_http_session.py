"""Requests to one interface: authenticated, not too many a second, tried again while it is busy, and never told of in an error.

What belongs here: one request and its retries. What does not: pages and records (`http.py`).
"""

import datetime as dt
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any
from urllib.parse import urljoin, urlsplit

from connectors.sources._json import NoRow, parsed
from connectors.sources._pulled import NotFetched, Request
from connectors.sources._unreadable import Said, _
from vesper.clock import now
from vesper.model.pull import HttpPull

LARGEST_ANSWER = 64 << 20
LONGEST_WAIT = 300.0
BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})


class Busy(Exception):
    """An answer that says: later. `wait` holds the seconds that it asked for."""

    def __init__(self, why: str, wait: float | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.wait = wait


class Session:
    """A session with one interface."""

    def __init__(self, how: HttpPull, request: Request, sleep: Callable[[float], None] = time.sleep) -> None:
        import requests

        self.how = how
        self.sleep = sleep
        self.address = request.filled(how.url)
        self.session = requests.Session()
        self.session.headers.update({name: request.filled(text) for name, text in how.headers.items()})
        self.session.headers.setdefault("Accept", "application/json")
        # Without credentials of its own the session would look for some in this machine's .netrc.
        self.session.auth = _as_it_is
        if how.user and how.password:
            self.session.auth = (request.filled(how.user), request.filled(how.password))
        self._next_at = 0.0

    def __enter__(self) -> "Session":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.session.close()

    def same_place(self, address: str) -> str:
        """The next page's address, made whole. Raises NotFetched for another host: it would be told our token."""
        whole = urljoin(self.address, address)
        if urlsplit(whole)[:2] != urlsplit(self.address)[:2]:
            raise NotFetched(_("it names a next page on another host, which is not followed"))
        return whole

    def get(self, address: str | None, params: Mapping[str, str]) -> tuple[Any, dict[str, str]]:
        """The parsed body of an answer, and its links by relation. Raises NotFetched."""
        from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_attempt

        retrying = Retrying(
            stop=stop_after_attempt(self.how.attempts),
            wait=lambda state: waiting(state.attempt_number, _of(state.outcome)),
            retry=retry_if_exception_type(Busy),
            sleep=self.sleep,
        )
        try:
            return retrying(self._once, address or self.address, params)
        except RetryError as error:
            why = getattr(error.last_attempt.exception(), "why", "")
        message = _("it did not answer after {count} tries ({why}); try again later, or ask its owner")
        raise NotFetched(message, count=self.how.attempts, why=why)

    def _once(self, address: str, params: Mapping[str, str]) -> tuple[Any, dict[str, str]]:
        import requests

        self._keep_pace()
        failed: Exception
        try:
            with self.session.get(
                address, params=dict(params), timeout=self.how.timeout, stream=True, allow_redirects=False
            ) as response:
                _refuse(response.status_code, response.headers)
                links = {name: str(link.get("url", "")) for name, link in response.links.items()}
                return _body(response), links
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
            failed = Busy(type(error).__name__)
        except requests.RequestException as error:
            failed = NotFetched(_("it cannot be asked ({why}); correct its address"), why=type(error).__name__)
        # Outside the handler: the library's own error holds the address with its parameters.
        raise failed

    def _keep_pace(self) -> None:
        wait = self._next_at - time.monotonic()
        if wait > 0:
            self.sleep(wait)
        self._next_at = time.monotonic() + 1 / self.how.per_second


def _as_it_is(prepared: Any) -> Any:
    return prepared


def waiting(attempt: int, busy: BaseException | None) -> float:
    """Seconds before the next try: what the interface asks for, else 1, 2, 4 ... 60."""
    asked = getattr(busy, "wait", None)
    return float(asked) if asked is not None else float(min(2 ** (attempt - 1), 60))


def retry_after(header: str | None) -> float | None:
    """Seconds of a Retry-After header: a number, or a date; None when it says neither."""
    if not header:
        return None
    if header.strip().isdigit():
        return float(header)
    try:
        at = parsedate_to_datetime(header).astimezone(dt.UTC).replace(tzinfo=None)
    except (TypeError, ValueError):
        return None
    return max(0.0, (at - now()).total_seconds())


def _refuse(status: int, headers: Mapping[str, str]) -> None:
    if status in BUSY:
        wait = retry_after(headers.get("Retry-After"))
        if wait is not None and wait > LONGEST_WAIT:
            message = _("it asks to wait {seconds:.0f} seconds, longer than a night waits; run again later")
            raise NotFetched(message, seconds=wait)
        raise Busy(f"HTTP {status}", wait)
    if status in (401, 403):
        raise NotFetched(_("it refuses the credentials (HTTP {status}); renew those of the environment"), status=status)
    if 300 <= status < 400:
        raise NotFetched(_("it has moved (HTTP {status}); write its new address"), status=status)
    if status != 200:
        raise NotFetched(_("it refuses the request (HTTP {status}); correct address and parameters"), status=status)


def _body(response: Any) -> Any:
    data = bytearray()
    for block in response.iter_content(1 << 16):
        data += block
        if len(data) > LARGEST_ANSWER:
            message = _("a page of it is larger than {size} MB; ask for smaller pages")
            raise NotFetched(message, size=LARGEST_ANSWER >> 20)
    try:
        return parsed(data.decode("utf-8-sig"))
    except NoRow as error:
        what: Any = error.what
    except UnicodeDecodeError:
        what = Said(_("is not UTF-8"))
    raise NotFetched(_("its answer {what}; correct its address"), what=what)


def _of(outcome: Any) -> BaseException | None:
    return outcome.exception() if outcome is not None else None
