"""Forms: GET /f/ID gives what a page needs to show it, POST /f/ID keeps what somebody filled in (R17, R74, R88).

What belongs here: the endpoint. What does not: the contract (`vesper/form.py`), what follows (`tasks/tick.py`).

A form that people fill in carries a token from GET: it says when the page was made, so that what comes too fast is told apart, and is the form's
own id, so that what is posted twice is kept once. A form that a server posts (`least_seconds: 0`) may bring an id of its own as `token`.
Nothing is answered with success before it is committed.
"""

import json
import re
import secrets
import time
from collections.abc import Mapping
from typing import Any

import anyio.to_thread
import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from intake.body import BodyRefused, body_of, fields_of
from intake.desk import Desk, agent_of, closing
from intake.gather import TooMany
from intake.page import HEADERS
from vesper.clock import now
from vesper.form import Filled, filled
from vesper.language import translator
from vesper.model.form import Form
from vesper.token import BETWEEN, sign, verify
from warehouse.ledger.inbox import Arrival

MOST_BYTES = 32 * 1024
GOOD_FOR_SECONDS = 24 * 3600
SUBMITTED = "form_submitted"
TOKEN = "token"
_OWN_TOKEN = re.compile(r"[A-Za-z0-9_.:-]{8,100}")


class Refused(Exception):
    """A post that is no form: a status and a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Forms:
    """GET, POST and OPTIONS of /f/{form}."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    async def __call__(self, request: Request) -> Response:
        form = await anyio.to_thread.run_sync(self.desk.known.of, Form, request.path_params["form"])
        if form is None:
            return self.desk.page(request, "unknown", 404)
        headers = self._allowing(request, form)
        if headers is None:
            return closing(self._wrong(request, 403, _("This form may not be posted from there."), {}))
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={**HEADERS, **headers})
        if request.method in ("GET", "HEAD"):
            return JSONResponse(self._shown(request, form), headers={**HEADERS, **headers})
        try:
            return await self._posted(request, form, headers)
        except BodyRefused as refused:
            return closing(self._wrong(request, refused.status, _("That did not work."), headers))
        except Refused as refused:
            return self._wrong(request, refused.status, str(refused), headers)
        except (sa.exc.DBAPIError, TooMany) as error:
            answer = self.desk.later(request, "a form", error)
            answer.headers.update(headers)
            return answer

    def _allowing(self, request: Request, form: Form) -> Mapping[str, str] | None:
        """The headers that let a web site read the answer (CORS); None for one that may not post it. Servers name no origin."""
        origin = request.headers.get("origin")
        own = self.desk.house.workspace.intake.address
        if origin is None or (own and origin == own):
            return {}
        if origin not in form.origins:
            return None
        return {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Methods": "GET, POST",
            "Access-Control-Allow-Headers": "Content-Type",
            "Access-Control-Max-Age": "600",
            "Vary": "Origin, Accept-Language",
        }

    def _shown(self, request: Request, form: Form) -> dict[str, Any]:
        """What a page needs to show the form."""
        language, made_at = self.desk.language(request), int(time.time())
        fields = {name: asked.model_dump(mode="json") for name, asked in form.fields.items()}
        said = form.consent
        return {
            "form": form.id,
            "token": sign(self.desk.keys, "form", BETWEEN.join((form.id, str(made_at), secrets.token_hex(8)))),
            "fields": fields,
            "trap": form.trap,
            "consent": {"version": said.version, "text": said.text.of(language)} if said else None,
        }

    async def _posted(self, request: Request, form: Form, headers: Mapping[str, str]) -> Response:
        posted = _fields(await body_of(request, MOST_BYTES), request.headers.get("content-type", ""))
        found = filled(form, posted, translator(self.desk.language(request)))
        id = self._id(request, form, posted.get(TOKEN, ""), found)
        if found.wrong and not found.is_trapped:
            return JSONResponse({"ok": False, "wrong": dict(found.wrong)}, 422, {**HEADERS, **headers})
        await self.desk.gatherer.keep(_arrival(request, form, id, found))
        if form.redirect and "application/json" not in request.headers.get("accept", ""):
            return RedirectResponse(form.redirect, 303, headers)
        return JSONResponse({"ok": True}, headers={**HEADERS, **headers})

    def _id(self, request: Request, form: Form, token: str, found: Filled) -> str:
        """What makes two posts the same. Raises Refused for a token that is none, is old, or comes too soon."""
        told = verify(self.desk.keys, "form", token)
        say = translator(self.desk.language(request))
        if told is None:
            if form.least_seconds == 0 and (not token or _OWN_TOKEN.fullmatch(token)):
                return f"own:{token}" if token else f"none:{secrets.token_hex(16)}"
            raise Refused(422, say("This page is too old or not complete. Load it again and send it once more."))
        of, made_at, id = [*told.split(BETWEEN), "", "", ""][:3]
        age = time.time() - (int(made_at) if made_at.isdigit() else 0)
        if of != form.id or age > GOOD_FOR_SECONDS:
            raise Refused(422, say("This page is too old or not complete. Load it again and send it once more."))
        if age < form.least_seconds and not found.is_trapped:
            raise Refused(422, say("That was very fast. Please wait a moment and send it once more."))
        return id

    def _wrong(self, request: Request, status: int, sentence: str, headers: Mapping[str, str]) -> Response:
        said = translator(self.desk.language(request))(sentence)
        return JSONResponse({"ok": False, "error": said}, status, {**HEADERS, **headers})


def _(text: str) -> str:
    """Marks a message id; it is translated when the answer is made."""
    return text


def _arrival(request: Request, form: Form, id: str, found: Filled) -> Arrival:
    """The row. What a trapped machine said is kept apart from what people say: nobody is made a contact by it, and nothing follows."""
    said: dict[str, Any] = {**found.said, "agent": agent_of(request)}
    if found.is_trapped:
        said = {"is_machine": True, "machine": "trap", "said": dict(found.said), "agent": said["agent"]}
    return Arrival(f"form:{form.id}", id, SUBMITTED, now(), said)


def _fields(body: bytes, content_type: str) -> Mapping[str, str]:
    """Name -> text, of the encodings that a browser's form has and of flat JSON. Raises Refused for anything else."""
    if content_type.partition(";")[0].strip().lower() != "application/json":
        return fields_of(body, content_type)
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(400, _("The body is no JSON.")) from None
    if not isinstance(told, dict):
        raise Refused(422, _("The body is no JSON object of texts."))
    return {name: _text(value) for name, value in told.items() if isinstance(value, str | int | float | bool)}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
