"""What a field of each kind is made of: its value as it is compared, and the parts that blocking and comparisons use.

What belongs here: SQL of single values. What does not: SQL over pairs (`levels.py`, `blocking.py`).
"""

from collections.abc import Iterable

from vesper.model.linkage import Linkage

SOUNDS = "linkage_sound"
"""Table of names and their sounds (`sounds.py`)."""

WORDS = r"nullif(trim(regexp_replace(lower(strip_accents({v})), '[^\p{{L}}\p{{N}}]+', ' ', 'g')), '')"
PLAIN = "nullif(lower(trim({v})), '')"
DIGITS = "case when length(regexp_replace({v}, '[^0-9]', '', 'g')) = 8 then regexp_replace({v}, '[^0-9]', '', 'g') end"

VALUES = {
    "name": PLAIN,
    "full_name": WORDS,
    "given_name": WORDS,
    "surname": WORDS,
    "date": DIGITS,
    "text": WORDS,
    "number": PLAIN,
    "phone": PLAIN,
    "email": PLAIN,
    "email_local": PLAIN,
    "company": PLAIN,
    "city": PLAIN,
    "postcode": PLAIN,
    "category": PLAIN,
}
"""Kind -> the value as it is compared, from the column `{v}`."""
CLEANED = {"name_key", "phone", "other_phone", "email_key", "company_key"}
"""Columns of core__source_record that cleaning leaves in lower case, without blanks around and never empty: they are compared as they are."""

SORTED = "array_to_string(list_sort(list_distinct(string_split({v}, ' '))), ' ')"
START = "substr({v}, 1, 3)"
NAME_PARTS = {"start": START, "initial": "substr({v}, 1, 1)"}
MAIL_PARTS = {"local": "split_part({v}, '@', 1)", "tail": "right(split_part({v}, '@', 1), 6)"}
PARTS = {
    "name": {"sound": "said_{v}.sound", "family": "substr({v}, 1, 1)"},
    "full_name": {
        "tokens": "list_sort(list_distinct(list_filter(string_split({v}, ' '), lambda word: length(word) > 1)))",
        "sorted": SORTED,
        "first": "split_part({v}, ' ', 1)",
        "last": "split_part({v}, ' ', -1)",
        "first_start": "substr({v}, 1, 3)",
        "last_start": "substr(split_part({v}, ' ', -1), 1, 3)",
    },
    "given_name": NAME_PARTS,
    "surname": NAME_PARTS,
    "date": {
        "year": "substr({v}, 1, 4)",
        "month_day": "substr({v}, 5, 4)",
        "year_month": "substr({v}, 1, 6)",
        "year_day": "substr({v}, 1, 4) || substr({v}, 7, 2)",
    },
    "postcode": {"outward": "split_part({v}, ' ', 1)"},
    "phone": {"head": "substr({v}, 1, length({v}) - 4)", "tail": "right({v}, 7)"},
    "email": MAIL_PARTS,
    "email_local": MAIL_PARTS,
    "text": {"start": START, "first": "split_part({v}, ' ', 1)"},
    "company": {"start": "substr({v}, 1, 4)"},
}
"""Kind -> part -> its SQL from the value `{v}`."""

LISTS = {"tokens"}
"""Parts that hold several values; a rule holds when one of them is shared."""
COMPARED = {
    "full_name": ("tokens", "sorted", "first", "last"),
    "name": ("sound",),
    "email_local": ("local",),
    "postcode": ("outward",),
}
"""Parts that comparisons of a kind read."""


def column(part: str) -> str:
    """The column that holds a part such as `birth.year`."""
    return part.replace(".", "__")


def is_list(part: str) -> bool:
    """Whether a part holds several values."""
    return part.partition(".")[2] in LISTS


def _used(linkage: Linkage) -> Iterable[str]:
    rules = (*linkage.blocking, *linkage.training, *linkage.certain.rules)
    yield from (side for rule in rules for part in rule for side in part.split("="))
    for name, field in linkage.fields.items():
        yield from (f"{name}.{part}" for part in COMPARED.get(field.kind, ()))


def prepared_sql(linkage: Linkage, records: str, identifier: str) -> str:
    """SQL of the records as they are compared: `id` counts from 1 in the order of the record's name.

    Raises LookupError for a part that a field of its kind does not have.
    """
    values = ", ".join(f"{compared_sql(linkage, name)} as {name}" for name in linkage.fields)
    parts = sorted({part for part in _used(linkage) if "." in part})
    derived = "".join(f", {_part_sql(linkage, part)} as {column(part)}" for part in parts)
    numbered = f'cast(row_number() over (order by "{identifier}") as integer) as id, "{identifier}" as record'
    inner = f"select {numbered}, {values} from {records}"
    said = " ".join(f"left join {SOUNDS} said_{name} on said_{name}.name = valued.{name}" for name in spoken(linkage))
    return f"select valued.*{derived} from ({inner}) as valued {said}"


def value_sql(linkage: Linkage, part: str) -> str:
    """SQL of a field's value, or of a part of it that needs no other table, from the column of a record."""
    name, _, wanted = part.partition(".")
    value = f"({compared_sql(linkage, name)})"
    return f"nullif({_template(linkage, part).format(v=value)}, '')" if wanted else value


def compared_sql(linkage: Linkage, name: str) -> str:
    """SQL of a field's value as it is compared, from the column of a record."""
    field = linkage.fields[name]
    held = f'cast("{field.column}" as varchar)'
    is_as_compared = field.column in CLEANED and VALUES[field.kind] == PLAIN
    return held if is_as_compared else VALUES[field.kind].format(v=held)


def spoken(linkage: Linkage) -> tuple[str, ...]:
    """Fields that are compared by their sound too."""
    return tuple(name for name, field in linkage.fields.items() if field.kind == "name")


def _part_sql(linkage: Linkage, part: str) -> str:
    name, _, wanted = part.partition(".")
    template = _template(linkage, part)
    return f"nullif({template.format(v=name)}, '')" if wanted not in LISTS else template.format(v=name)


def _template(linkage: Linkage, part: str) -> str:
    name, _, wanted = part.partition(".")
    kind = linkage.fields[name].kind
    template = PARTS.get(kind, {}).get(wanted)
    if template is None:
        raise LookupError(
            f"{part}: a field of kind {kind} has the parts {', '.join(PARTS.get(kind, {})) or 'none'}, not {wanted}."
        )
    return template
