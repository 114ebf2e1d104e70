"""POST /chat, /call and /r/{pool}: the chat, the call centre and the tills tell what happened, signed (R45, R65, R118).

What belongs here: these endpoints. What does not: contracts (`vesper/told.py`), redemption (`warehouse/ledger/redemption.py`).
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from intake.desk import Desk
from intake.page import HEADERS
from intake.webhook import SignedPosts
from vesper.clock import now
from vesper.told import CALL, CHAT, Told, ToldWrongly, told_of
from warehouse.ledger.inbox import Arrival, keep_answers
from warehouse.ledger.redemption import redeem_at_till


class Events(SignedPosts):
    """POST /chat and /call. Each event once, by its own id; the answer says how many were new."""

    def __init__(self, desk: Desk, poster: str) -> None:
        super().__init__(desk)
        self.poster, self.kind = poster, {"chat": CHAT, "call": CALL}[poster]

    async def __call__(self, request: Request) -> Response:
        return await self.answered(request, self.poster)

    def take(self, request: Request, poster: str, told: Any) -> Response:
        """See SignedPosts."""
        try:
            events = told_of(self.kind, told, now())
        except ToldWrongly as wrong:
            return JSONResponse({"ok": False, "error": "unreadable", "where": str(wrong)}, 422, HEADERS)
        with self.desk.house.engine.begin() as connection:
            new = keep_answers(connection, [_arrival(poster, one) for one in events], self.desk.known.series_of)
        return JSONResponse({"ok": True, "new": sum(new)}, headers=HEADERS)


class Tills(SignedPosts):
    """POST /r/{pool} with `{"code": ...}`: says what becomes of the coupon. Asked twice with the same `id`, the answer is the same."""

    async def __call__(self, request: Request) -> Response:
        return await self.answered(request, "shop")

    def take(self, request: Request, poster: str, told: Any) -> Response:
        """See SignedPosts."""
        code, id = (told.get(name) if isinstance(told, dict) else None for name in ("code", "id"))
        if not all(isinstance(text, str) and 0 < len(text) <= 100 and text.isprintable() for text in (code, id)):
            return JSONResponse({"ok": False, "error": "unreadable", "where": "code, id"}, 422, HEADERS)
        assert isinstance(code, str) and isinstance(id, str)
        word = redeem_at_till(self.desk.house.engine, request.path_params["pool"], code, id, now())
        return JSONResponse({"ok": word == "redeemed", "coupon": word}, headers=HEADERS)


def _arrival(poster: str, told: Told) -> Arrival:
    return Arrival(f"signed:{poster}", told.id, told.kind, told.at, told.said, told.contact_id)
