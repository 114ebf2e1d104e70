"""A tag: a word that describes a contact tonight, for segments, personas and people who read a profile (R26)."""

from vesper.model.segment import MemberGroup


class Tag(MemberGroup):
    """One tag."""
