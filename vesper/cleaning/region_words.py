"""Words around place names: what makes a name part of a road or of an organisation, and what may stand before and behind it.

What belongs here: words and patterns. What does not: names of places (definitions/reference), the reading itself.
"""

import re

# The country says nothing that the rest does not; the other words are how people begin an answer.
COUNTRY = ("中华人民共和国", "中国大陆", "中国", "大陆", "内地", "国内")
PREFIXES = (
    *COUNTRY, "现居住", "现居", "现住", "居住于", "居住在", "居住", "住在", "常住", "常驻", "坐标", "位于", "来自", "我在", "人在", "目前在", "目前", "现在",
    "现", "在",
)  # fmt: skip
CONNECTORS = ("以及", "和", "或", "及", "与", "至", "到", "跟")

_SMALL = "(?:[东西南北中内外上下前后新老大小环支横第一二三四五六七八九十0-9]{0,3})"
_PLACE_LIKE = "路|街|道|巷|弄|胡同|里|桥|湾|滩|山|陵|江|河|湖|海|门|园|城|村|屯|镇|乡|站|港|岛|塔|广场|大厦|中心|花园|公寓|小区|公园|国际|饭店|宾馆"
# A name that goes on like this is the name of a road or a landmark: 南京东路, 上海滩, 北京城.
CONTINUES = re.compile(f"{_SMALL}(?:{_PLACE_LIKE})")
# What stands behind a place and is plainly an address inside it: 文三路90号, 某某小区.
ADDRESS = re.compile(
    "^.{2,}(?:路|街|道|巷|弄|号|镇|乡|村|屯|社区|园|区|县|旗|城|广场|大厦|中心|机场|花园|公寓|商圈|楼|室|站)"
)
STREET = re.compile("^.{2,}(?:路|街|大道|巷|弄|号|镇|乡|村|社区|街道)")
# Organisations carry places in their names and sit elsewhere: 吉林大学 is in 长春, 上海银行 has branches everywhere.
ORGANISATION = re.compile(
    "公司|集团|大学|学院|学校|中学|小学|银行|证券|保险|医院|酒店|饭店|宾馆|餐厅|火锅|超市|商场|药业|药房|研究院|研究所|设计院|出版社|日报|晚报|电视台|"
    "航空|啤酒|汽车|石油|电力|移动|联通|电信|工厂|基金|事务所|协会|商会|委员会|俱乐部|门店|专卖店|旗舰店|有限|股份|[a-z]店|厂$|店$|大众$|通用$|烤鸭|方言|话$|菜$|人$"
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Latin words.
FILLERS = _words(
    "china cn chn prc p r c mainland the of in at and people peoples republic area region metro metropolitan downtown greater municipality office "
    "hq headquarters branch city province district county prefecture autonomous uygur uyghur hui zhuang sar new special administrative zone "
    "shi sheng qu xian"
)
WHOLE_PROVINCE, WHOLE_CITY, PART = (
    _words("province sheng"),
    _words("city shi municipality"),
    _words("district qu county xian"),
)
PINYIN_SUFFIXES = {"sheng": WHOLE_PROVINCE, "shi": WHOLE_CITY, "qu": PART}
# In an address that names one of these, the place stands behind it.
ROADS = _words(
    "road rd street st avenue ave lu jie dadao dajie boulevard blvd lane building bldg tower floor room rm suite block unit no"
)
