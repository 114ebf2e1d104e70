"""What a column of an unknown file looks like: by its header's words, and by its values. Used to draft the definition of a source.

What belongs here: words of headers, shapes of values. What does not: the draft itself (new_source.py). Looks at each different value once and never
says one, except the few words of a column that is no person's.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

NULL_WORDS = (
    "无", "空", "暂无", "没有", "未知", "不详", "未填写", "N/A", "n/a", "NA", "#N/A", "NULL", "null", "None", "nil", "\\N", "-", "--", "—", "/", "Select",
)  # fmt: skip
FLAGS = (("是", "否"), ("有", "无"), ("true", "false"), ("yes", "no"), ("y", "n"), ("t", "f"), ("1", "0"))
PROVINCES = (
    "北京", "天津", "上海", "重庆", "河北", "山西", "辽宁", "吉林", "黑龙江", "江苏", "浙江", "安徽", "福建", "江西", "山东", "河南", "湖北", "湖南", "广东",
    "海南", "四川", "贵州", "云南", "陕西", "甘肃", "青海", "台湾", "内蒙古", "广西", "西藏", "宁夏", "新疆", "香港", "澳门",
)  # fmt: skip
# Canonical field -> words of headers, in small letters without blanks and signs. The first field that knows a header gets it.
HEADERS: dict[str, str] = {
    "unionid": "unionid 微信unionid",
    "openid": "openid 微信openid",
    "card": "会员卡号 卡号 会员卡 card cardno cardnumber cardid loyaltycard",
    "member_id": "会员号 会员编号 会员id 客户编号 客户号 客户id 用户编号 用户id 线索编号 线索id 来电编号 联系人编号 编号 序号 id memberid customerid userid "
    "leadid contactid personid recordid prospectid leadnumber uid",
    "crm_id": "crmid crm编号",
    "first_name": "名 firstname givenname forename",
    "last_name": "姓 lastname surname familyname",
    "name": "姓名 名字 客户姓名 联系人 联系人姓名 会员姓名 称呼 name fullname contactname customername membername",
    "phone": "手机 手机号 手机号码 电话 联系电话 电话号码 来电号码 联系方式 移动电话 mobile mobilephone mobileno phone phonenumber tel telephone cell "
    "cellphone",
    "other_phone": "固话 座机 固定电话 办公电话 公司电话 备用电话 其他电话 homephone workphone officephone otherphone businessphone",
    "email": "邮箱 电子邮箱 电子邮件 邮件 邮箱地址 邮件地址 email mail emailaddress workemail",
    "province": "省 省份 所在省 所在省份 province state",
    "city": "城市 市 所在城市 所在市 city town",
    "country": "国家 国家地区 country",
    "region": "地区 区域 省市 所在地 所在地区 地址 联系地址 region location area address",
    "company": "公司 公司名 公司名称 单位 单位名称 企业 企业名称 company companyname organization organisation employer",
    "job_title": "职位 职务 岗位 头衔 title jobtitle position",
    "gender": "性别 gender sex",
    "birth_on": "生日 出生日期 出生年月日 birthday birthdate dateofbirth dob",
    "industry": "行业 所属行业 industry",
    "employee_count": "员工数 员工人数 公司人数 人数 employees employeecount numberofemployees",
    "owner": "负责人 客户经理 销售 销售人员 跟进人 所有人 owner ownername accountowner leadowner salesrep",
    "registered_at": "注册时间 注册日期 创建时间 创建日期 来电时间 提交时间 登记时间 入会时间 入会日期 createdat createddate createdate created registeredat "
    "registrationdate signupdate signedupat submittedat datecreated",
    "changed_at": "更新时间 更新日期 修改时间 最后修改时间 最近更新时间 updatedat updated modifiedat lastmodified lastmodifieddate lastupdated systemmodstamp",
    "consent_email": "邮件授权 邮件同意 同意邮件 接收邮件 emailconsent consentemail emailoptin",
    "consent_sms": "短信授权 短信同意 同意短信 接收短信 smsconsent consentsms smsoptin",
    "consent_call": "电话授权 同意回访 同意来电 callconsent consentcall",
    "consent_at": "授权时间 同意时间 授权日期 consentat consentdate optindate",
    "consent_text": "授权文本 授权版本 consenttext consentversion consenttextversion",
    "has_refused_email": "退订邮件 邮件退订 emailoptout hasoptedoutofemail unsubscribed optedout",
    "is_do_not_email": "勿发邮件 请勿发邮件 donotemail",
    "is_deleted": "已删除 是否删除 isdeleted deleted",
    "need": "需求 咨询内容 留言 备注 need needs message comment comments remark",
    "order_id": "订单号 订单编号 订单id 小票号 orderid orderno ordernumber basketid",
    "product_code": "商品编码 商品编号 商品id 货号 产品编码 productid productcode sku skuid itemid",
    "quantity": "数量 件数 quantity qty",
    "amount": "金额 实付金额 销售额 成交金额 amount salesvalue total lineamount",
    "ordered_at": "下单时间 订单时间 交易时间 成交时间 orderedat orderdate ordertime transactiontimestamp",
    "store": "门店 门店编号 店号 store storeid",
    "at": "时间 日期 发生时间 at date time timestamp occurredat eventtime",
}  # fmt: skip
KNOWN = {word: name for name, words in reversed(HEADERS.items()) for word in words.split()}
MOBILE = re.compile(r"(\+?(00)?86)?1[3-9]\d{9}")
LANDLINE = re.compile(r"0\d{2,3}[2-9]\d{6,7}(转?\d{1,5})?|[48]00\d{7}")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}")
MOMENT = re.compile(
    r"\d{4}([-/.]|年)\d{1,2}([-/.]|月)\d{1,2}日?([ T]\s*\d{1,2}[:时]\d{1,2}.*)?|(19|20)\d{2}(0[1-9]|1[0-2])([0-2]\d|3[01])"
)
SLASHED = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-]\d{4}( \d{1,2}:\d{2}(:\d{2})?)?")
INTEGER = re.compile(r"[-+]?\d{1,9}")
AMOUNT = re.compile(r"[¥￥$]? ?[-+]?[\d,]+\.\d{1,2}元?")
SERIAL = re.compile(r"[1-7]\d{4}(\.\d+)?")
EPOCH = re.compile(r"1\d{9}(\d{3})?")
ENOUGH = 0.9
FEW = 12


@dataclass(frozen=True)
class Looks:
    """A column as it looks: the canonical field that its header names, what its values are, and how often they are there."""

    column: str
    named: str | None
    kind: str
    rows: int
    filled: int
    distinct: int
    format: str | None = None
    words: tuple[str, ...] = ()
    null_words: tuple[str, ...] = ()
    has_clock: bool = False

    @property
    def is_key(self) -> bool:
        """Whether each row has a value of its own."""
        return 0 < self.rows == self.filled == self.distinct


def folded(header: str) -> str:
    """A header in small letters without blanks and signs, and without what stands in brackets: 手机号(必填) is 手机号."""
    return re.sub(r"[\W_]+", "", re.sub(r"[(（\[【].*?[)）\]】]", "", header)).lower()


def looks(column: str, cells: Sequence[str | None]) -> Looks:
    """What a column looks like. `cells` are texts, None where empty."""
    texts = [cell.strip() for cell in cells if cell and cell.strip()]
    nulls = tuple(word for word in NULL_WORDS if word in set(texts))
    values = [text for text in texts if text not in nulls]
    different = sorted(set(values))
    name = KNOWN.get(folded(column))
    kind, format = _kind(different, column)
    words = tuple(different) if len(different) <= FEW else ()
    clock = kind == "moment" and any(":" in value or "时" in value for value in different)
    return Looks(column, name, kind, len(cells), len(values), len(different), format, words, nulls, clock)


def _kind(values: Sequence[str], column: str) -> tuple[str, str | None]:
    """What most of the different values are: the first kind that nearly all of them fit."""
    if not values:
        return "empty", None
    if flag_words(values):
        return "flag", None
    bare = [re.sub(r"[\s()（）-]", "", value) for value in values]
    kinds = (
        ("email", _share(EMAIL.fullmatch(value) for value in values)),
        ("moment", _share(MOMENT.fullmatch(value) for value in values)),
        ("phone", _share(MOBILE.fullmatch(value) or LANDLINE.fullmatch(value) for value in bare)),
        ("slashed", _share(SLASHED.fullmatch(value) for value in values)),
        ("integer", _share(INTEGER.fullmatch(value) for value in values)),
        ("money", _share(AMOUNT.fullmatch(value) or INTEGER.fullmatch(value) for value in values)),
        ("region", _share(value.startswith(PROVINCES) for value in values)),
    )
    kind = next((name for name, share in kinds if share >= ENOUGH), "text")
    return _moment(kind, values, column)


def _moment(kind: str, values: Sequence[str], column: str) -> tuple[str, str | None]:
    """Moments that numbers and slashes hide: only where the header speaks of a time, or a day above 12 tells the order."""
    if kind == "slashed":
        first, second = (
            max(int(found[place]) for found in map(SLASHED.fullmatch, values) if found) for place in (1, 2)
        )
        order = "%d/%m/%Y" if first > 12 >= second else "%m/%d/%Y" if second > 12 >= first else None
        mark = next(sign for sign in "/.-" if sign in values[0])
        clock = " %H:%M:%S" if values[0].count(":") == 2 else " %H:%M" if ":" in values[0] else ""
        return ("moment", order.replace("/", mark) + clock) if order else ("unclear", None)
    speaks = re.search(r"时间|日期|date|time|_at$|_on$|At$", column, re.IGNORECASE)
    if speaks and kind in ("integer", "text", "phone", "money"):
        if _share(SERIAL.fullmatch(value) for value in values) >= ENOUGH:
            return "moment", "excel"
        if _share(EPOCH.fullmatch(value) for value in values) >= ENOUGH:
            return "moment", "epoch_ms" if len(values[-1]) > 10 else "epoch"
    return kind, None


def flag_words(values: Iterable[str]) -> tuple[str, str] | None:
    """The words of yes and no, when values are nothing but one of the known pairs."""
    lower = {value.lower() for value in values}
    return next((pair for pair in FLAGS if lower and lower <= set(pair)), None)


def _share(hits: Iterable[object]) -> float:
    found = [bool(hit) for hit in hits]
    return sum(found) / len(found) if found else 0
