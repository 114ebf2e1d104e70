"""How a name sounds: 吴祺婧, 吴琪静, Wu Qijing and Qijing Wu are the same letters (homophones, and pinyin in either order).

What belongs here: a table of the distinct names of a linkage with their letters in a fixed order. What does not: what an equal sound is worth.
"""

import os
import unicodedata

from vesper.model.linkage import Linkage
from warehouse.linkage.fields import SOUNDS, compared_sql, spoken
from warehouse.runner import Runner

SPELLED = "linkage_spelled"
SURNAMES = {
    "曾": "zeng",
    "单": "shan",
    "解": "xie",
    "查": "zha",
    "仇": "qiu",
    "朴": "piao",
    "区": "ou",
    "盖": "ge",
    "尹": "yin",
    "翟": "zhai",
}
"""Characters that are read otherwise as a surname, which is how names mostly hold them."""


def keep_sounds(runner: Runner, linkage: Linkage, records: str) -> None:
    """Make the table of names and sounds; a surname alone has none. Each character is looked up once, each distinct name put together once."""
    named = [compared_sql(linkage, field) for field in spoken(linkage)]
    names = " union ".join(f"select distinct {value} as name from {records}" for value in named)
    spelled = f"select name, unnest(string_split(name, '')) as letter from ({names}) where length(name) > 1"
    runner.query(f"create or replace temp table {SPELLED} as {spelled}")
    letters = runner.query(f"select distinct letter from {SPELLED} order by letter").fetchall()
    readings = ", ".join(
        f"({_text(letter)}, {_text(sound)})" for letter, sound in _readings([one for (one,) in letters])
    )
    said = f"(values {readings})" if readings else "(select null, null where false)"
    runner.query(
        f"create or replace temp table {SOUNDS} as select name, array_to_string(list_sort(string_split("
        f"string_agg(said.sound, ''), '')), '') as sound from {SPELLED} join {said} said(letter, sound) using (letter) group by name"
    )
    runner.query(f"drop table {SPELLED}")


def drop_sounds(runner: Runner) -> None:
    """Let go of the table."""
    runner.query(f"drop table if exists {SOUNDS}")


def _readings(letters: list[str]) -> list[tuple[str, str]]:
    """Each character and its reading without tone; a letter reads as itself, a blank not at all."""
    # Of its dictionaries only the one of single characters is read; the one of phrases costs more to load than all that is done here.
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
    os.environ.setdefault("PYPINYIN_NO_DICT_COPY", "true")
    from pypinyin.pinyin_dict import pinyin_dict

    found = [
        (letter, SURNAMES.get(letter) or _bare(pinyin_dict.get(ord(letter), letter).split(",")[0]))
        for letter in letters
    ]
    return [(letter, sound) for letter, sound in found if sound.strip()]


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _bare(sound: str) -> str:
    """Without tones; ü and the v that keyboards write for it are a u."""
    apart = unicodedata.normalize("NFD", sound)
    return "".join(c for c in apart if not unicodedata.combining(c)).replace("v", "u")
