"""What becomes of a content for one person: nothing of the person is ever markup, header or template, and what is too long refuses its own message."""

from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.content.contents import WORDS, content
from vesper.content import ContentError, NoVariant, Oversized, Rendered, written
from vesper.model.content import Content
from vesper.model.content_word import FIELD_LENGTH

MARKDOWN = """# 你好 {{ name }}

{{ name or '您好' }}：**好久不见**，<b title="{{ city }}">{{ city }}</b>

{% if recommended %}
{% for product in recommended %}
- {{ product.name }}（{{ product.code }}）
{% endfor %}
{% endif %}

| 项目 | 您的 |
|---|---|
| 行业 | {{ industry }} |

[看看](https://example.com/?city={{ city|urlencode }}) [退订]({{ unsubscribe_url }})
"""
HTML = '<table><tr><td title="{{ job_title }}">{{ name }}</td></tr>{% for p in recommended %}<tr><td>{{ p.name }}</td></tr>{% endfor %}</table>'
PERSONAL = ("name", "city", "province", "job_title", "industry")
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</title></style><b>",
    "{{ 7 * 7 }}{% for x in y %}",
    "[x](javascript:alert(1)) **b** `c` | d |",
    "<!-- -->&lt;b&gt;",
    "]]><a href=//evil>",
)


class Elements(HTMLParser):
    """The elements and attributes of a page, without what stands in them."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.said: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))

    def handle_data(self, data: str) -> None:
        self.said.append(data)

    def handle_comment(self, data: str) -> None:
        self.tags.append(("comment", (data,)))


def filled(said: Content, variant: str | None = None, **words: Any) -> Rendered:
    return written(said, "zh_CN").fill(WORDS | words, variant)


@pytest.mark.requirement("R79", "R89")
@pytest.mark.parametrize("body", [{"markdown": MARKDOWN}, {"html": HTML}, {"text": "{{ name }} {{ city }}"}])
@given(values=st.tuples(*[st.one_of(st.sampled_from(HOSTILE), st.text(min_size=1, max_size=40)) for _ in PERSONAL]))
def test_no_word_of_a_person_is_ever_markup(body: dict[str, str], values: tuple[str, ...]) -> None:
    said = content(**body)
    plain = filled(said, **dict.fromkeys(PERSONAL, "甲"), recommended=[{"name": "甲", "code": "甲"}])
    hostile = filled(
        said, **dict(zip(PERSONAL, values, strict=True)), recommended=[{"name": values[0], "code": values[1]}]
    )
    assert Elements(hostile.html).tags == Elements(plain.html).tags


@pytest.mark.parametrize("value", HOSTILE)
def test_what_a_person_is_called_is_what_is_read(value: str) -> None:
    mail = filled(content(markdown=MARKDOWN), name=value)
    assert value in "".join(Elements(mail.html).said)
    assert value in mail.text


@given(name=st.text(max_size=60))
def test_a_subject_is_one_line(name: str) -> None:
    subject = filled(content(subject="您好 {{ name }}", text="x"), name=name).subject
    assert subject == " ".join(subject.split())
    assert not any(ord(letter) < 32 or ord(letter) == 127 or letter in "\x85\u2028\u2029\u202e" for letter in subject)


@pytest.mark.parametrize(
    "name", ["王\r\nBcc: all@example.com", "王\nBcc: all@example.com", "王\u2028Bcc: all@example.com", "王\x00\x0bB"]
)
def test_a_name_adds_no_header_and_no_paragraph(name: str) -> None:
    mail = filled(content(subject="{{ name }}，您好", text="{{ name }}，\n\n您好"), name=name)
    assert len(mail.subject.splitlines()) == 1
    assert mail.text.count("\n\n") == filled(
        content(subject="{{ name }}，您好", text="{{ name }}，\n\n您好")
    ).text.count("\n\n")


def test_a_word_of_ten_megabytes_refuses_its_own_message() -> None:
    said = written(content(markdown=MARKDOWN), "zh_CN")
    with pytest.raises(Oversized) as failed:
        said.fill(WORDS | {"name": "王" * 10_000_000})
    assert failed.value.reason == "oversized"
    assert len(str(failed.value)) < 200
    assert "王" not in str(failed.value)
    assert "王小明" in said.fill(WORDS).text
    assert "王" * FIELD_LENGTH in said.fill(WORDS | {"name": "王" * FIELD_LENGTH}).text


def test_a_list_without_end_is_cut() -> None:
    many = [{"name": f"商品{number}", "code": str(number)} for number in range(100_000)]
    text = filled(content(markdown=MARKDOWN), recommended=many).text
    assert "商品49（" in text
    assert "商品50（" not in text


def test_what_becomes_too_long_is_refused() -> None:
    said = content(text="{% for i in range(50) %}{% for j in range(50) %}{{ name }}{% endfor %}{% endfor %}")
    with pytest.raises(Oversized):
        filled(said, name="王" * 1000)


def test_the_style_stands_in_the_elements_and_the_text_is_derived() -> None:
    said = content(markdown=MARKDOWN, style="h1 { color: #0b4f8a } @media (max-width: 400px) { h1 { color: red } }")
    mail = filled(said)
    assert "color: #0b4f8a" in mail.html.split("<h1")[1].split(">")[0]
    assert "@media" in mail.html
    assert mail.text == (
        "你好 王小明\n\n王小明：好久不见，上海\n\n- 红外热像仪（TI60）\n\n项目 您的\n行业 汽车制造业\n\n"
        "看看：https://example.com/?city=%E4%B8%8A%E6%B5%B7 退订：https://m.example.com/u/abc?a=1&b=2"
    )
    assert 'href="https://m.example.com/u/abc?a=1&amp;b=2"' in mail.html


def test_what_an_if_leaves_out_leaves_no_hole() -> None:
    mail = filled(content(markdown=MARKDOWN), recommended=[])
    assert "\n\n\n" not in mail.text
    assert "<ul>" not in mail.html


def test_statements_do_not_push_rows_out_of_a_table() -> None:
    mail = filled(content(html=HTML), recommended=[{"name": "甲", "code": "1"}, {"name": "乙", "code": "2"}])
    inside = mail.html.split("<table>")[1].split("</table>")[0]
    assert inside.count("<tr>") == 3
    assert "乙" in inside


def test_a_given_text_is_taken_as_it_is() -> None:
    mail = filled(content(markdown="**粗** {{ name }}", text="粗 {{ name }}\n退订：{{ unsubscribe_url }}"))
    assert mail.text == "粗 王小明\n退订：https://m.example.com/u/abc?a=1&b=2"
    assert "<strong>粗</strong>" in mail.html


@pytest.mark.parametrize(
    ("subject", "name", "becomes"),
    [
        ("{{ name }}，好久不见", "ADAM", "广告：ADAM，好久不见"),
        ("{{ name }}，好久不见", "广告大王", "广告：广告大王，好久不见"),
        ("ADVENT 好久不见", "王", "广告：ADVENT 好久不见"),
        ("AD：{{ name }}", "王", "AD：王"),
        ("广告 {{ name }}", "王", "广告 王"),
    ],
)
def test_only_the_template_marks_an_advertisement(subject: str, name: str, becomes: str) -> None:
    assert filled(content(subject=subject, text="x"), name=name).subject == becomes


@pytest.mark.requirement("R79")
def test_a_variant_says_other_words_and_the_rest_stays() -> None:
    said = content(
        subject="{{ name }}，您好",
        markdown="开头\n\n{% block offer %}\n通用\n{% endblock %}\n\n结尾",
        variants=[
            {
                "id": "event",
                "when": {"always": {}},
                "blocks": {"zh_CN": {"offer": "**线下活动**", "subject": "{{ city }}见"}},
            },
            {
                "id": "own",
                "when": {"always": {}},
                "messages": {"zh_CN": {"subject": "另一封", "text": "{{ unsubscribe_url }}"}},
            },
        ],
    )
    usual, event, own = filled(said), filled(said, "event"), filled(said, "own")
    assert usual == filled(said, "default")
    assert [mail.subject for mail in (usual, event, own)] == ["广告：王小明，您好", "广告：上海见", "广告：另一封"]
    assert "通用" in usual.text
    assert "线下活动" in event.text
    assert "<strong>线下活动</strong>" in event.html
    assert "通用" not in event.html
    assert "开头" in event.text
    assert "结尾" in event.text
    assert "结尾" not in own.text


def test_a_variant_that_went_is_said_by_name() -> None:
    only = content(
        variants=[
            {
                "id": "vip",
                "when": {"always": {}},
                "messages": {"zh_CN": {"subject": "a", "text": "{{ unsubscribe_url }}"}},
            }
        ]
    )
    assert filled(only, "vip").subject == "广告：a"
    for variant in (None, "gone"):
        with pytest.raises(NoVariant) as failed:
            filled(only, variant)
        assert failed.value.reason == "no_variant"


def test_a_language_that_is_missing_is_taken_from_the_first() -> None:
    said = written(content(text="中文 {{ name }}"), "en")
    mail = said.fill(WORDS)
    assert mail.text.startswith("中文 王小明")
    assert mail.subject == "好久不见"


@pytest.mark.parametrize("text", ["{{ name", "{% for %}", "{{ name|nothing }}"])
def test_what_cannot_be_read_is_never_half_a_mail(text: str) -> None:
    with pytest.raises(ContentError, match=r"content/coupon.yml"):
        written(content(text=text + "{{ unsubscribe_url }}"), "zh_CN")
