"""What people read, in their language: gettext catalogues read straight from `locales/<language>/LC_MESSAGES/*.po` (R111).

What belongs here: finding and merging catalogues. What does not: the messages themselves; a message id is the English text in the source.
"""

import gettext
import io
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

LOCALES = Path(__file__).parent.parent / "locales"
Translate = Callable[[str], str]


@lru_cache(maxsize=8)
def translator(language: str, locales: Path = LOCALES) -> Translate:
    """The gettext function of a language, all `.po` files of its folder merged; English where a message is missing."""
    files = sorted((locales / language / "LC_MESSAGES").glob("*.po"))
    if not files:
        return gettext.NullTranslations().gettext
    return gettext.GNUTranslations(_compiled(files)).gettext


def _compiled(files: list[Path]) -> io.BytesIO:
    """The catalogues as one .mo file in memory. Where two translate the same message, the earlier file's wins."""
    from babel.messages.catalog import Catalog
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    merged = Catalog(charset="utf-8")
    for file in files:
        with file.open(encoding="utf-8") as text:
            for message in read_po(text):
                if message.id and message.string:
                    merged.add(message.id, message.string, context=message.context)
    compiled = io.BytesIO()
    write_mo(compiled, merged)
    compiled.seek(0)
    return compiled
