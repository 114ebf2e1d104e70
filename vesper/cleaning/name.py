"""Names of people as they are compared: 陳 小明先生 and 陈小明 are one name, Dr. José Díaz and jose diaz another.

What belongs here: the key of a name. What does not: the name as it is shown (`text.name`), and how alike two names are (identity).
"""

import re

import sqlalchemy as sa

from vesper.cleaning.script import settled, simplified
from vesper.cleaning.text import HAN, folded, without_accents, words

TITLES = (
    "先生|女士|小姐|太太|夫人|同学|老师|同志|师傅|博士|教授|医生|大夫|律师|总经理|副总经理|副总裁|总监|总裁|副总|总|经理|"
    "董事长|副董事长|主任|副主任|主管|院长|校长|部长|科长|处长|局长|厂长|所长|站长|店长|老板"
)
LATIN_TITLES = "mr|mrs|ms|miss|mx|dr|prof|professor|sir|madam|herr|frau|phd|mba"
NOBODY = words(
    """
    测试 测试用户 测试账号 未知 未填写 不详 匿名 匿名用户 无 无名 无名氏 没有 暂无 姓名 客户 用户 会员 顾客 游客 访客 微信用户 新用户 联系人 本人
    先生 女士 小姐 test testuser tester unknown anonymous none null na nobody noname name user guest customer wechatuser
    """
)
"""Words that stand where a name is missing."""

_NOTE = re.compile(r"[(\[【《<{][^()\[\]【】《》<>{}]*[)\]】》>}]")
_APOSTROPHE = re.compile("['`´’‘ʼ]")
_SIGN = re.compile(r"[^\w\s]|_")
_BESIDE_HAN = re.compile(rf"(?<=[{HAN}])\s+|\s+(?=[{HAN}])")
_TITLE = re.compile(f"(?:{TITLES})+$")
_LATIN_TITLE = re.compile(LATIN_TITLES)


def quick(name: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """The key of a plain Chinese or English name; NULL of anything else, which `read` decides."""
    lower = sa.func.lower(name)
    chinese = sa.and_(sa.func.length(name).between(2, 4), sa.func.regexp_full_match(name, f"{settled()}+"))
    plain = sa.or_(sa.func.regexp_full_match(lower, "[a-z]+( [a-z]+)*"), chinese)
    adorned = sa.func.regexp_matches(lower, f"(?:{TITLES})$|^(?:{LATIN_TITLES}) | (?:{LATIN_TITLES})$")
    nobody = sa.func.replace(lower, " ", "").in_(sorted(NOBODY))
    return sa.case((sa.and_(plain, sa.not_(adorned), sa.not_(nobody)), lower))


def read(text: str) -> str | None:
    """The key of a name however it is written; None where there is no name."""
    before, key = text, _once(text)
    while key != before:
        before, key = key, _once(key)
    return key or None


def _once(text: str) -> str:
    whole = simplified(without_accents(folded(text)).lower())
    bare = _bare(_NOTE.sub(" ", whole)) or _bare(whole)
    if bare.replace(" ", "") in NOBODY:
        return ""
    return _TITLE.sub("", bare)  # a title alone is no name


def _bare(text: str) -> str:
    """Letters and digits without titles; single blanks between words, none beside a Chinese character."""
    said = _SIGN.sub(" ", _APOSTROPHE.sub("", text)).split()
    while len(said) > 1 and _LATIN_TITLE.fullmatch(said[0]):
        said = said[1:]
    while len(said) > 1 and _LATIN_TITLE.fullmatch(said[-1]):
        said = said[:-1]
    return _BESIDE_HAN.sub("", " ".join(said))
