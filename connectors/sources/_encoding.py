"""Text out of bytes: the declared encoding, or a ladder that ends in a refusal rather than in mojibake."""

import codecs
from pathlib import Path

from charset_normalizer import from_bytes

from connectors.sources._unreadable import SourceUnreadable

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_CHINESE = frozenset({"gb18030", "gbk", "gb2312", "hz"})
_DECLARE = "export it again as UTF-8, or declare its encoding in the source definition"


def text_of(path: Path, encoding: str) -> str:
    """The text of a file.

    `auto` is: byte order mark, strict UTF-8, then GB18030 if charset-normalizer agrees. GB18030 accepts most Big5 and Shift-JIS bytes without an error,
    so that it decodes is no proof.
    """
    data = path.read_bytes()
    marked = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    if marked:
        return _strict(path, data, marked)
    if encoding != "auto":
        return _strict(path, data, encoding)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        return _chinese(path, data, error)


def _strict(path: Path, data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise SourceUnreadable(
            path, f"it is not valid {encoding} from byte {error.start + 1} on ({_line(data, error.start)})", _DECLARE
        ) from error
    except LookupError as error:
        raise SourceUnreadable(
            path, f"the declared encoding {encoding!r} does not exist", "declare auto, utf-8 or gb18030"
        ) from error


def _chinese(path: Path, data: bytes, not_utf8: UnicodeDecodeError) -> str:
    where = f"from byte {not_utf8.start + 1} on ({_line(data, not_utf8.start)})"
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError as error:
        wrong = f"it is neither UTF-8 {where} nor GB18030 from byte {error.start + 1} on ({_line(data, error.start)})"
        raise SourceUnreadable(path, wrong, _DECLARE) from error
    guess = from_bytes(data).best()
    if guess is None or guess.encoding not in _CHINESE:
        looks = f"looks like {guess.encoding}" if guess else "is in no encoding that could be told"
        raise SourceUnreadable(path, f"it is not UTF-8 {where} and {looks}", _DECLARE)
    return text


def _line(data: bytes, position: int) -> str:
    newline = data.count(b"\n", 0, position)
    return f"line {newline + 1}"
