"""The few pages that people see: leave, left, no such link. Each whole in itself: nothing is loaded from anywhere, and it names nobody.

What belongs here: words, their look, the headers they go out with, which language a browser asks for. What does not: deciding what is shown (`app.py`).
"""

import base64
import hashlib
from typing import Literal

from jinja2 import Environment
from starlette.responses import HTMLResponse

from vesper.language import translator

LANGUAGES = {"zh": "zh_CN", "en": "en"}
"""First part of a language tag -> language of a catalogue."""

Shown = Literal["confirm", "left", "unknown", "refused", "later"]

STYLE = (
    "body{font:1.1rem/1.6 system-ui,sans-serif;color:#1b2430;background:#f5f6f8;margin:0}"
    "main{max-width:32rem;margin:12vh auto;padding:2rem;background:#fff;border-radius:.5rem}"
    "h1{font-size:1.4rem;margin-top:0}"
    "button{font:inherit;padding:.6rem 1.4rem;border:0;border-radius:.3rem;background:#1f4e8c;color:#fff;cursor:pointer}"
)
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}
"""What goes out with every answer: the token in the address leaves for nowhere, and nothing keeps the page."""

_TEMPLATE = Environment(autoescape=True).from_string(
    '<!doctype html><html lang="{{ language }}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>{{ title }}</title><style>" + STYLE + "</style></head><body><main><h1>{{ title }}</h1><p>{{ text }}</p>"
    '{% if button %}<form method="post"><input type="hidden" name="List-Unsubscribe" value="One-Click">'
    '<input type="hidden" name="by" value="page"><button>{{ button }}</button></form>{% endif %}</main></body></html>'
)


def page(shown: Shown, company: str, language: str, status: int = 200) -> HTMLResponse:
    """One page in a language (`zh_CN` or `en`)."""
    title, text, button = _words(language)[shown]
    html = _TEMPLATE.render(
        title=title, text=text.format(company=company), button=button, language=language.replace("_", "-")
    )
    return HTMLResponse(
        html, status, {**HEADERS, "Content-Language": language.replace("_", "-"), "Vary": "Accept-Language"}
    )


def language_of(accepted: str, otherwise: str) -> str:
    """The language of ours that an Accept-Language header asks for first; the company's where it asks for neither, or for none."""
    asked = []
    for place, one in enumerate(accepted.split(",")[:20]):
        tag, _, settings = one.strip().partition(";")
        found = LANGUAGES.get(tag.strip().partition("-")[0].lower())
        if found:
            asked.append((-_quality(settings), place, found))
    return min(asked)[2] if asked else otherwise


def _quality(settings: str) -> float:
    name, _, value = settings.strip().partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0


def _words(language: str) -> dict[Shown, tuple[str, str, str]]:
    _ = translator(language)
    return {
        "confirm": (
            _("Unsubscribe?"),
            _("{company} will send you no more marketing messages here. Press the button to confirm."),
            _("Unsubscribe"),
        ),
        "left": (_("You are unsubscribed."), _("{company} will send you no more marketing messages here."), ""),
        "unknown": (
            _("There is nothing here."),
            _("This link is not one of ours, or it was cut. Use the link in the mail."),
            "",
        ),
        "refused": (_("That did not work."), _("Open the link in the mail again and press the button."), ""),
        "later": (_("That did not work yet."), _("Please press the button again in a minute."), ""),
    }
