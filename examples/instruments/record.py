"""A row of a source's file, and the names of the sources and their columns."""

import datetime as dt
from dataclasses import dataclass

from examples.grocer.write import Row

ACCOUNT, CONTACT = "crm_account", "crm_contact"
HOTLINE, FORM = "hotline_400", "web_form"
WEB, MAIL = "web_event", "mail_event"
BANT, CALL = "bant_note", "call_result"
ORDER, PRODUCT = "erp_order", "erp_product"
SOURCES = (ACCOUNT, CONTACT, HOTLINE, FORM, WEB, MAIL, BANT, CALL, ORDER, PRODUCT)

COLUMNS = {
    ACCOUNT: ("公司编号", "公司名称", "网址", "行业", "省", "市", "员工数", "上级公司", "关系", "更新时间"),
    CONTACT: (
        "联系人编号", "客户编号", "姓名", "职务", "手机", "邮箱", "公司编号", "公司", "地区", "负责人",
        "创建时间", "更新时间", "邮件授权", "授权时间", "授权文本",
    ),
    HOTLINE: ("来电编号", "姓名", "来电号码", "备用号码", "邮箱", "公司", "地区", "来电时间", "需求", "接线员", "同意回访"),
    BANT: ("记录编号", "联系人编号", "手机", "预算", "决策权", "需求", "时间", "记录时间"),
    CALL: ("结果编号", "联系人编号", "手机", "结果", "原因", "移交编号", "坐席", "时间"),
    ORDER: ("订单号", "客户编号", "产品编号", "数量", "金额", "下单时间"),
    PRODUCT: ("产品编号", "部门", "品类", "类型"),
}  # fmt: skip
FORM_SERIES, NEWS_SERIES = "Whitepaper2026", "Newsletter2026"


@dataclass(frozen=True)
class Record:
    """One row of the file of one day. `person` says whose it is, for the truth; empty where it is nobody's."""

    source: str
    on: dt.date
    at: dt.datetime
    key: str
    cells: Row
    person: str = ""
