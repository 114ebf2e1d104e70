"""Survivorship: which of several values of one field stays in the golden record. One file, `definitions/policy/survivorship.yml`.

What belongs here: the order of preferences by field. What does not: how a preference is read from rows (`vesper/consolidate/survivorship.py`),
who is one person (`identity.py`), consent, where the most restrictive statement always wins and nothing can be preferred.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from vesper.model.definition import Definition, Name, Strict
from vesper.problem import wrong

Preference = Literal["verified", "complete", "stated", "trusted", "frequent", "longest", "recent"]
ContactPart = Literal["card", "name", "phone", "email", "region", "company", "job_title", "gender", "birth_on", "owner"]
CompanyPart = Literal["name", "domain", "industry", "region", "employee_count", "parent", "role"]

FITTING: dict[str, frozenset[str]] = {
    "verified": frozenset({"phone", "email"}),
    "complete": frozenset({"name", "region"}),
}
"""Preferences that only some parts can be judged by; the others fit every part."""


class FieldRule(Strict):
    """How one field's values are ranked. A pin of a steward stands above every rule, and a value always above none."""

    prefer: Annotated[tuple[Preference, ...], Field(min_length=1)]
    """Preferences, the first one that tells two values apart decides. `verified`: reaches the person, a mobile number before a landline, a
    personal mailbox before that of a role. `complete`: a whole name, a city before a province alone. `stated`: said of the thing itself before
    what was derived, such as a region from a phone's prefix. `trusted`: the source's trust. `frequent`: named by more rows. `longest`: more
    letters. `recent`: changed last; it tells any two rows apart, and always ends the list."""
    sources: Annotated[tuple[Name, ...], Field(max_length=100)] = ()
    """Sources in the order of their trust for this field; those that are not listed follow by their own trust."""

    @model_validator(mode="after")
    def _each_can_decide(self) -> "FieldRule":
        if len(set(self.prefer)) < len(self.prefer):
            raise wrong("A preference is listed twice.", "Keep the first.")
        if "recent" in self.prefer[:-1]:
            raise wrong("Nothing after `recent` can decide, for it tells any two rows apart.", "Write `recent` last.")
        if self.sources and "trusted" not in self.prefer:
            raise wrong("`sources` orders trust, and `trusted` is not preferred.", "Add `trusted` or drop `sources`.")
        return self


class SurvivorshipPolicy(Definition):
    """policy/survivorship.yml: which value of a field survives, for contacts and for companies (R1, R14, R117)."""

    contact: dict[ContactPart, FieldRule] = {}
    """Part of core__contact -> its rule. Province and city survive together as `region`."""
    company: dict[CompanyPart, FieldRule] = {}
    """Part of core__company -> its rule."""
    otherwise: FieldRule = FieldRule(prefer=("trusted", "recent"))
    """Rule of every part that is not named."""

    @model_validator(mode="after")
    def _preferences_fit(self) -> "SurvivorshipPolicy":
        for part, rule in [*self.contact.items(), *self.company.items()]:
            for preference in rule.prefer:
                if part not in FITTING.get(preference, {part}):
                    raise wrong(
                        "A {part} cannot be judged by `{preference}`.",
                        "Drop it; it fits {parts}.",
                        part=part,
                        preference=preference,
                        parts=", ".join(sorted(FITTING[preference])),
                    )
        return self

    def rule(self, kind: Literal["contact", "company"], part: str) -> FieldRule:
        """The rule of a part; `otherwise` where the policy does not name it."""
        named: Mapping[Any, FieldRule] = self.contact if kind == "contact" else self.company
        return named.get(part, self.otherwise)
