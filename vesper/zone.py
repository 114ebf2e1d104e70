"""Where a person's clock stands, as far as anything tells: from the province, else from the country of the phone number (R82).

What belongs here: possible zones of a contact as SQL, and the zones that a message must suit. What does not: windows and quiet hours
(`send_limits.py`).

`message.zone` is the name of a zone, or a calling code such as +1 where its countries have several: then a message suits every one of them.
"""

from functools import cache

import sqlalchemy as sa

from vesper.definition_set import DefinitionSet
from vesper.model.policy import FrequencyPolicy
from vesper.tables.contact import CONTACT

CHINA = "Asia/Shanghai"
"""Provinces in core__contact are those of China; all of them, Hong Kong, Macau and Taiwan too, keep one clock."""
CODE_LENGTHS = (1, 2, 3)
"""Digits of a calling code. None is the beginning of another, so a number has one at most (E.164)."""
Text = sa.ColumnElement[str]


def zone_of() -> Text:
    """SQL over core__contact: the zone of a contact, or the calling code of a country with several; NULL where nothing tells."""
    return sa.case((CONTACT.c.province.is_not(None), sa.literal(CHINA)), else_=_zone_of_phone(CONTACT.c.phone))


def every_zone() -> list[str]:
    """Every text that `zone_of` can give."""
    return sorted({CHINA, *_zone_by_code().values()})


def zones_of(zone: str | None, definitions: DefinitionSet, company_zone: str) -> tuple[str, ...]:
    """The zones that a message must suit.

    What is known of the person, narrowed to the company's markets where they share a zone. Of somebody of whom nothing is known: all of the
    company's markets, its own zone where it names none.
    """
    policy = definitions.of(FrequencyPolicy).get("frequency")
    markets = policy.zones if policy else ()
    if not zone:
        return markets or (company_zone,)
    possible = _zones(zone[1:]) if zone.startswith("+") else (zone,)
    return tuple(name for name in possible if name in markets) or possible


def _zone_of_phone(phone: sa.ColumnElement[str]) -> Text:
    """SQL: the zone of an E.164 number's country, its calling code where it has several."""
    by_length: dict[int, dict[str, str]] = {length: {} for length in CODE_LENGTHS}
    for code, zone in _zone_by_code().items():
        by_length[len(code)][code] = zone
    found = [
        sa.case(zones, value=sa.func.substr(phone, 2, length, type_=sa.String)) for length, zones in by_length.items()
    ]
    return sa.func.coalesce(*found, type_=sa.String)


@cache
def _zone_by_code() -> dict[str, str]:
    """Calling code -> what `zone_of` says of its numbers, as the phonenumbers package knows them."""
    # Imported here: the table is large, and nothing but a plan asks for it.
    from phonenumbers.tzdata import TIMEZONE_DATA

    short = {code for code in TIMEZONE_DATA if len(code) in CODE_LENGTHS}
    codes = sorted(code for code in short if not any(code[:length] in short for length in range(1, len(code))))
    return {code: _zones(code)[0] if len(_zones(code)) == 1 else f"+{code}" for code in codes}


def _zones(code: str) -> tuple[str, ...]:
    from phonenumbers.tzdata import TIMEZONE_DATA

    names: tuple[str, ...] = TIMEZONE_DATA[code]
    return names
