"""WeCom's messages to customers as the documents describe them (developer.work.weixin.qq.com 92135, 93338): a task, which an employee confirms."""

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

CORP_ID, SECRET = "ww0000000000000001", "wecom-secret-0001"
EMPLOYEES = ("anna", "bo")
BASE = "/cgi-bin/externalcontact/"


class Fake:
    """One company. `customers` have an employee each; `hangs`: calls that are taken and not answered."""

    def __init__(self, folder: Path, pause: float = 0.0) -> None:
        self.folder, self.pause = folder, pause
        self.customers = {f"wm{n:04}": EMPLOYEES[n % 2] for n in range(100)}
        self.hangs = 0
        self.token, self.fetched = "", 0
        self.tasks: dict[str, dict[str, Any]] = {}
        answers = {
            "add_msg_template": self._add,
            "get_groupmsg_list_v2": self._list,
            "get_groupmsg_task": self._task,
            "get_groupmsg_send_result": self._result,
        }
        routes = [Route(BASE + name, answer, methods=["POST"]) for name, answer in answers.items()]
        self.app = Starlette(routes=[Route("/cgi-bin/gettoken", self._gettoken), *routes])

    def confirm(self, employee: str, status: int = 1) -> None:
        """An employee sends what was asked of them; 2 and 3 are customers whom it does not reach."""
        for task in self.tasks.values():
            task["status"] |= {one: status for one in task["status"] if self.customers[one] == employee}

    async def _gettoken(self, request: Request) -> Response:
        if (request.query_params.get("corpid"), request.query_params.get("corpsecret")) != (CORP_ID, SECRET):
            return _said(40001)
        self.fetched += 1
        self.token = self.token or uuid.uuid4().hex
        return JSONResponse({"errcode": 0, "errmsg": "ok", "access_token": self.token, "expires_in": 7200})

    async def _add(self, request: Request) -> Response:
        body = await self._body(request)
        if not body:
            return _said(40014)
        wanted = body["external_userid"]
        if not 1 <= len(wanted) <= 10_000:
            return _said(40058)
        msgid = f"msg{len(self.tasks):04}"
        known = [one for one in wanted if one in self.customers]
        self.tasks[msgid] = {
            "status": dict.fromkeys(known, 0),
            "text": body["text"],
            "create_time": int(time.time()),
        }
        await asyncio.to_thread(keep, self.folder, msgid, json.dumps(body).encode())
        if self.hangs:
            self.hangs -= 1
            await asyncio.sleep(60)
        return _said(0, msgid=msgid, fail_list=[one for one in wanted if one not in self.customers])

    async def _list(self, request: Request) -> Response:
        body = await self._body(request)
        if not body:
            return _said(40014)
        listed = [
            {
                "msgid": msgid,
                "creator": "anna",
                "create_time": task["create_time"],
                "create_type": 0,
                "text": task["text"],
            }
            for msgid, task in self.tasks.items()
            if body["start_time"] <= task["create_time"] <= body["end_time"]
        ]
        return _page(listed, body, "group_msg_list")

    async def _task(self, request: Request) -> Response:
        body = await self._body(request)
        if not body or body["msgid"] not in self.tasks:
            return _said(40014 if not body else 41063)
        asked = sorted({self.customers[one] for one in self.tasks[body["msgid"]]["status"]})
        return _page([{"userid": one, "status": 0} for one in asked], body, "task_list")

    async def _result(self, request: Request) -> Response:
        body = await self._body(request)
        if not body or body["msgid"] not in self.tasks:
            return _said(40014 if not body else 41063)
        mine = [
            {"external_userid": one, "userid": body["userid"], "status": status}
            for one, status in self.tasks[body["msgid"]]["status"].items()
            if self.customers[one] == body["userid"]
        ]
        return _page(mine, body, "send_list")

    async def _body(self, request: Request) -> dict[str, Any]:
        """The body; nothing where the token is not one."""
        given = request.query_params.get("access_token", "")
        body: dict[str, Any] = await request.json()
        return body if given and given == self.token else {}


def _page(entries: list[dict[str, Any]], body: dict[str, Any], key: str) -> JSONResponse:
    """Two entries of a page, whatever was asked for: readers must follow the cursor."""
    start = int(body.get("cursor") or 0)
    more = {"next_cursor": str(start + 2)} if start + 2 < len(entries) else {}
    return _said(0, **{key: entries[start : start + 2]}, **more)


def _said(code: int, **more: Any) -> JSONResponse:
    return JSONResponse({"errcode": code, "errmsg": "ok" if code == 0 else "refused", **more})
