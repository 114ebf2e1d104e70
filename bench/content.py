"""`python -m bench.content [--json] [--mails N]`: what filling a personalised HTML mail costs, in CPU milliseconds of this process.

What belongs here: one mail of 8 kB in Markdown with words, a condition and a loop, compiled once and filled for different people. What does not:
MIME, ledger and wire (`bench/send_rate.py`), whether what is filled is right (tests/content).
"""

import argparse
import json
import time

from vesper.content import written
from vesper.model.content import Content
from vesper.model.content_word import CONTENT_WORDS

MAILS, SECTIONS = 20_000, 15
SECTION = "## {{{{ city }}}} · {number}\n\n{{{{ name or '您好' }}}}：{said}[看](https://example.com/{number})\n"
END = """{% if recommended %}
{% for product in recommended %}
- {{ product.name }}（{{ product.code }}）
{% endfor %}
{% endif %}

{{ company }} {{ address }} [退订]({{ unsubscribe_url }})
"""


def measured(mails: int) -> dict[str, float]:
    """Bytes of one mail's HTML and text, milliseconds to compile the content, milliseconds of CPU for each mail."""
    body = "\n".join(SECTION.format(number=number, said="正文" * 60) for number in range(SECTIONS))
    message = {"subject": "{{ name or '您好' }}，好久不见", "markdown": f"{body}\n{END}"}
    content = Content.model_validate({"id": "bench", "says": "8 kB", "owner": "bench", "messages": {"zh_CN": message}})
    began = time.process_time()
    compiled = written(content, "zh_CN")
    compiling = time.process_time() - began
    words = dict.fromkeys(CONTENT_WORDS, "字") | {"recommended": [{"name": "红外热像仪", "code": "TI60"}]}
    sample = compiled.fill(words)
    began = time.process_time()
    for number in range(mails):
        compiled.fill(words | {"name": f"<王{number}>", "unsubscribe_url": f"https://m.example.com/u/{number}?a=1&b=2"})
    filling = time.process_time() - began
    return {
        "html_bytes": len(sample.html.encode()),
        "text_bytes": len(sample.text.encode()),
        "compile_ms": round(compiling * 1000, 1),
        "fill_cpu_ms": round(filling / mails * 1000, 4),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="What filling a personalised HTML mail costs.")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--mails", type=int, default=MAILS)
    arguments = parser.parse_args()
    found = measured(arguments.mails)
    print(json.dumps(found) if arguments.json else "\n".join(f"{name}: {value}" for name, value in found.items()))


if __name__ == "__main__":
    main()
