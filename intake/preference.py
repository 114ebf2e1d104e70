"""The preference page, /p/{token}: how somebody wants to be written to, and that it should stop. In Chinese and in English (R90, rule C9).

What belongs here: the endpoint and its page. What does not: what is kept (`warehouse/ledger/preference.py`). GET changes nothing, whoever fetches
it; nobody logs in, and the page names nobody.
"""

from collections.abc import Mapping

import anyio.to_thread
import sqlalchemy as sa
from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from intake.body import BodyRefused, body_of, fields_of
from intake.desk import Desk, closing
from intake.page import HEADERS, STYLE
from vesper.clock import now
from vesper.language import translator
from vesper.token import verify
from warehouse.ledger.preference import Preferences, keep_preferences, leave_everything, preferences_of

CHANNELS = ("email", "sms")
"""Channels that somebody may prefer here."""

_TEMPLATE = Environment(autoescape=True).from_string(
    '<!doctype html><html lang="{{ language }}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>{{ said.title }}</title><style>" + STYLE + "</style></head><body><main><h1>{{ said.title }}</h1>"
    "{% if is_kept %}<p><strong>{{ said.kept }}</strong></p>{% endif %}"
    '<form method="post"><input type="hidden" name="do" value="save">'
    '<p><label><input type="checkbox" name="personalisation" value="on"{% if held.is_personalised %} checked{% endif %}> '
    "{{ said.personalisation }}</label></p><p>{{ said.channel }}</p>"
    '{% for name in channels %}<p><label><input type="radio" name="channel" value="{{ name }}"{% if held.channel == name %} checked{% endif %}> '
    "{{ said[name] }}</label></p>{% endfor %}<button>{{ said.save }}</button></form><hr>"
    '<form method="post"><input type="hidden" name="do" value="stop"><p>{{ said.stop_text }}</p><button>{{ said.stop }}</button></form>'
    "</main></body></html>"
)


class PreferencePage:
    """GET, HEAD and POST of /p/{token}."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    async def __call__(self, request: Request) -> Response:
        message_id = verify(self.desk.keys, "preference", request.path_params["token"])
        if message_id is None:
            return self.desk.page(request, "unknown", 404)
        try:
            if request.method != "POST":
                return await self._shown(request, message_id)
            fields = fields_of(await body_of(request), request.headers.get("content-type", ""))
            return await self._kept(request, message_id, fields)
        except BodyRefused as refused:
            return closing(self.desk.page(request, "refused", refused.status))
        except sa.exc.DBAPIError as error:
            return self.desk.later(request, "a preference", error)

    async def _kept(self, request: Request, message_id: str, fields: Mapping[str, str]) -> Response:
        """Committed before it is answered."""
        if fields.get("do") == "stop":
            known = await anyio.to_thread.run_sync(self._stop, message_id, limiter=self.desk.writers)
            return self.desk.page(request, "left" if known else "unknown", 200 if known else 404)
        channel = fields.get("channel", "")
        if fields.get("do") != "save" or channel not in ("", *CHANNELS):
            return self.desk.page(request, "refused", 400)
        wanted = Preferences(fields.get("personalisation") == "on", channel)
        await anyio.to_thread.run_sync(self._save, message_id, wanted, limiter=self.desk.writers)
        return await self._shown(request, message_id, is_kept=True)

    def _stop(self, message_id: str) -> bool:
        return leave_everything(self.desk.house.engine, message_id, now(), self.desk.recorded_on)

    def _save(self, message_id: str, wanted: Preferences) -> bool:
        return keep_preferences(self.desk.house.engine, message_id, wanted, now(), self.desk.recorded_on)

    async def _shown(self, request: Request, message_id: str, is_kept: bool = False) -> Response:
        held = await anyio.to_thread.run_sync(preferences_of, self.desk.house.engine, message_id)
        if held is None:
            return self.desk.page(request, "unknown", 404)
        language = self.desk.language(request)
        said = _words(language, self.desk.house.workspace.company.name)
        html = _TEMPLATE.render(
            said=said, held=held, is_kept=is_kept, channels=CHANNELS, language=language.replace("_", "-")
        )
        more = {"Content-Language": language.replace("_", "-"), "Vary": "Accept-Language"}
        return HTMLResponse(html, headers={**HEADERS, **more})


def _words(language: str, company: str) -> Mapping[str, str]:
    _ = translator(language)
    return {
        "title": _("How should we write to you?"),
        "kept": _("Your choice is kept."),
        "personalisation": _("{company} may choose what it writes to me by what I bought and read.").format(
            company=company
        ),
        "channel": _("I would rather hear from you by:"),
        "email": _("email message"),
        "sms": _("text message"),
        "save": _("Keep"),
        "stop_text": _("No more marketing messages from {company}, wherever they come.").format(company=company),
        "stop": _("Stop everything"),
    }
