"""Short messages as the rules want them: signed, with a way out, and what an answer to one means (rule C6).

What belongs here: texts and numbers as pure functions. What does not: templates (`content_short.py`), providers (`connectors/channels/`).
The rules: 通信短信息服务管理规定 article 20; the signature and the wording are what Chinese providers put around a marketing message.
"""

import re
import unicodedata

MARKETING = "marketing"
_SIGNED = re.compile(r"【[^【】]{1,30}】")
_WAY_OUT = re.compile(
    r"(?:拒收|退订|取消).{0,6}?(?:回复?|发送)?\s*(?:R|TD|T|N|0000)(?![A-Z0-9])|回复?\s*(?:R|TD|T|N|0000)\s*(?:退订|拒收|取消)",
    re.IGNORECASE,
)
_REPLIES = frozenset({"R", "T", "TD", "N", "0000", "退订", "拒收"})
_FRINGE = " \t\r\n.,!?;:。，！？；：、~～…\"'“”‘’()（）[]【】"
CHINA = "+86"
SHORTEST = 7
"""Digits of a number without its calling code."""


def signed(text: str, sign: str) -> str:
    """A text that begins with its signature 【sign】; one that begins with it already stays."""
    mark = f"【{sign}】"
    return text if not sign or text.startswith(mark) else mark + text


def starts_signed(text: str) -> bool:
    """Whether a text brings a signature of its own; the provider's would stand before it a second time."""
    return _SIGNED.match(text) is not None


def says_way_out(text: str) -> bool:
    """Whether a text says how one leaves, such as 拒收请回复R or 回T退订."""
    return _WAY_OUT.search(unicodedata.normalize("NFKC", text)) is not None


def as_read(text: str, sign: str, way_out: str, *, is_marketing: bool) -> str:
    """A short message as the person reads it: signed; marketing says how one leaves, once."""
    whole = signed(text, sign)
    if is_marketing and not says_way_out(whole):
        return f"{whole} {way_out}" if whole and whole[-1].isalnum() else whole + way_out
    return whole


def is_way_out(reply: str) -> bool:
    """Whether an answer asks to be left alone: R, T, TD, N, 0000, 退订 and 拒收, of any width and case, with nothing else said."""
    word = unicodedata.normalize("NFKC", reply).strip(_FRINGE).upper()
    return word in _REPLIES


def national(number: str) -> str:
    """A number in E.164 as Aliyun wants it: eleven digits of a Chinese one, calling code and number of any other."""
    return number.removeprefix(CHINA) if number.startswith(CHINA) else number.removeprefix("+")


def international(number: str, calling_code: str = "86") -> str:
    """A number as providers write it in E.164: +8613800000000, 008613800000000, 8613800000000 or 13800000000 with its calling code."""
    digits = number.strip()
    if digits.startswith("+"):
        return digits
    digits = digits.removeprefix("00")
    code = calling_code.strip().removeprefix("+") or "86"
    is_whole = digits.startswith(code) and len(digits) - len(code) >= SHORTEST
    return f"+{digits}" if is_whole else f"+{code}{digits}"
