"""Aliyun's SendSms and QuerySendDetails as their documents describe them (help.aliyun.com 55284, 419277, 2593177). Official SDKs drive it in tests.

Every message that it takes is on the disk before it answers, under its OutId: the truth that senders are held against.
"""

import asyncio
import datetime as dt
import json
import re
import uuid
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.channels.acs3 import Call, authorization
from connectors.channels.http_sink import keep
from tests.channels.fakes.served import KEY_ID, KEY_SECRET

NUMBER = re.compile(r"(\+?86|0086)?1\d{10}|[1-9]\d{6,14}")
CHINA = dt.timezone(dt.timedelta(hours=8))
VALID = dt.timedelta(minutes=15)
TEMPLATES = {"SMS_123": frozenset({"name"}), "SMS_124": frozenset()}
SIGNS = ("好邻居",)


class Fake:
    """One account. `codes`: number -> code that its messages are refused with; `hanging`: numbers whose messages are taken and never answered."""

    def __init__(self, folder: Path, pause: float = 0.0) -> None:
        self.folder, self.pause = folder, pause
        self.codes: dict[str, str] = {}
        self.hanging: set[str] = set()
        self.taken: list[dict[str, str]] = []
        self.requests: list[dict[str, Any]] = []
        self._nonces: set[str] = set()
        self.app = Starlette(routes=[Route("/", self._answer, methods=["POST", "GET"])])

    async def _answer(self, request: Request) -> Response:
        body = await request.body()
        query = dict(request.query_params)
        self.requests.append({"headers": dict(request.headers), "query": query, "body": body, "url": str(request.url)})
        fault = self._fault(request, query, body)
        if fault:
            return self._said(fault, 400)
        actions = {"SendSms": self._send, "QuerySendDetails": self._details}
        action = actions.get(request.headers["x-acs-action"])
        return await action(query) if action else self._said("InvalidAction.NotFound", 404)

    def _fault(self, request: Request, query: dict[str, str], body: bytes) -> str | None:
        headers = request.headers
        if headers.get("x-acs-version") != "2017-05-25":
            return "InvalidVersion"
        at = dt.datetime.strptime(headers["x-acs-date"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.UTC)
        if abs(dt.datetime.now(dt.UTC) - at) > VALID:
            return "InvalidTimeStamp.Expired"
        if headers["x-acs-signature-nonce"] in self._nonces:
            return "SignatureNonceUsed"
        self._nonces.add(headers["x-acs-signature-nonce"])
        found = re.fullmatch(
            r"ACS3-HMAC-SHA256 Credential=([^,]+),SignedHeaders=([^,]+),Signature=(\w+)", headers["authorization"]
        )
        if found is None or found[1] != KEY_ID:
            return "InvalidAccessKeyId.NotFound"
        signed = {name: headers[name] for name in found[2].split(";")}
        call = Call(headers["x-acs-action"], headers["x-acs-version"], headers["host"], query, body=body)
        expected = authorization(call, signed, KEY_ID, KEY_SECRET)
        return None if expected == headers["authorization"] else "SignatureDoesNotMatch"

    async def _send(self, query: dict[str, str]) -> Response:
        for name in ("PhoneNumbers", "SignName", "TemplateCode"):
            if not query.get(name):
                return self._said(f"Missing{name}", 400)
        number, wanted = query["PhoneNumbers"], TEMPLATES.get(query["TemplateCode"])
        params = json.loads(query.get("TemplateParam") or "{}")
        refusals = {
            "isv.MOBILE_NUMBER_ILLEGAL": not all(NUMBER.fullmatch(one) for one in number.split(",")),
            "isv.SMS_SIGNATURE_ILLEGAL": query["SignName"] not in SIGNS,
            "isv.SMS_TEMPLATE_ILLEGAL": wanted is None,
            "isv.TEMPLATE_MISSING_PARAMETERS": bool(wanted and wanted - params.keys()),
            self.codes.get(number, ""): number in self.codes,
        }
        refusal = next((code for code, holds in refusals.items() if holds), None)
        if refusal:
            return self._said(refusal)
        out_id = query.get("OutId", "")
        await asyncio.to_thread(keep, self.folder, out_id, json.dumps(query).encode())
        now = f"{dt.datetime.now(CHINA):%Y-%m-%d %H:%M:%S}"
        self.taken.append({"PhoneNum": number, "SendDate": now, "OutId": out_id, "TemplateCode": query["TemplateCode"]})
        await asyncio.sleep(60 if number in self.hanging else self.pause)
        return self._said("OK", BizId=f"{uuid.uuid4().int % 10**17}^0")

    async def _details(self, query: dict[str, str]) -> Response:
        for name in ("PhoneNumber", "SendDate", "PageSize", "CurrentPage"):
            if not query.get(name):
                return self._said(f"Missing{name}", 400)
        day = dt.datetime.strptime(query["SendDate"], "%Y%m%d").date()
        if not 0 <= (dt.datetime.now(CHINA).date() - day).days <= 30:
            return self._said("isv.INVALID_PARAMETERS")
        mine = [
            one
            for one in reversed(self.taken)
            if one["PhoneNum"] == query["PhoneNumber"] and one["SendDate"].startswith(f"{day:%Y-%m-%d}")
        ]
        size, page = int(query["PageSize"]), int(query["CurrentPage"])
        shown = [
            one | {"SendStatus": 1, "Content": "【好邻居】…", "ErrCode": "WAIT"}
            for one in mine[(page - 1) * size : page * size]
        ]
        return self._said("OK", SmsSendDetailDTOs={"SmsSendDetailDTO": shown}, TotalCount=str(len(mine)))

    def _said(self, code: str, status: int = 200, **more: Any) -> JSONResponse:
        return JSONResponse({"Code": code, "Message": code, "RequestId": str(uuid.uuid4()).upper(), **more}, status)
