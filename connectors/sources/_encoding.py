"""Text out of bytes: the declared encoding, or a ladder that ends in a refusal rather than in mojibake."""

import codecs
from collections.abc import Iterator
from pathlib import Path

from charset_normalizer import from_bytes

from connectors.sources._unreadable import SourceUnreadable, _

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_GB = frozenset({"gb18030", "gbk", "gb2312", "hz"})
_KOREAN = frozenset({"cp949", "euc_kr", "johab", "iso2022_kr"})
_BIG5 = frozenset({"big5", "big5hkscs", "cp950"})
# What Windows writes as Big5 first, then the superset that Hong Kong writes.
_CODECS = {"big5": ("cp950", "big5hkscs")}
_DECLARE = _("export it again as UTF-8, or declare its encoding in the source definition")
_NOT_THAT = _("it is not valid {encoding} from byte {byte} on (line {line})")
_BLOCK = 1 << 20
SAMPLE = 1 << 18
# Shares of the two-byte characters that lie among the frequent ones; measured on names, addresses and company names.
LEAST_FREQUENT, LEAST_LEAD = 0.7, 0.2


def text_of(path: Path, encoding: str) -> str:
    """The text of a file.

    `auto` is: byte order mark, strict UTF-8, then GB18030 or Big5 if the frequencies of characters (and for Big5 charset-normalizer) agree.
    GB18030 accepts most Big5 and Shift-JIS bytes without an error, so that it decodes is no proof.
    """
    data = path.read_bytes()
    found = codec_of(path, encoding)
    try:
        return data.decode(found).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise _wrong(path, error.start, data.count(b"\n", 0, error.start) + 1, found, encoding) from error


def codec_of(path: Path, encoding: str) -> str:
    """The codec that reads a file, told from its first bytes and, where it is no UTF-8, from a sample; the rest is not looked at.

    Raises SourceUnreadable for an encoding that does not exist or cannot be told.
    """
    with path.open("rb") as file:
        head = file.read(4)
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    if marked:
        return marked
    if encoding != "auto":
        return _declared(path, encoding)
    broken = _not_utf8(path)
    return "utf-8" if broken is None else _chinese(path, broken)


def blocks_of(path: Path, codec: str, encoding: str) -> Iterator[str]:
    """The text of a large file, a block at a time. Raises SourceUnreadable where it breaks."""
    decoder = codecs.getincrementaldecoder(codec)()
    seen = lines = 0
    with path.open("rb") as file:
        data = b"start"
        while data:
            data = file.read(_BLOCK)
            kept = len(decoder.getstate()[0])
            try:
                text = decoder.decode(data, final=not data)
            except UnicodeDecodeError as error:
                line = lines + data.count(b"\n", 0, max(error.start - kept, 0)) + 1
                raise _wrong(path, seen - kept + error.start, line, codec, encoding) from error
            yield text.removeprefix("\ufeff") if seen == 0 else text
            seen += len(data)
            lines += data.count(b"\n")


def _declared(path: Path, encoding: str) -> str:
    candidates = _CODECS.get(encoding, (encoding,))
    try:
        codecs.lookup(candidates[0])
    except LookupError as error:
        wrong = _("the declared encoding {encoding!r} does not exist")
        raise SourceUnreadable(path, wrong, _("declare auto, utf-8, gb18030 or big5"), encoding=encoding) from error
    return next((each for each in candidates if len(candidates) == 1 or _decodes(path, each)), candidates[0])


def _decodes(path: Path, codec: str) -> bool:
    try:
        return all(True for _block in blocks_of(path, codec, codec))
    except SourceUnreadable:
        return False


def _not_utf8(path: Path) -> tuple[int, int] | None:
    """Byte and line at which a file stops being UTF-8; None when it never does."""
    try:
        for _block in blocks_of(path, "utf-8", "utf-8"):
            pass
    except SourceUnreadable as broken:
        return broken.facts["byte"] - 1, broken.facts["line"]
    return None


def _chinese(path: Path, broken: tuple[int, int]) -> str:
    """GB18030 or Big5, whichever reading makes common Chinese of a sample."""
    sample = _sample(path, broken[0])
    gb, big5 = _frequent(sample, "gb18030", 0xB0, 0xD7), _frequent(sample, "cp950", 0xA4, 0xC6)
    guess = from_bytes(sample).best()
    told = guess.encoding if guess else ""
    # Hangul lies where the first half of the frequent Chinese characters lies, and nowhere else.
    is_korean = told in _KOREAN and _frequent(sample, "gb18030", 0xC9, 0xD7) < LEAST_LEAD
    if not is_korean and ((gb >= LEAST_FREQUENT and gb - big5 >= LEAST_LEAD) or (told in _GB and gb > big5)):
        return "gb18030"
    if big5 >= LEAST_FREQUENT and big5 > gb and told in _BIG5:
        return _declared(path, "big5")
    byte, line = broken
    if not told:
        wrong = _("it is not UTF-8 from byte {byte} on (line {line}) and is in no encoding that could be told")
    else:
        wrong = _("it is not UTF-8 from byte {byte} on (line {line}) and looks like {told}")
    raise SourceUnreadable(path, wrong, _DECLARE, byte=byte + 1, line=line, told=told)


def _sample(path: Path, at: int) -> bytes:
    """Whole lines around the first byte that is not UTF-8."""
    with path.open("rb") as file:
        file.seek(max(0, at - SAMPLE // 8))
        data = file.read(SAMPLE)
    first = data.find(b"\n") + 1 if at > SAMPLE // 8 else 0
    last = data.rfind(b"\n") + 1 if len(data) == SAMPLE else len(data)
    return data[first:last] or data


def _frequent(sample: bytes, codec: str, first: int, last: int) -> float:
    """The share of characters beyond ASCII whose lead byte lies among the codec's frequent ones; 0 when there is none."""
    beyond = [char for char in sample.decode(codec, "replace") if ord(char) > 0x7F]
    coded = [char.encode(codec, "ignore") for char in beyond]
    return sum(len(c) == 2 and first <= c[0] <= last for c in coded) / len(coded) if coded else 0


def _wrong(path: Path, byte: int, line: int, codec: str, encoding: str) -> SourceUnreadable:
    name = codec if encoding == "auto" or codec.startswith("utf") else encoding
    return SourceUnreadable(path, _NOT_THAT, _DECLARE, encoding=name, byte=byte + 1, line=line)
