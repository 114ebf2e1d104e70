"""Filling a campaign's content for one person: Jinja in a sandbox, both parts of the mail, nothing personal in an error.

What belongs here: subject, plain text and HTML of one message. What does not: the model of a content (`model/content.py`), MIME and
headers (`connectors/channels/smtp.py`), the choice of a content.
"""

import html
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from vesper.said import Said

AD_PREFIXES = ("广告", "AD")
# Values are escaped where HTML is made, and there together with the text around them: a content is plain text.
_ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=False)


class ContentError(Said):
    """A content that cannot be filled; its sentence names no person."""


@dataclass(frozen=True)
class Rendered:
    """One message, filled. `html` says the same as `text`."""

    subject: str
    text: str
    html: str


def render(
    subject: str, text: str, words: Mapping[str, str], *, language: str, is_marketing: bool, where: str
) -> Rendered:
    """Fill subject and text with a person's words; `where` names the content in an error.

    Chinese marketing carries 广告 or AD at the head of its subject, as the rules for mail demand (31号令 article 13).

    Raises:
        ContentError: an unknown word, forbidden syntax, or a subject that became empty.
    """
    line = " ".join(_fill(subject, words, where).split())
    if not line:
        raise ContentError(
            "{where}: the subject is empty once it is filled. Write words that do not depend on the person.",
            where=where,
        )
    if is_marketing and language == "zh_CN" and not line.startswith(AD_PREFIXES):
        line = f"{AD_PREFIXES[0]}：{line}"
    filled = _fill(text, words, where)
    return Rendered(line, filled, as_html(filled, language, links=(words.get("unsubscribe_url", ""),)))


def as_html(text: str, language: str, links: tuple[str, ...] = ()) -> str:
    """Plain text as HTML: everything escaped, blank lines between paragraphs, the given addresses as links."""
    escaped = html.escape(text.strip())
    for link in filter(None, links):
        target = html.escape(link)
        escaped = escaped.replace(target, f'<a href="{target}">{target}</a>')
    paragraphs = "\n".join(f"<p>{part.strip()}</p>" for part in escaped.replace("\r", "").split("\n\n") if part.strip())
    body = paragraphs.replace("\n", "<br>\n").replace("</p><br>\n", "</p>\n")
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    return f'<!doctype html>\n<html lang="{language.replace("_", "-")}"><head>{head}</head><body>\n{body}\n</body></html>\n'


def _fill(template: str, words: Mapping[str, str], where: str) -> str:
    try:
        return _compiled(template).render(words)
    except TemplateError as error:
        reason = _masked(str(error.message or error), words)
    except Exception as error:  # a template may do anything
        reason = type(error).__name__
    raise ContentError("{where}: the template cannot be filled ({reason}). Correct it.", where=where, reason=reason)


def _masked(sentence: str, words: Mapping[str, str]) -> str:
    for value in sorted(filter(None, words.values()), key=len, reverse=True):
        sentence = sentence.replace(value, "**")
    return sentence.rstrip(".")


@lru_cache(maxsize=256)
def _compiled(template: str) -> Template:
    return _ENVIRONMENT.from_string(template)
