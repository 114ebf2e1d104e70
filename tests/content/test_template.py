"""What a template may do, and what is refused when it is checked: a template that loops, grows, looks inside things or lets nobody leave."""

import time

import pytest

from tests.content.contents import content
from vesper.content_html import html_faults
from vesper.content_template import faults
from vesper.model.content import CONTENT_WORDS
from vesper.model.content_word import LISTS, TEMPLATE_LENGTH

HOSTILE = [
    "{{ name.__class__.__mro__[1].__subclasses__() }}",
    "{{ name['__class__'] }}",
    "{{ name|attr('__class__') }}",
    "{{ ''.__class__ }}",
    "{{ name.upper() }}",
    "{{ recommended.append(1) }}",
    "{% for p in recommended %}{{ p.__class__ }}{% endfor %}",
    "{% for p in recommended %}{{ p.items }}{% endfor %}",
    "{{ self._TemplateReference__context }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ lipsum(100) }}",
    "{{ range(10) }}",
    "{% for i in range(1000000000) %}x{% endfor %}",
    "{% for i in range(51) %}x{% endfor %}",
    "{% for i in range(0, 50, 0) %}x{% endfor %}",
    "{% for i in range(10) %}{% for j in range(10) %}{% for k in range(10) %}x{% endfor %}{% endfor %}{% endfor %}",
    "{% for c in name %}{{ c }}{% endfor %}",
    "{% for p in recommended recursive %}{{ loop(recommended) }}{% endfor %}",
    "{{ 'x' * 1000000000 }}",
    "{{ 10 ** 100000000 }}",
    "{{ '%0999999999d' % 1 }}",
    "{{ name|center(1000000000) }}",
    "{{ name|replace('', 'xxxx') }}",
    "{% set name = name ~ name %}",
    "{% macro x() %}{{ x() }}{% endmacro %}{{ x() }}",
    "{% include '/etc/passwd' %}",
    "{% import 'x' as y %}",
    "{% extends 'x' %}",
    "{% filter upper %}x{% endfilter %}",
    "{% block a %}{% block b %}{% endblock %}{% endblock %}",
    "{{ [1] }}",
    "{{ {'a': 1} }}",
    "{{ name is sameas name }}",
    "{{ name|safe }}",
    "{{ secret }}",
    "{{ name",
    "{% if name %}",
    "{{ " + "(" * 400 + "name" + ")" * 400 + " }}",
    "x" * (TEMPLATE_LENGTH + 1),
]


@pytest.mark.parametrize("template", HOSTILE, ids=lambda template: template[:50])
def test_a_hostile_template_is_refused_when_it_is_checked(template: str) -> None:
    began = time.process_time()
    found = faults(template)
    assert found
    assert time.process_time() - began < 2
    assert all(fault.what.format(**fault.facts) and (fault.instead or fault.known) for fault in found)


@pytest.mark.parametrize(
    "template",
    [
        "{{ name or '您好' }}，{{ company }}",
        "{% if city == '上海' and not name %}a{% elif province is defined %}b{% else %}c{% endif %}",
        "{% for product in recommended[:3] %}{{ loop.index }}. {{ product.name }} {{ product['code'] }}{% endfor %}",
        "{% for i in range(5) %}★{% endfor %}",
        "{{ recommended[0].name }} {{ (recommended|first).code }} {{ name|upper|trim }}",
        "{{ name if city else company }} {{ city ~ province }} {# a note #}",
        *(f"{{{{ {word} }}}}" for word in CONTENT_WORDS),
    ],
)
def test_what_a_content_needs_is_allowed(template: str) -> None:
    assert faults(template) == []


def test_a_fault_says_its_line() -> None:
    assert [(fault.line, fault.facts["word"]) for fault in faults("a\n{{ nmae }}\n\n{{ cty }}")] == [
        (2, "nmae"),
        (4, "cty"),
    ]


def test_every_list_is_a_word() -> None:
    assert LISTS.keys() <= CONTENT_WORDS.keys()


@pytest.mark.requirement("R89")
@pytest.mark.parametrize(
    "body",
    [
        {"markdown": "{% if name %}[退订]({{ unsubscribe_url }}){% endif %}"},
        {"markdown": "{% for p in recommended %}\n[退订]({{ unsubscribe_url }})\n{% endfor %}"},
        {"markdown": "退订：{{ unsubscribe_url }}"},
        {"html": '<!-- <a href="{{ unsubscribe_url }}">退订</a> -->'},
        {"html": '<a style="display: none" href="{{ unsubscribe_url }}">退订</a>'},
        {"html": '<p title="{{ unsubscribe_url }}">退订</p>'},
        {"html": '<a href="{% if name %}{{ unsubscribe_url }}{% endif %}">退订</a>'},
        {"text": "{% if name %}{{ unsubscribe_url }}{% endif %}"},
        {"text": "{{ unsubscribe_url if name else '' }}{# {{ unsubscribe_url }} #}"},
        {"markdown": "[退订]({{ unsubscribe_url }})", "text": "{% if name %}{{ unsubscribe_url }}{% endif %}"},
    ],
)
def test_everybody_can_leave(body: dict[str, str]) -> None:
    message = content(**body).message("zh_CN").saying({})
    assert any("unsubscribe" in fault.what for fault in html_faults(message, "zh_CN"))


@pytest.mark.parametrize(
    "html",
    [
        "<script>{{ name }}</script>",
        '<a href="{{ name }}">x</a>',
        '<a href="{{ name or unsubscribe_url }}">x</a>',
        '<a href="javascript:alert(1)">x</a>',
        '<a href=" javascript:alert(1)">x</a>',
        '<img src="{{ city }}.png">',
        "<a title={{ name }}>x</a>",
        '<p onclick="x()">x</p>',
        '<p style="color: {{ name }}">x</p>',
        "<style>p { color: {{ name }} }</style>",
        "<{{ name }}>x",
        '<p {{ name }}="x">x</p>',
        '<iframe src="https://example.com"></iframe>',
        '<link rel="stylesheet" href="/etc/passwd">',
        '<base href="https://evil.example.com">',
        '<form action="https://example.com"><input></form>',
    ],
)
def test_html_that_no_mail_holds_is_refused(html: str) -> None:
    message = content(html=f'{html}<a href="{{{{ unsubscribe_url }}}}">退订</a>').message("zh_CN").saying({})
    assert list(html_faults(message, "zh_CN"))


def test_html_as_mails_have_it_is_right() -> None:
    html = (
        '<html><head><title>x</title><style>p { color: red }</style></head><body><p class="{% if name %}a{% endif %}">{{ name }}</p>\n'
        '<a href="https://example.com/?a={{ city|urlencode }}"><img src="https://example.com/a.png" alt="图"></a>\n'
        '<a href="{{ unsubscribe_url }}">退订</a> <a href="mailto:a@example.com">写信</a></body></html>'
    )
    assert list(html_faults(content(html=html).message("zh_CN").saying({}), "zh_CN")) == []
