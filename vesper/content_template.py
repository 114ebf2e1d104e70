"""What a template of a content may do: name words, ask for one, go over the few products recommended. Nothing else, so that none can loop for
ever, grow without bound or look into what it was given.

What belongs here: the two environments (text, HTML) and the check of one template. What does not: Markdown, HTML and CSS around it
(`vesper/content_markup.py`), filling (`vesper/content.py`).

A template is refused when it is checked; the sandbox refuses it once more when it is filled.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, TemplateSyntaxError, nodes
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from vesper.model.content_word import CONTENT_WORDS, LIST_LENGTH, LISTS, TEMPLATE_LENGTH

FILTERS = (
    "default",
    "e",
    "escape",
    "first",
    "int",
    "join",
    "last",
    "length",
    "lower",
    "title",
    "trim",
    "upper",
    "urlencode",
)
TESTS = ("defined", "undefined", "none", "equalto", "eq", "ne", "gt", "ge", "lt", "le")
OF_LOOP = frozenset({"first", "last", "index", "index0", "length"})
DEPTH = 2
"""Loops inside each other."""
_STATEMENTS: tuple[type[nodes.Node], ...] = (nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For)
_EXPRESSIONS: tuple[type[nodes.Node], ...] = (
    nodes.Name, nodes.Const, nodes.Filter, nodes.Test, nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not,
    nodes.Concat, nodes.Getattr, nodes.Getitem, nodes.Slice, nodes.Call, nodes.Keyword,
)  # fmt: skip
ALLOWED = _STATEMENTS + _EXPRESSIONS


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja over plain texts: the fields of a product can be read, and nothing else has attributes."""

    def __init__(self, *, autoescape: bool) -> None:
        super().__init__(undefined=StrictUndefined, autoescape=autoescape, trim_blocks=True, lstrip_blocks=True)
        self.filters = {name: self.filters[name] for name in FILTERS}
        self.tests = {name: self.tests[name] for name in TESTS}
        self.globals = {"range": _short_range}

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Only where a loop stands; fields of products are items of a mapping, not attributes."""
        return isinstance(obj, LoopContext) and attr in OF_LOOP


def _short_range(*bounds: int) -> range:
    counted = range(*bounds)
    if len(counted) > LIST_LENGTH:
        raise OverflowError("range")
    return counted


TEXT = Sandbox(autoescape=False)
HTML = Sandbox(autoescape=True)


@dataclass(frozen=True)
class Fault:
    """What is wrong with a template: the line inside it, a sentence and a hint (message ids), and their facts."""

    line: int
    what: str
    instead: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    word: str = ""
    """A word that nobody knows; the hint is then the nearest of `known`."""
    known: tuple[str, ...] = ()
    part: str = ""
    """The body that it is in, where it is not the one that the whole is made from."""


def _(text: str) -> str:
    """Marks a message id; it is translated when the problem is shown."""
    return text


def faults(template: str) -> list[Fault]:
    """Everything that a template may not do, in the order of its lines; none when it can be filled."""
    if len(template) > TEMPLATE_LENGTH:
        facts = {"most": TEMPLATE_LENGTH}
        return [Fault(1, _("The template is longer than {most} characters."), _("Shorten it."), facts)]
    try:
        tree = TEXT.parse(template)
    except TemplateSyntaxError as error:
        reason = {"reason": str(error.message).rstrip(".")}
        what = _("The template cannot be read: {reason}.")
        return [Fault(error.lineno, what, _("Check the braces around {{ and }}."), reason)]
    except RecursionError:
        return [Fault(1, _("The template is nested too deeply."), _("Write it flat."))]
    return sorted(_Reader().read(tree), key=lambda found: found.line)


def is_always_said(template: str, word: str) -> bool:
    """Whether a word comes out of a template whatever the person: outside of every `if` and `for`."""
    outputs = [node for node in TEXT.parse(template).body if isinstance(node, nodes.Output)]
    return any(isinstance(part, nodes.Name) and part.name == word for output in outputs for part in output.nodes)


@lru_cache(maxsize=1024)
def words_of(template: str) -> frozenset[str]:
    """The words that filling a template asks for."""
    return frozenset(node.name for node in TEXT.parse(template).find_all(nodes.Name)) & CONTENT_WORDS.keys()


class _Reader:
    """One look through a template's tree. `entries` are the names that loops give to an entry, with the fields it has."""

    def __init__(self) -> None:
        self.entries: dict[str, frozenset[str]] = {}

    def read(self, node: nodes.Node, depth: int = 0) -> Iterator[Fault]:
        judge: Callable[[Any], Iterator[Fault]] | None = getattr(self, f"_{type(node).__name__.lower()}", None)
        if not isinstance(node, ALLOWED):
            facts = {"word": re.sub(r"(?<!^)(?=[A-Z])", " ", type(node).__name__).lower()}
            what = _("A template may not use this: {word}.")
            yield Fault(node.lineno, what, _("It may name words, ask with if, and loop over recommended."), facts)
            return
        if isinstance(node, nodes.For):
            yield from self._loop(node, depth)
            return
        if judge is not None:
            yield from judge(node)
        for inner in node.iter_child_nodes():
            yield from self.read(inner, depth)

    def _loop(self, node: nodes.For, depth: int) -> Iterator[Fault]:
        over = (
            node.iter.node
            if isinstance(node.iter, nodes.Getitem) and isinstance(node.iter.arg, nodes.Slice)
            else node.iter
        )
        bound = _range_of(over)
        if depth >= DEPTH:
            what = _("Loops stand more than {most} deep inside each other.")
            yield Fault(node.lineno, what, _("Take one out."), {"most": DEPTH})
        is_list = isinstance(over, nodes.Name) and over.name in LISTS
        if node.recursive or node.test is not None or not (is_list or (bound is not None and bound <= LIST_LENGTH)):
            what = _("A loop goes over recommended, or over a range of at most {most}.")
            yield Fault(node.lineno, what, _("Write {% for product in recommended %}."), {"most": LIST_LENGTH})
        name = node.target.name if isinstance(node.target, nodes.Name) else ""
        before = dict(self.entries)
        self.entries |= {
            name: LISTS[over.name] if is_list and isinstance(over, nodes.Name) else frozenset(),
            "loop": OF_LOOP,
        }
        for inner in (*node.body, *node.else_):
            yield from self.read(inner, depth + 1)
        self.entries = before

    def _name(self, node: nodes.Name) -> Iterator[Fault]:
        if node.name not in CONTENT_WORDS and node.name not in self.entries:
            yield Fault(
                node.lineno,
                _("A content has no word {word}."),
                facts={"word": node.name},
                word=node.name,
                known=(*CONTENT_WORDS, *self.entries),
            )

    def _getattr(self, node: nodes.Getattr) -> Iterator[Fault]:
        yield from self._field(node, node.attr)

    def _getitem(self, node: nodes.Getitem) -> Iterator[Fault]:
        """An entry by its place, or a field by its name."""
        if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, int):
            return
        if isinstance(node.arg, nodes.Const):
            yield from self._field(node, str(node.arg.value))
        else:
            yield from self._field(node, "[...]")

    def _field(self, node: Any, name: str) -> Iterator[Fault]:
        fields = self.entries.get(node.node.name, frozenset()) if isinstance(node.node, nodes.Name) else frozenset()
        first = isinstance(node.node, nodes.Getitem | nodes.Filter)  # recommended[0].name, (recommended|first).name
        if name not in fields and not (first and name in LISTS["recommended"]):
            what = _("A template may not read .{word}.")
            yield Fault(node.lineno, what, _("A product has name and code; a word has no parts."), {"word": name})

    def _filter(self, node: nodes.Filter) -> Iterator[Fault]:
        if node.name not in FILTERS:
            yield Fault(
                node.lineno,
                _("There is no filter {word} here."),
                facts={"word": node.name},
                word=node.name,
                known=FILTERS,
            )

    def _test(self, node: nodes.Test) -> Iterator[Fault]:
        if node.name not in TESTS:
            yield Fault(
                node.lineno, _("There is no test {word} here."), facts={"word": node.name}, word=node.name, known=TESTS
            )

    def _call(self, node: nodes.Call) -> Iterator[Fault]:
        yield Fault(node.lineno, _("A template calls nothing."), _("Only a loop may say range(...), with a number."))


def _range_of(node: nodes.Node) -> int | None:
    """How long a `range` of whole numbers is; None for anything else."""
    is_range = isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name == "range"
    if not is_range or not isinstance(node, nodes.Call) or node.kwargs or node.dyn_args or node.dyn_kwargs:
        return None
    bounds = [one.value for one in node.args if isinstance(one, nodes.Const) and isinstance(one.value, int)]
    if not bounds or len(bounds) != len(node.args) or len(bounds) > 3 or (len(bounds) == 3 and bounds[2] == 0):
        return None
    return len(range(*bounds)) if max(map(abs, bounds)) < 10**9 else None
