"""policy/identity.yml: which ids and addresses say that two source rows are one person, and what they may not say (R5, R6, R13).

What belongs here: the shape of the policy. What does not: the Selects that follow it (`vesper/identity/keys.py`), weights of evidence (`linkage.py`).
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from vesper.model.definition import Definition, Name, Strict
from vesper.model.linkage import ClusterSettings, Linkage, MilliBits
from vesper.problem import wrong

KeyName = Literal["card", "unionid", "openid", "crm_id", "phone", "email"]
KeyColumn = Literal["card", "unionid", "openid", "crm_id", "phone", "other_phone", "email", "email_key"]


class IdentityKey(Strict):
    """One kind of id or address."""

    strength: Literal["authority", "guarded"]
    """authority: a system gave it to one person, its rows are always one contact. guarded: people share it, so it links only while few names do."""
    columns: tuple[KeyColumn, ...] = ()
    """Columns of the record that hold it; the one of its own name where it is empty."""
    weight: MilliBits = 20_000
    """What a link by it weighs, in thousandths of a bit."""
    is_single: bool = False
    """A person has one value of it, so two values never share a contact."""


class KeyGuard(Strict):
    """When a guarded key names a place rather than a person: a switchboard, a family's phone, an office's mailbox."""

    most_names: Annotated[int, Field(ge=1)] = 3
    """Distinct names that one person's key may gather by nicknames and slips."""
    least_share_percent: Annotated[int, Field(ge=0, le=100)] = 50
    """A key with more names is still one person's if so many percent of its named rows carry the same name."""
    email_kinds: tuple[Literal["person", "role", "disposable"], ...] = ("person",)
    """Kinds of mail address that may link."""


class IdentityPolicy(Definition):
    """policy/identity.yml: keys, their guard, and the linkage that judges what keys leave open."""

    keys: Annotated[dict[KeyName, IdentityKey], Field(min_length=1)]
    """Keys by name."""
    guard: KeyGuard = KeyGuard()
    """When a guarded key does not link."""
    linkage: Name | None = None
    """The linkage that weighs evidence; without one only keys link."""
    clusters: ClusterSettings = ClusterSettings()
    """How linked rows become contacts where no linkage says it."""
    most_merged_ratio: Annotated[float, Field(gt=0, le=1)] = 0.01
    """Share of the contacts that one night may merge; more stops the gate."""

    @model_validator(mode="after")
    def _guards_what_people_share(self) -> "IdentityPolicy":
        for name in ("phone", "email"):
            key = self.keys.get(name)
            if key and key.strength == "authority":
                raise wrong("People share a {key}, so it is no authority.", "Write strength: guarded.", key=name)
        return self

    def columns_of(self, name: KeyName) -> tuple[str, ...]:
        """The columns of the record that hold a key."""
        return self.keys[name].columns or (name,)

    def deciding(self, linkage: Linkage | None) -> tuple[KeyName, ...]:
        """Keys that link by themselves. A guarded key that the linkage compares is evidence there, and decides nothing alone."""
        weighed = {field.column for field in linkage.fields.values()} if linkage else set()
        return tuple(
            name
            for name, key in self.keys.items()
            if key.strength == "authority" or not weighed.intersection(self.columns_of(name))
        )
