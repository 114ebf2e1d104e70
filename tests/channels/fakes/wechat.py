"""A WeChat official account as its documents describe it: getStableAccessToken, sendTemplateMessage, Batch_Sends (developers.weixin.qq.com).

Every message that it takes is on the disk before it answers, under its client id.
"""

import asyncio
import json
import time
import uuid
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.channels.http_sink import keep

APP_ID, SECRET = "wx0000000000000001", "wechat-secret-0001"
TEMPLATES = {"TPL1": frozenset({"name"})}
REMEMBERS, REMEMBERS_MASS = 600, 24 * 3600


class Fake:
    """One account. `followers` are its openids; `hangs`: calls that are taken and not answered; `status` of its mass messages."""

    def __init__(self, folder: Path, pause: float = 0.0) -> None:
        self.folder, self.pause = folder, pause
        self.followers = {f"o{n:04}" for n in range(5000)}
        self.hangs = 0
        self.status = "SEND_SUCCESS"
        self.token, self.fetched = "", 0
        self.messages: list[dict[str, Any]] = []
        self.mass: dict[str, dict[str, Any]] = {}
        self.app = Starlette(
            routes=[
                Route("/cgi-bin/stable_token", self._stable, methods=["POST"]),
                Route("/cgi-bin/message/template/send", self._template, methods=["POST"]),
                Route("/cgi-bin/message/mass/send", self._mass, methods=["POST"]),
                Route("/cgi-bin/message/mass/get", self._mass_status, methods=["POST"]),
            ]
        )

    def revoke(self) -> None:
        """The token is none any more, as when another program forces a new one."""
        self.token = ""

    async def _stable(self, request: Request) -> Response:
        body = await request.json()
        if (body.get("grant_type"), body.get("appid")) != ("client_credential", APP_ID):
            return _said(40013)
        if body.get("secret") != SECRET:
            return _said(40125)
        self.fetched += 1
        if not self.token or body.get("force_refresh"):
            self.token = uuid.uuid4().hex
        return JSONResponse({"access_token": self.token, "expires_in": 7200})

    async def _template(self, request: Request) -> Response:
        body = await request.json()
        wanted = TEMPLATES.get(body.get("template_id", ""))
        fault = self._fault(request)
        if fault or wanted is None or body["touser"] not in self.followers or wanted - body["data"].keys():
            return _said(
                fault or (40037 if wanted is None else 40003 if body["touser"] not in self.followers else 47003)
            )
        id = body.get("client_msg_id", "")
        known = [one for one in self.messages if one["id"] == id and time.time() - one["at"] < REMEMBERS]
        if not id or not known:
            await asyncio.to_thread(keep, self.folder, id, json.dumps(body).encode())
            self.messages.append({"id": id, "at": time.time(), "touser": body["touser"]})
        await self._rest()
        return _said(0, msgid=len(self.messages))

    async def _mass(self, request: Request) -> Response:
        body = await request.json()
        fault, id = self._fault(request), body.get("clientmsgid", "")
        if fault or len(id.encode()) > 64 or not 2 <= len(body["touser"]) <= 10_000:
            return _said(fault or (45067 if len(id.encode()) > 64 else 40130))
        known = next((key for key, one in self.mass.items() if one["id"] == id and id), None)
        if known and time.time() - self.mass[known]["at"] < REMEMBERS_MASS:
            return _said(45065, msg_id=int(known))
        key = str(1000 + len(self.mass))
        self.mass[key] = {"id": id, "at": time.time(), "touser": body["touser"], "text": body["text"]["content"]}
        await asyncio.to_thread(keep, self.folder, id, json.dumps(body).encode())
        await self._rest()
        return _said(0, msg_id=int(key), msg_data_id=1)

    async def _mass_status(self, request: Request) -> Response:
        body, fault = await request.json(), self._fault(request)
        if fault or str(body["msg_id"]) not in self.mass:
            return _said(fault or 40007)
        return JSONResponse({"msg_id": body["msg_id"], "msg_status": self.status})

    async def _rest(self) -> None:
        if self.hangs:
            self.hangs -= 1
            await asyncio.sleep(60)
        await asyncio.sleep(self.pause)

    def _fault(self, request: Request) -> int:
        given = request.query_params.get("access_token", "")
        return 41001 if not given else 0 if given == self.token else 40001


def _said(code: int, **more: Any) -> JSONResponse:
    return JSONResponse({"errcode": code, "errmsg": "ok" if code == 0 else "refused", **more})
