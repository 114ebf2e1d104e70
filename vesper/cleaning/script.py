"""Simplified and traditional characters: 陳曉東 and 陈晓东 are one name.

What belongs here: the conversion, and the SQL pattern of text that needs none. What does not: keys of names and companies.
"""

from functools import cache
from typing import Any

FIRST, LAST = 0x4E00, 0x9FFF
"""The unified ideographs; rarer blocks are left to the library, one distinct value at a time."""


@cache
def _converter() -> Any:
    """OpenCC by characters and phrases, without the exchange of vocabulary that its regional tables make. Loaded when first needed."""
    from opencc import OpenCC

    return OpenCC("t2s")


def simplified(text: str) -> str:
    """The text in simplified characters."""
    if text.isascii():
        return text
    once = str(_converter().convert(text))
    # A few characters take two steps (薴, 苧, 苎), and a key must come out the same however often it is made.
    return once if once == text else simplified(once)


@cache
def settled() -> str:
    """Regular expression: one character, as a class, that is the same in simplified writing."""
    every = [chr(point) for point in range(FIRST, LAST + 1)]
    # Lines keep characters from being read as phrases.
    after = str(_converter().convert("\n".join(every))).split("\n")
    points = [ord(before) for before, now in zip(every, after, strict=True) if before == now]
    return "[" + "".join(_ranges(points)) + "]"


def _ranges(points: list[int]) -> list[str]:
    """Neighbouring code points as ranges, which keep the expression short."""
    found: list[str] = []
    first = last = points[0]
    for point in [*points[1:], -1]:
        if point == last + 1:
            last = point
            continue
        found.append(chr(first) if first == last else f"{chr(first)}-{chr(last)}")
        first = last = point
    return found
