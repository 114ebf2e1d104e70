"""How the same fact is spelled by different hands: telephones, mail addresses and names, good and unusable. Places spell themselves (places.py)."""

import random

_WIDE = str.maketrans("0123456789", "０１２３４５６７８９")
_PHONES = (
    "{0}{1}{2}",
    "{0}{1}{2}",
    "{0}{1}{2}",
    "{0}{1}{2}",
    "{0}-{1}-{2}",
    "{0} {1} {2}",
    "+86 {0}{1}{2}",
    "+86{0}{1}{2}",
    "0086{0}{1}{2}",
    "86-{0}-{1}-{2}",
    " {0}{1}{2} ",
    "(+86){0}{1}{2}",
)
_NOTHING = ("", "", "", "", "无", "N/A", "-")
_DUMMIES = ("13800000000", "11111111111", "00000000000", "13333333333", "12345678901")


def phone(chance: random.Random, number: str) -> str:
    """A usable number (eleven digits) in one of its many spellings."""
    spelled = chance.choice(_PHONES).format(number[:3], number[3:7], number[7:])
    return spelled.translate(_WIDE) if chance.random() < 0.05 else spelled


def no_phone(chance: random.Random, number: str) -> str:
    """What stands in the cell when no usable number is known: nothing, a dummy, or a number that was spoiled beyond repair."""
    spoiled = (f"{float(number):.2E}", number[:-2], number + "0", f"140{number[3:]}", f"{number[:5]}******")
    kind = chance.random()
    if kind < 0.55:
        return nothing(chance)
    return chance.choice(_DUMMIES if kind < 0.75 else spoiled)


def email(chance: random.Random, address: str) -> str:
    """A usable address in one of its spellings."""
    ways = (
        address,
        address,
        address,
        address,
        address,
        address.upper(),
        f" {address} ",
        address.replace("@", "＠"),
        address.capitalize(),
    )
    return chance.choice(ways)


def no_email(chance: random.Random, address: str) -> str:
    """What stands in the cell when no usable address is known."""
    local, domain = address.split("@")
    spoiled = (f"{local}@", f"{local}#{domain}", local, f"{local}@example", f"{local}@@{domain}")
    return nothing(chance) if chance.random() < 0.75 else chance.choice(spoiled)


def name(chance: random.Random, full: str) -> str:
    """A name as typed: mostly plain, sometimes with a space inside or after it."""
    return chance.choice((full,) * 10 + (f"{full[0]} {full[1:]}", f"{full}　"))


def nothing(chance: random.Random) -> str:
    """An empty cell, or one of the words that people write instead."""
    return chance.choice(_NOTHING)
