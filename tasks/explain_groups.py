"""Tags, tiers and personas of a contact in the answer of `vesper explain` (R26, R28, R30).

What belongs here: this section's words. What does not: the Select (`vesper/explain_groups.py`) and the other sections (`explain_person.py`).
"""

from tasks.explain_asked import Asked, table
from vesper.explain_groups import groups
from vesper.model.definition import Definition
from vesper.model.persona import Persona
from vesper.model.tag import Tag
from vesper.model.tier import Tiering
from vesper.wording import figure

MODELS: dict[str, type[Definition]] = {"tags": Tag, "tiers": Tiering, "personas": Persona}


def tags_tiers_personas(asked: Asked, id: str) -> str:
    """One table; one sentence for who has none of them."""
    _ = asked._
    known = asked.definitions("measure")
    words = {"tags": _("tag"), "tiers": _("tier"), "personas": _("persona")}
    rows = []
    for row in asked.rows(groups(id)):
        definition = known.of(MODELS[row.folder]).get(row.id)
        title = definition.title(asked.language) if definition else row.id
        if isinstance(definition, Tiering):
            tier = next((one for one in definition.tiers if one.id == row.tier), None)
            title = f"{title}: {tier.title(asked.language) if tier else row.tier}"
        decided = asked.decided_by("measure", f"{row.folder}/{row.id}")
        rows.append([words[row.folder], title, row.id, row.tier or "-", figure(row.since_on), decided])
    heads = [_("kind"), _("called"), _("id"), _("tier"), _("since"), _("decided by")]
    return table(heads, rows) or _("No tag, no tier and no persona.")
