"""Contents as tests write them, and a person's words."""

from typing import Any

from vesper.model.content import Content

WAY_OUT = "\n\n[退订]({{ unsubscribe_url }})\n"
WORDS: dict[str, Any] = {
    "name": "王小明",
    "city": "上海",
    "province": "上海",
    "job_title": "设备主管",
    "industry": "汽车制造业",
    "company": "好邻居超市",
    "address": "上海市示例路 1 号",
    "unsubscribe_url": "https://m.example.com/u/abc?a=1&b=2",
    "preference_url": "https://m.example.com/p/abc",
    "coupon_code": "",
    "coupon_expires_on": "",
    "recommended": [{"name": "红外热像仪", "code": "TI60"}],
}


def content(**fields: Any) -> Content:
    """A content by its fields; `markdown`, `html`, `text` and `subject` are those of its Chinese message, which gets a way out where it has none."""
    message = {key: fields.pop(key) for key in ("subject", "markdown", "html", "text") if key in fields}
    body = next((key for key in ("markdown", "html", "text") if key in message), None)
    if body and "unsubscribe_url" not in message[body]:
        message[body] += '<a href="{{ unsubscribe_url }}">退订</a>' if body == "html" else WAY_OUT
    said = {"messages": {"zh_CN": {"subject": "好久不见"} | message}} if message else {}
    return Content.model_validate({"id": "coupon", "says": "券", "owner": "marketing"} | said | fields)
