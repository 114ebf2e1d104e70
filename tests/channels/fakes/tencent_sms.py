"""Tencent Cloud's SendSms and PullSmsSendStatusByPhoneNumber as their documents describe them (cloud.tencent.com 382/55981, 382/58693,
382/52071). Official SDKs drive it in tests.

Every message that it takes is on the disk before it answers, under its SessionContext: the truth that senders are held against.
"""

import asyncio
import datetime as dt
import json
import re
import time
import uuid
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.channels.http_sink import keep
from connectors.channels.tc3 import Call, authorization
from tests.channels.fakes.served import KEY_ID, KEY_SECRET

NUMBER = re.compile(r"\+[1-9]\d{6,14}")
SKEW_SECONDS = 300
APP_ID = "1400000001"
TEMPLATES = {"449739": 1, "449740": 0}
SIGNS = ("好邻居",)


class Fake:
    """One account. `codes`: number -> code that its messages are refused with; `hanging`: numbers whose messages are taken and never answered.
    `tells`: whether receipts hold the SessionContext, which the provider switches on when it is asked to."""

    def __init__(self, folder: Path, pause: float = 0.0) -> None:
        self.folder, self.pause = folder, pause
        self.codes: dict[str, str] = {}
        self.hanging: set[str] = set()
        self.tells = True
        self.taken: list[dict[str, Any]] = []
        self.requests: list[dict[str, Any]] = []
        self.app = Starlette(routes=[Route("/", self._answer, methods=["POST"])])

    async def _answer(self, request: Request) -> Response:
        body = await request.body()
        self.requests.append({"headers": dict(request.headers), "body": body})
        fault = self._fault(request, body)
        if fault:
            return self._error(fault)
        actions = {"SendSms": self._send, "PullSmsSendStatusByPhoneNumber": self._statuses}
        action = actions.get(request.headers["x-tc-action"])
        return await action(json.loads(body)) if action else self._error("InvalidAction")

    def _fault(self, request: Request, body: bytes) -> str | None:
        headers = request.headers
        if headers.get("x-tc-version") != "2021-01-11":
            return "NoSuchVersion"
        if not headers.get("x-tc-region"):
            return "MissingParameter"
        timestamp = int(headers["x-tc-timestamp"])
        if abs(time.time() - timestamp) > SKEW_SECONDS:
            return "AuthFailure.SignatureExpire"
        at = dt.datetime.fromtimestamp(timestamp, dt.UTC).replace(tzinfo=None)
        call = Call("sms", headers["x-tc-action"], "2021-01-11", headers["x-tc-region"], headers["host"], body, at)
        if f"Credential={KEY_ID}/" not in headers["authorization"]:
            return "AuthFailure.SecretIdNotFound"
        return (
            None
            if authorization(call, KEY_ID, KEY_SECRET) == headers["authorization"]
            else "AuthFailure.SignatureFailure"
        )

    async def _send(self, body: dict[str, Any]) -> Response:
        numbers, wanted = body.get("PhoneNumberSet"), TEMPLATES.get(body.get("TemplateId", ""))
        if not numbers or not body.get("SmsSdkAppId") or not body.get("TemplateId"):
            return self._error("MissingParameter")
        if body["SmsSdkAppId"] != APP_ID:
            return self._error("UnauthorizedOperation.SmsSdkAppIdVerifyFail")
        statuses = [await self._one(number, body, wanted) for number in numbers]
        if any(number in self.hanging for number in numbers):
            await asyncio.sleep(60)
        await asyncio.sleep(self.pause)
        return self._said(SendStatusSet=statuses)

    async def _one(self, number: str, body: dict[str, Any], wanted: int | None) -> dict[str, Any]:
        params, session = body.get("TemplateParamSet") or [], body.get("SessionContext", "")
        refusals = {
            "InvalidParameterValue.IncorrectPhoneNumber": not NUMBER.fullmatch(number),
            "FailedOperation.SignatureIncorrectOrUnapproved": body.get("SignName") not in SIGNS,
            "FailedOperation.TemplateIncorrectOrUnapproved": wanted is None,
            "InvalidParameterValue.TemplateParameterFormatError": wanted is not None and len(params) != wanted,
            self.codes.get(number, ""): number in self.codes,
        }
        code = next((code for code, holds in refusals.items() if holds), "Ok")
        serial = f"5000:{uuid.uuid4().int % 10**20}" if code == "Ok" else ""
        if code == "Ok":
            await asyncio.to_thread(
                keep, self.folder, session, json.dumps(body | {"PhoneNumberSet": [number]}).encode()
            )
            told = {"SessionContext": session} if self.tells else {}
            self.taken.append({"PhoneNumber": number, "SerialNo": serial, "UserReceiveTime": int(time.time()), **told})
        return {
            "SerialNo": serial,
            "PhoneNumber": number,
            "Fee": 1 if serial else 0,
            "SessionContext": session,
            "Code": code,
            "Message": code,
            "IsoCode": "CN",
        }

    async def _statuses(self, body: dict[str, Any]) -> Response:
        for name in ("BeginTime", "Offset", "Limit", "PhoneNumber", "SmsSdkAppId"):
            if name not in body:
                return self._error("MissingParameter")
        ends = body.get("EndTime", time.time())
        mine = [
            one | {"ReportStatus": "SUCCESS", "Description": "DELIVRD", "CountryCode": "86"}
            for one in self.taken
            if one["PhoneNumber"] == body["PhoneNumber"] and body["BeginTime"] <= one["UserReceiveTime"] <= ends + 1
        ]
        return self._said(PullSmsSendStatusSet=mine[body["Offset"] : body["Offset"] + body["Limit"]])

    def _error(self, code: str) -> JSONResponse:
        return self._said(Error={"Code": code, "Message": code})

    def _said(self, **answer: Any) -> JSONResponse:
        return JSONResponse({"Response": {**answer, "RequestId": str(uuid.uuid4())}})
