"""Reading what was posted to a form: what is said, or what is wrong with it, in words for the person (R17).

What belongs here: the contract of one form. What does not: tokens and the web (`intake/form.py`), cleaning names and numbers (the night does, as it
does for every source).
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vesper.language import Translate
from vesper.model.form import REACHED_BY, Form, FormField

YES = frozenset({"on", "1", "true", "yes", "y", "是", "同意"})
CONSENT = "consent"
_EMAIL = re.compile(r"[^@\s<>,;]{1,64}@[^@\s<>,;]+\.[^@\s<>,;.]{2,}")
_DIGIT = re.compile(r"\d")
LEAST_DIGITS, MOST_DIGITS = 6, 20


@dataclass(frozen=True)
class Filled:
    """A form as it was filled in: the words of the inbox's payload, or a sentence for each field that is wrong."""

    said: Mapping[str, Any] = field(default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)
    is_trapped: bool = False


def filled(form: Form, posted: Mapping[str, str], _: Translate) -> Filled:
    """What was posted, judged by the form's contract. Fields that the form does not ask are left aside."""
    answers = {str(name): _cleaned(posted.get(name, "")) for name in form.fields}
    wrong: dict[str, str] = {
        name: words for name, asked in form.fields.items() if (words := _fault(name, answers[name], asked, _))
    }
    if not wrong and not any(answers.get(name) for name in REACHED_BY):
        name = next(name for name in REACHED_BY if name in form.fields)
        wrong[name] = _("Please tell us how we can reach you.")
    said: dict[str, Any] = {name: value for name, value in answers.items() if value}
    if form.consent is not None and _cleaned(posted.get(CONSENT, "")).lower() in YES:
        said |= {f"consent_{channel}": True for channel in form.consent.channels}
        said["consent_text"] = form.consent.version
    about = {"series_id": form.series, "content_id": form.content}
    said |= {name: value for name, value in about.items() if value}
    return Filled(said, wrong, bool(posted.get(form.trap, "").strip()))


def _fault(name: str, value: str, asked: FormField, _: Translate) -> str:
    """What is wrong with one answer; empty where nothing is."""
    if not value:
        return _("Please fill this in.") if asked.required else ""
    if len(value) > asked.longest:
        return _("This is too long; {most} characters are the most.").format(most=asked.longest)
    if asked.allowed and value not in asked.allowed:
        return _("Please choose one of these: {words}.").format(words=", ".join(asked.allowed))
    if name == "email" and not _EMAIL.fullmatch(value):
        return _("This is no mail address; one looks like name@example.com.")
    if name == "phone" and not LEAST_DIGITS <= len(_DIGIT.findall(value)) <= MOST_DIGITS:
        return _("This is no telephone number.")
    return ""


def _cleaned(value: str) -> str:
    """One line without what no person types: control letters, halves of letters that no text can hold."""
    kept = "".join(" " if unicodedata.category(letter) in ("Cc", "Cs", "Co") else letter for letter in value)
    return " ".join(kept.split())
