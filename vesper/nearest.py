"""The nearest valid word to a wrong one. What belongs here: finding it and saying it. What does not: which words are valid."""

import difflib
from collections.abc import Iterable

from vesper.language import Translate

SHOWN = 12


def suggestion(word: object, words: Iterable[str], _: Translate) -> str:
    """What to write instead of a wrong word: the nearest valid one, else the valid ones."""
    known = sorted(set(words))
    close = difflib.get_close_matches(str(word), known, n=1, cutoff=0.6)
    if close:
        return _("Did you mean {word}?").format(word=close[0])
    if not known:
        return _("There is none yet.")
    more = " …" if len(known) > SHOWN else ""
    return _("Known here: {words}.").format(words=", ".join(known[:SHOWN]) + more)
