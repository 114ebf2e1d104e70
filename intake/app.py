"""The web app: what a link in a message reaches. Verify, commit to the ledger, answer; in this order (R90, RFC 8058).

```
GET, HEAD /u/TOKEN    a page with one button; changes nothing, whoever fetches it: people, mail scanners, prefetching programs
POST      /u/TOKEN    unsubscribes; 200 without a redirect once it is committed, 404 for a token that is none of ours
GET, HEAD /p/TOKEN    how somebody wants to be written to; POST keeps it
GET, HEAD /c/TOKEN    a link of a letter: 302 to where it leads
GET, HEAD /o/TOKEN.gif  the picture that says that a letter was opened
GET, POST /f/FORM     a form: what it asks; what somebody filled in
POST      /wh/PROVIDER  what a mail provider tells, signed
POST      /chat, /call  what the chat and the call centre tell, signed
POST      /r/POOL     a coupon at a till, signed
GET       /health     200 while the ledger answers
```
What belongs here: routes, and the unsubscribe endpoint. What does not: what an unsubscribe does (`warehouse/ledger/unsubscribe.py`), signatures
(`vesper/token.py`). No cookie is read or set, and no address or token is logged.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import anyio.to_thread
import sqlalchemy as sa
from anyio import CapacityLimiter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from intake.body import BodyRefused, body_of, fields_of
from intake.click import Clicks, Opens
from intake.desk import Desk, closing
from intake.form import Forms
from intake.page import HEADERS, language_of, page
from intake.preference import PreferencePage
from intake.sms_receipt import SmsReceipts
from intake.told import Events, Tills
from intake.webhook import Providers
from vesper.clock import now
from vesper.token import TokenKeys, verify
from warehouse.house import House
from warehouse.ledger.engine import reading
from warehouse.ledger.unsubscribe import unsubscribe

LOG = logging.getLogger("vesper.intake")
FIELD, ONE_CLICK = "List-Unsubscribe", "One-Click"


@dataclass(frozen=True)
class Leaving:
    """The unsubscribe endpoint of one workspace."""

    desk: Desk

    async def __call__(self, request: Request) -> Response:
        """GET, HEAD and POST of /u/{token}."""
        message_id = verify(self.desk.keys, "unsubscribe", request.path_params["token"])
        if message_id is None:
            return self.desk.page(request, "unknown", 404)
        if request.method != "POST":
            return self.desk.page(request, "confirm")
        try:
            fields = fields_of(await body_of(request), request.headers.get("content-type", ""))
        except BodyRefused as refused:
            return closing(self.desk.page(request, "refused", refused.status))
        if fields.get(FIELD) != ONE_CLICK:
            return self.desk.page(request, "refused", 400)
        return await self._commit(request, message_id, "page" if fields.get("by") == "page" else "one_click")

    async def _commit(self, request: Request, message_id: str, how: str) -> Response:
        """Only a committed unsubscribe is answered with 200; a ledger that does not answer is 503, so that the sender asks again."""
        try:
            await anyio.to_thread.run_sync(self._unsubscribe, message_id, how, limiter=self.desk.writers)
        except sa.exc.DBAPIError as error:
            return self.desk.later(request, "an unsubscribe", error)
        return self.desk.page(request, "left")

    def _unsubscribe(self, message_id: str, how: str) -> None:
        unsubscribe(self.desk.house.engine, message_id, how, now(), self.desk.recorded_on)


def app_of(house: House, keys: TokenKeys) -> Starlette:
    """The web app of an open workspace."""
    desk = Desk(house, keys, CapacityLimiter(1))
    routes = [
        Route("/u/{token}", Leaving(desk).__call__, methods=["GET", "HEAD", "POST"]),
        Route("/c/{token}", Clicks(desk).__call__, methods=["GET", "HEAD"]),
        Route("/o/{token}.gif", Opens(desk).__call__, methods=["GET", "HEAD"]),
        Route("/p/{token}", PreferencePage(desk).__call__, methods=["GET", "HEAD", "POST"]),
        Route("/f/{form}", Forms(desk).__call__, methods=["GET", "HEAD", "POST", "OPTIONS"]),
        Route("/wh/{provider}", Providers(desk).__call__, methods=["POST"]),
        Route("/s/{provider}/{key}", SmsReceipts(desk).__call__, methods=["POST"]),
        Route("/chat", Events(desk, "chat").__call__, methods=["POST"]),
        Route("/call", Events(desk, "call").__call__, methods=["POST"]),
        Route("/r/{pool}", Tills(desk).__call__, methods=["POST"]),
        Route("/health", _health(house), methods=["GET", "HEAD"]),
    ]
    return Starlette(routes=routes, exception_handlers={404: _nothing(house), 405: _nothing(house)})


def _health(house: House) -> Callable[[Request], Awaitable[Response]]:
    def asked() -> None:
        with reading(house.engine) as connection:
            connection.execute(sa.text("select 1"))

    async def health(_: Request) -> Response:
        try:
            await anyio.to_thread.run_sync(asked)
        except sa.exc.DBAPIError as error:
            LOG.error("the ledger does not answer: %s", type(error.orig).__name__)
            return JSONResponse({"ok": False}, 503, HEADERS)
        return JSONResponse({"ok": True}, headers=HEADERS)

    return health


def _nothing(house: House) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def nothing(request: Request, error: Exception) -> Response:
        company = house.workspace.company
        language = language_of(request.headers.get("accept-language", ""), company.language)
        answer = page("unknown", company.name, language, getattr(error, "status_code", 404))
        answer.headers.update(getattr(error, "headers", None) or {})
        return answer

    return nothing
