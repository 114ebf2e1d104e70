"""What a mail says: filled in a sandbox, with nothing personal in an error."""

import pytest

from vesper.content import ContentError, render
from vesper.model.content import CONTENT_WORDS

WORDS = {
    "name": "王小明",
    "city": "上海",
    "company": "好邻居超市",
    "unsubscribe_url": "mailto:a@b.c?subject=unsubscribe%20x&y=1",
}


def filled(
    subject: str = "券",
    text: str = "{{ name }}，您好",
    language: str = "zh_CN",
    is_marketing: bool = True,
    **words: str,
) -> object:
    return render(
        subject, text, WORDS | words, language=language, is_marketing=is_marketing, where="content/coupon.yml"
    )


def test_the_words_are_those_of_the_model() -> None:
    assert set(WORDS) <= set(CONTENT_WORDS)


@pytest.mark.parametrize(
    ("subject", "language", "is_marketing", "becomes"),
    [
        ("好久不见", "zh_CN", True, "广告：好久不见"),
        ("广告 好久不见", "zh_CN", True, "广告 好久不见"),
        ("AD 好久不见", "zh_CN", True, "AD 好久不见"),
        ("您的订单", "zh_CN", False, "您的订单"),
        ("It has been a while", "en", True, "It has been a while"),
        ("{{ name }}\r\nBcc: x@y.z", "en", True, "王小明 Bcc: x@y.z"),
    ],
)
def test_the_subject(subject: str, language: str, is_marketing: bool, becomes: str) -> None:
    assert filled(subject, language=language, is_marketing=is_marketing).subject == becomes  # type: ignore[attr-defined]


@pytest.mark.requirement("R89")
def test_html_escapes_what_a_person_is_called_and_links_the_way_out() -> None:
    mail = filled(text="{{ name }} & co\n第二行\n\n退订：{{ unsubscribe_url }}", name="<b>王</b>")
    assert mail.text.startswith("<b>王</b> & co")  # type: ignore[attr-defined]
    page = mail.html  # type: ignore[attr-defined]
    assert "<p>&lt;b&gt;王&lt;/b&gt; &amp; co<br>\n第二行</p>" in page
    assert '<a href="mailto:a@b.c?subject=unsubscribe%20x&amp;y=1">' in page
    assert 'lang="zh-CN"' in page


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{{ nme }}", "'nme' is undefined"),
        ("{{ name.__class__.__mro__ }}", "unsafe"),
        ("{{ name ", "end of"),
        ("{{ name + 1 }}", "TypeError"),
        ("{{ {}[name] }}", "has no attribute"),
    ],
)
def test_an_error_names_the_content_and_no_person(text: str, says: str) -> None:
    with pytest.raises(ContentError) as failed:
        filled(text=text)
    assert str(failed.value).startswith("content/coupon.yml: ")
    assert says in str(failed.value)
    assert "王小明" not in str(failed.value)


def test_a_subject_that_becomes_empty_is_no_mail() -> None:
    with pytest.raises(ContentError, match="subject is empty"):
        filled(subject="{{ city }}", city=" ")
