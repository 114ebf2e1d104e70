"""POST /s/{provider}/{key}: receipts of short messages and answers to them. Providers sign nothing, so the address itself is the secret (C6).

What belongs here: the endpoint. What does not: reading what is posted (`vesper/receipt.py`), keeping it (`warehouse/ledger/sms_answer.py`).
"""

import hmac
import os

import anyio.to_thread
import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from intake.body import BodyRefused, body_of
from intake.desk import LOG, Desk, closing
from intake.page import HEADERS
from intake.webhook import MOST_BYTES, SECONDS
from vesper.model.section import VARIABLE
from vesper.receipt import PROVIDERS, Received, Unreadable, parse
from warehouse.ledger.sms_answer import take_in

TAKEN = {"aliyun": {"code": 0, "msg": "接收成功"}, "tencent": {"result": 0, "errmsg": "OK"}}
"""What each provider must hear, so that it does not ask again."""
SHORTEST_KEY = 16


class SmsReceipts:
    """What the provider of `[sms]` tells: 200 once it is committed, 404 for another provider or key."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    async def __call__(self, request: Request) -> Response:
        provider, given = request.path_params["provider"], request.path_params["key"]
        if not self._is_ours(provider, given):
            return JSONResponse({"ok": False}, 404, HEADERS)
        try:
            received = parse(provider, await body_of(request, MOST_BYTES, SECONDS))
        except BodyRefused as refused:
            return closing(JSONResponse({"ok": False}, refused.status, HEADERS))
        except Unreadable:
            return JSONResponse({"ok": False, "error": "unreadable"}, 422, HEADERS)
        try:
            await anyio.to_thread.run_sync(self._take, received, limiter=self.desk.writers)
        except sa.exc.DBAPIError as error:
            LOG.error("receipts could not be kept: %s", type(error.orig).__name__)
            return JSONResponse({"ok": False}, 503, {**HEADERS, "Retry-After": "60"})
        return JSONResponse(TAKEN[provider], headers=HEADERS)

    def _is_ours(self, provider: str, given: str) -> bool:
        sms = self.desk.house.workspace.sms
        found = VARIABLE.fullmatch(sms.receipt_key)
        key = os.environ.get(sms.receipt_key[2:-1], "") if found else ""
        is_known = provider == sms.provider and provider in PROVIDERS and len(key) >= SHORTEST_KEY
        return hmac.compare_digest(given.encode(), key.encode()) and is_known

    def _take(self, received: list[Received]) -> None:
        house, known = self.desk.house, self.desk.known
        take_in(house.engine, received, house.address_key, self.desk.recorded_on, known.series_of)
