"""Company-wide definitions: the one lifecycle, caps, monitored figures, names that are taken, facts that examples state."""

from collections.abc import Iterator

from vesper.checks.book import MAIN, Book, is_shipped, unknown, unknown_stage
from vesper.language import Translate
from vesper.model.condition import Path
from vesper.model.example import Given
from vesper.model.lead import LeadPolicy
from vesper.model.lifecycle import Lifecycle
from vesper.model.policy import FrequencyPolicy, MonitorPolicy
from vesper.model.sales import SalesPolicy
from vesper.model.scoring import RESERVED, ScoringRule
from vesper.presets import preset_ids
from vesper.problem import Problem
from vesper.reading import Reading


def problems(book: Book, _: Translate) -> Iterator[Problem]:
    """What is wrong with lifecycle, policies and examples."""
    yield from _lifecycle(book, _)
    for reading, rule in book.of(ScoringRule):
        if rule.id in RESERVED:
            what = _("A scoring rule cannot be called {word}: the score's own rows have that name.").format(
                word=rule.id
            )
            yield reading.problem((), what, _("Give the file another name."))
    for reading, policy in book.of(FrequencyPolicy):
        for name, cap in policy.caps.items():
            for place, stage in enumerate(cap.stages):
                # The shipped caps name the stages of every preset; a company has those of one.
                if book.stages and not is_shipped(reading):
                    yield from unknown_stage(book, reading, ("caps", name, "stages", place), stage, _)
    yield from _monitor(book, _)
    yield from _leads(book, _)
    yield from _sales(book, _)
    for reading in book.readings:
        yield from _examples(book, reading, _)


def _lifecycle(book: Book, _: Translate) -> Iterator[Problem]:
    """A company has one lifecycle, `main`; another file is a preset that main names, or nobody uses it."""
    named = {lifecycle.preset for _reading, lifecycle in book.of(Lifecycle) if lifecycle.preset}
    for reading, lifecycle in book.of(Lifecycle):
        if lifecycle.preset:
            known = preset_ids("lifecycle") | book.ids("lifecycle") - {reading.id}
            yield from unknown(reading, ("preset",), _("There is no lifecycle {word}."), lifecycle.preset, known, _)
        if lifecycle.id not in named | {MAIN}:
            what = _("Nobody uses the lifecycle {word}: a company's lifecycle is called main.").format(
                word=lifecycle.id
            )
            yield reading.problem((), what, _("Rename the file to main.yml, or name it as a preset there."))


def _leads(book: Book, _: Translate) -> Iterator[Problem]:
    """Events that no source brings could neither open a lead nor touch one."""
    for reading, policy in book.of(LeadPolicy):
        for key in ("opened_by", "touched_by") if book.knows_sources else ():
            for place, kind in enumerate(getattr(policy, key)):
                what = _("No source brings the event {word}.")
                yield from unknown(reading, (key, place), what, kind, book.event_kinds, _)


def _sales(book: Book, _: Translate) -> Iterator[Problem]:
    """Chat events that no source brings would hand nobody over."""
    for reading, policy in book.of(SalesPolicy):
        for place, kind in enumerate(policy.chat_intents if book.knows_sources else ()):
            what = _("No source brings the event {word}.")
            yield from unknown(reading, ("chat_intents", place), what, kind, book.event_kinds, _)


def _monitor(book: Book, _: Translate) -> Iterator[Problem]:
    """Figures that nobody measures."""
    for reading, policy in book.of(MonitorPolicy):
        # Imported here: the figures read tables, and most companies check single files.
        from vesper.watch import FIGURES

        for place, target in enumerate(policy.targets):
            path = ("targets", place, "metric")
            yield from unknown(reading, path, _("Nobody measures {word}."), target.metric, set(FIGURES), _)


def _examples(book: Book, reading: Reading, _: Translate) -> Iterator[Problem]:
    """Examples that state events and stages nobody knows would prove nothing."""
    for place, example in enumerate(getattr(reading.model, "examples", ())):
        yield from _given(book, reading, place, example.given, _)
    if isinstance(reading.model, Lifecycle) and reading.model.stages:
        own = {stage.id for stage in reading.model.stages}
        what = _("There is no lifecycle stage {word}.")
        for place, expected in enumerate(reading.model.examples):
            yield from unknown(reading, ("examples", place, "stage"), what, expected.stage, own, _)
            if expected.before:
                yield from unknown(reading, ("examples", place, "from"), what, expected.before, own, _)
        for place, stage in enumerate(reading.model.stages):
            for nth, before in enumerate(stage.comes_from or ()):
                yield from unknown(reading, ("stages", place, "from", nth), what, before, own, _)


def _given(book: Book, reading: Reading, place: int, given: Given, _: Translate) -> Iterator[Problem]:
    start: Path = ("examples", place, "given")
    for number, event in enumerate(given.events):
        if book.knows_sources:
            what = _("No source brings the event {word}.")
            yield from unknown(reading, (*start, "events", number, "kind"), what, event.kind, book.event_kinds, _)
    if given.stage and book.stages:
        yield from unknown_stage(book, reading, (*start, "stage"), given.stage, _)
    for number, id in enumerate(given.segments):
        what = _("There is no segment {word}.")
        yield from unknown(reading, (*start, "segments", number), what, id, book.ids("segments"), _)
