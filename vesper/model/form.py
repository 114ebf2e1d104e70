"""A form that people fill in: what it asks, what they agree to, where it may stand (R17, R74, R88).

What belongs here: the shape. What does not: reading a post (`vesper/form.py`), the web (`intake/form.py`).
"""

from collections.abc import Mapping
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from vesper.model.definition import Definition, Name, Strict, Text, Wording
from vesper.problem import wrong

Asked = Literal["name", "phone", "email", "company", "job_title", "province", "city", "need"]
"""What a form may ask: what the night takes in of a person (`sources/vesper_form.yml`)."""
REACHED_BY = ("email", "phone")


class FormField(Strict):
    """One thing that a form asks."""

    required: bool = False
    """Whether the form is refused without it."""
    longest: Annotated[int, Field(ge=1, le=2000)] = 200
    """Characters that it may have."""
    allowed: tuple[Text, ...] = ()
    """The only answers, where there are few."""


class FormConsent(Strict):
    """What somebody agrees to by ticking the box `consent`."""

    version: Text
    """Version of the words, e.g. 2026-11; it is kept with every consent as its evidence. New words need a new version."""
    text: Wording
    """The words beside the box."""
    channels: Annotated[tuple[Literal["email", "sms"], ...], Field(min_length=1)]
    """Channels on which marketing is agreed to."""


class Form(Definition):
    """forms/ID.yml: a form at /f/ID of the web app."""

    fields: Annotated[Mapping[Asked, FormField], Field(min_length=1)]
    """What it asks."""
    consent: FormConsent | None = None
    """What the box `consent` means; without it a form grants nothing."""
    series: Text | None = None
    """Campaign series that it belongs to (R71)."""
    content: Name | None = None
    """What is asked for, e.g. a paper: `content_id` of its event, by which journeys tell forms apart."""
    redirect: Text | None = None
    """Page that a browser is led to afterwards; without it the answer is JSON."""
    origins: tuple[Text, ...] = ()
    """Web sites that may post it by script or carry it, e.g. https://www.example.com."""
    least_seconds: Annotated[int, Field(ge=0, le=60)] = 2
    """Nobody fills it in faster; what comes sooner is refused. 0 for forms that a server posts, which then needs no token of ours."""
    trap: Name = "website"
    """A field that people do not see. Whoever fills it in is a machine."""

    @field_validator("redirect")
    @classmethod
    def _leads_to_a_page(cls, value: str | None) -> str | None:
        if value is not None and (urlsplit(value).scheme not in ("https", "http") or not urlsplit(value).hostname):
            raise wrong("{address} is no page.", "Write a whole address, with https://.", address=value)
        return value

    @field_validator("origins")
    @classmethod
    def _are_origins(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            parts = urlsplit(value)
            if parts.scheme not in ("https", "http") or not parts.hostname or parts.path or parts.query:
                what = "{address} is no web site as a browser names it."
                raise wrong(what, "Write scheme and host, with nothing behind: https://www.example.com.", address=value)
        return values

    @model_validator(mode="after")
    def _somebody_can_be_reached(self) -> "Form":
        if not any(name in self.fields for name in REACHED_BY):
            raise wrong("Nobody could be found by this form again.", "Ask for email, for phone, or for both.")
        if self.trap in self.fields:
            raise wrong("The trap {word} is a field that the form asks.", "Give the trap another name.", word=self.trap)
        return self
