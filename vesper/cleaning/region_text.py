"""Region cells as text: one way to write every letter, then pieces that are read one by one.

What belongs here: folding (full-width, traditional, accents) and cutting. What does not: what a piece means.
"""

import re
import unicodedata
from typing import NamedTuple

from vesper.cleaning.region_names import gazetteer

APOSTROPHES = re.compile("['’‘`´ʼ]")
DOTTED = re.compile(r"(?<=\b[a-z])\.(?=[a-z]\b)")  # P.R.C. and H.K. are words
# Between two of these stands a statement of its own; blanks and hyphens part words, and Chinese names.
STRONG = re.compile(r"[,、/\\|;:·・.。…()\[\]【】{}<>〈〉《》「」『』\"“”&+~→⇒=*#@!?_\r\n\t]|\s[-–—]\s|--|—|–")
WEAK = re.compile(r"[\s-]+")
ACCENTED = re.compile("[\u00c0-\u024f\u0300-\u036f]")
CHINESE = re.compile("[\u3007\u3400-\u9fff]")
RUNS = re.compile("[a-z]+|[^a-z]+")


class Piece(NamedTuple):
    """A part of a cell: one Chinese run, or the words of a phrase in Latin letters."""

    chinese: str
    words: tuple[str, ...]


def folded(text: str) -> str:
    """Narrow, lower case, simplified characters, without accents and apostrophes."""
    plain = DOTTED.sub("", APOSTROPHES.sub("", unicodedata.normalize("NFKC", text)).lower())
    if plain.isascii():
        return plain
    plain = plain.translate(gazetteer().traditional)
    if not ACCENTED.search(plain):
        return plain
    bare = (letter for letter in unicodedata.normalize("NFD", plain) if not unicodedata.combining(letter))
    return unicodedata.normalize("NFC", "".join(bare))


def pieces(text: str) -> list[Piece]:
    """The pieces of a folded cell, in order."""
    found: list[Piece] = []
    for statement in STRONG.split(text):
        words: list[str] = []
        for chunk in WEAK.split(statement):
            if not CHINESE.search(chunk):
                words.extend([chunk] if chunk else [])
                continue
            for run in _runs(chunk):
                if CHINESE.search(run):
                    found.append(Piece(run, ()))
                else:
                    words.append(run)
        if words:
            found.append(Piece("", tuple(words)))
    return found


def _runs(chunk: str) -> list[str]:
    """A chunk of both scripts is cut where its Latin letters name a place, and left whole otherwise (南山区A座)."""
    runs = RUNS.findall(chunk)
    latin = [run for run in runs if run.isascii() and run.isalpha()]
    return runs if latin and all(run in gazetteer().english for run in latin) else [chunk]
