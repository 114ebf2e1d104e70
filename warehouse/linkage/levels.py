"""Levels of agreement of two values, for each kind of field, from the strongest to none.

What belongs here: SQL over a pair, with the columns of its sides ending in `_l` and `_r`. What does not: how likely a level is (`training.py`).
"""

import sqlalchemy as sa

from vesper.identity.names import HAN, is_slip
from vesper.model.linkage import FieldKind, Linkage
from warehouse.sql_text import sql_text

Levels = dict[str, str]
"""Level -> SQL condition; the first that holds is the pair's level. `missing` comes first and weighs nothing, `differs` is the rest."""

MISSING, DIFFERS, SAME, OTHER_GIVEN = "missing", "differs", "same", "other_given"
REST = "else"
UNLIKE = (DIFFERS, OTHER_GIVEN)
"""Levels at which two names are of two persons."""
NAMES = {"name", "full_name", "given_name", "surname"}
"""Kinds of field that name a person."""


def near(a: str, b: str, least: float) -> str:
    """Spelled nearly alike, in the measure of Jaro and Winkler."""
    return f"jaro_winkler_similarity({a}, {b}) >= {least}"


def slip(a: str, b: str) -> str:
    """One Chinese character apart."""
    return sql_text(is_slip(sa.literal_column(a, sa.String), sa.literal_column(b, sa.String)))


def contains(a: str, b: str) -> str:
    """One value holds the other."""
    return f"(contains({a}, {b}) or contains({b}, {a}))"


def levels(linkage: Linkage, comparison: str) -> Levels:
    """The levels of one comparison."""
    fields = linkage.comparisons[comparison]
    if len(fields) == 2:
        return _name_pair(*fields)
    (field,) = fields
    judged = BY_KIND[linkage.fields[field].kind]
    filled = {level: condition.format(f=field) for level, condition in judged.items()}
    return {MISSING: f"{field}_l is null or {field}_r is null", **filled, DIFFERS: REST}


def judged_sql(linkage: Linkage, comparison: str) -> str:
    """SQL of the level of a pair."""
    cases = levels(linkage, comparison).items()
    whens = " ".join(f"when {condition} then '{level}'" for level, condition in cases if condition != REST)
    return f"case {whens} else '{DIFFERS}' end"


def naming(linkage: Linkage) -> str | None:
    """The comparison that judges whose name it is."""
    kinds = {name: linkage.fields[fields[0]].kind for name, fields in linkage.comparisons.items()}
    return next((name for name, kind in kinds.items() if kind in NAMES), None)


def unlike_sql(linkage: Linkage, comparison: str) -> str:
    """SQL that holds where two names are of two persons."""
    named = ", ".join(f"'{level}'" for level in UNLIKE)
    return f"({judged_sql(linkage, comparison)}) in ({named})"


def _name_pair(given: str, surname: str) -> Levels:
    """Given name and surname together, so that swapped names agree."""
    sides = {"gl": f"{given}_l", "gr": f"{given}_r", "sl": f"{surname}_l", "sr": f"{surname}_r"}
    judged = {
        "same": "{gl} = {gr} and {sl} = {sr}",
        "swapped": "{gl} = {sr} and {sl} = {gr}",
        "same_and_near": "({gl} = {gr} and " + near("{sl}", "{sr}", 0.8) + ") or ({sl} = {sr} and "
        "(" + near("{gl}", "{gr}", 0.8) + " or starts_with({gl}, {gr}) or starts_with({gr}, {gl})))",
        "near": near("{gl}", "{gr}", 0.8) + " and " + near("{sl}", "{sr}", 0.8),
        "swapped_near": "("
        + near("{gl}", "{sr}", 0.85)
        + " and "
        + near("{sl}", "{gr}", 0.85)
        + ") or {gl} = {sr} or {sl} = {gr}",
        "surname_only": "{sl} = {sr}",
        "given_only": "{gl} = {gr}",
        "one_near": near("{gl}", "{gr}", 0.88) + " or " + near("{sl}", "{sr}", 0.88),
    }
    missing = "(({gl} is null or {gr} is null) and ({sl} is null or {sr} is null) and not coalesce({gl} = {sr} or {sl} = {gr}, false))"
    conditions = {MISSING: missing, **judged}
    return {level: condition.format(**sides) for level, condition in conditions.items()} | {DIFFERS: REST}


SHORT = "least(length({f}_l), length({f}_r))"
BY_KIND: dict[FieldKind, Levels] = {
    "name": {
        SAME: "{f}_l = {f}_r and length({f}_l) > 1",
        "same_sound": "{f}__sound_l = {f}__sound_r",
        "surname_only": SHORT + " = 1 and substr({f}_l, 1, 1) = substr({f}_r, 1, 1)",
        "near": "(" + slip("{f}_l", "{f}_r") + ") or (" + SHORT + " > 5 and " + near("{f}_l", "{f}_r", 0.9) + ")",
        "other_script": f"regexp_matches({{f}}_l, '{HAN}') <> regexp_matches({{f}}_r, '{HAN}')",
        OTHER_GIVEN: "substr({f}_l, 1, 1) = substr({f}_r, 1, 1) and " + SHORT + " <= 4",
    },
    "full_name": {
        SAME: "{f}_l = {f}_r",
        "reordered": "{f}__sorted_l = {f}__sorted_r",
        "two_words": "len(list_intersect({f}__tokens_l, {f}__tokens_r)) >= 2",
        "both_near": near("{f}__first_l", "{f}__first_r", 0.85) + " and " + near("{f}__last_l", "{f}__last_r", 0.85),
        "near": near("{f}_l", "{f}_r", 0.9),
        "last_and_initial": "{f}__last_l = {f}__last_r and substr({f}_l, 1, 1) = substr({f}_r, 1, 1)",
        "last_only": "{f}__last_l = {f}__last_r",
        "one_word": "len(list_intersect({f}__tokens_l, {f}__tokens_r)) >= 1",
        "one_near": near("{f}__first_l", "{f}__first_r", 0.88) + " or " + near("{f}__last_l", "{f}__last_r", 0.88),
    },
    "given_name": {SAME: "{f}_l = {f}_r", "near": near("{f}_l", "{f}_r", 0.9), "alike": near("{f}_l", "{f}_r", 0.8)},
    "surname": {SAME: "{f}_l = {f}_r", "near": near("{f}_l", "{f}_r", 0.9), "alike": near("{f}_l", "{f}_r", 0.8)},
    "date": {
        SAME: "{f}_l = {f}_r",
        "one_slip": "damerau_levenshtein({f}_l, {f}_r) <= 1",
        "two_slips": "damerau_levenshtein({f}_l, {f}_r) <= 2",
        "same_year": "substr({f}_l, 1, 4) = substr({f}_r, 1, 4)",
        "near_year": "abs(cast(substr({f}_l, 1, 4) as integer) - cast(substr({f}_r, 1, 4) as integer)) <= 10",
    },
    "text": {SAME: "{f}_l = {f}_r", "near": near("{f}_l", "{f}_r", 0.9), "alike": near("{f}_l", "{f}_r", 0.8)},
    "number": {SAME: "{f}_l = {f}_r", "one_slip": "damerau_levenshtein({f}_l, {f}_r) <= 1 and " + SHORT + " > 1"},
    "phone": {SAME: "{f}_l = {f}_r", "one_slip": "damerau_levenshtein({f}_l, {f}_r) <= 1"},
    "email": {SAME: "{f}_l = {f}_r", "near": "damerau_levenshtein({f}_l, {f}_r) <= 2"},
    "email_local": {
        SAME: "{f}_l = {f}_r",
        "same_local": "{f}__local_l = {f}__local_r",
        "near": "damerau_levenshtein({f}_l, {f}_r) <= 2",
        "alike": near("{f}__local_l", "{f}__local_r", 0.88),
    },
    "company": {SAME: "{f}_l = {f}_r", "near": contains("{f}_l", "{f}_r") + " or " + near("{f}_l", "{f}_r", 0.93)},
    "city": {SAME: "{f}_l = {f}_r"},
    "postcode": {
        SAME: "{f}_l = {f}_r",
        "one_slip": "damerau_levenshtein({f}_l, {f}_r) <= 1",
        "outward": "{f}__outward_l = {f}__outward_r",
    },
    "category": {SAME: "{f}_l = {f}_r"},
}
"""Kind -> its levels between missing and differs."""
