"""Experiments: what they name exists, one thing is asked at a time, and the audience can give the people that an answer needs (R92)."""

from collections.abc import Iterator
from itertools import combinations

from vesper.checks.book import Book, unknown
from vesper.language import Translate
from vesper.model.campaign import Campaign
from vesper.model.content import DEFAULT, Content
from vesper.model.experiment import Experiment
from vesper.model.from_matrix import FromMatrix
from vesper.model.journey import Journey
from vesper.model.outreach import Outreach
from vesper.problem import Problem
from vesper.reading import Reading

MARKETING = "marketing"


def problems(book: Book, _: Translate) -> Iterator[Problem]:
    """What is wrong with the experiments, with holdouts, and with variants that nobody would ever get."""
    outreaches = {reading.id: outreach for reading, outreach in book.of(Outreach)}
    for reading, experiment in book.of(Experiment):
        outreach = outreaches.get(experiment.about or "")
        yield from _names(book, reading, experiment, outreach, _)
        yield from _arms(book, reading, experiment, outreach, _)
        yield from _metric(book, reading, experiment, _)
        yield from _size(reading, experiment, outreach, _)
    yield from _overlaps(book, _)
    yield from _variants_of_nobody(book, _)
    for reading, outreach in book.of(Outreach):
        if outreach.holdout and outreach.purpose != MARKETING:
            what = _("A holdout withholds marketing, and this is {purpose}.").format(purpose=outreach.purpose)
            yield reading.problem(("holdout",), what, _("Leave out holdout."))


def _names(
    book: Book, reading: Reading, experiment: Experiment, outreach: Outreach | None, _: Translate
) -> Iterator[Problem]:
    if experiment.segment is not None:
        what = _("There is no segment {word}.")
        yield from unknown(reading, ("segment",), what, experiment.segment, book.ids("segments"), _)
    if experiment.about is None:
        return
    known = book.ids("campaigns") | book.ids("journeys")
    yield from unknown(reading, ("about",), _("There is no campaign or journey {word}."), experiment.about, known, _)
    if isinstance(outreach, Journey):
        sending = {step.id for step in outreach.steps if step.send is not None}
        if experiment.step is None:
            what = _("Nothing says which step of the journey {word} the experiment is about.")
            yield reading.problem(("about",), what.format(word=outreach.id), _("Write step, a step that sends."))
        else:
            what = _("The journey has no sending step {word}.")
            yield from unknown(reading, ("step",), what, experiment.step, sending, _)
    elif isinstance(outreach, Campaign) and experiment.step is not None:
        yield reading.problem(("step",), _("A campaign has no steps."), _("Leave out step."))


def _arms(
    book: Book, reading: Reading, experiment: Experiment, outreach: Outreach | None, _: Translate
) -> Iterator[Problem]:
    contents = {one.id: content for one, content in book.of(Content)}
    sent = _sent(outreach, experiment)
    if isinstance(sent, FromMatrix):
        what = _("A matrix says what each person gets, so no arm can say something else.")
        yield reading.problem(("about",), what, _("Send one content there, or experiment somewhere else."))
        return
    content = contents.get(sent or "")
    for place, arm in enumerate(experiment.arms):
        path = ("arms", place, arm.kind)
        if arm.content is not None:
            yield from unknown(reading, path, _("There is no content {word}."), arm.content, book.ids("content"), _)
        elif arm.journey is not None:
            yield from unknown(reading, path, _("There is no journey {word}."), arm.journey, book.ids("journeys"), _)
        elif content is not None and arm.variant is not None:
            what = _("The content {content} has no variant {{word}}.").format(content=content.id)
            written = {variant.id for variant in content.variants} | ({DEFAULT} if content.messages else set())
            yield from unknown(reading, path, what, arm.variant, written, _)


def _metric(book: Book, reading: Reading, experiment: Experiment, _: Translate) -> Iterator[Problem]:
    metric = experiment.metric
    if metric.event is not None and book.knows_sources:
        what = _("No source brings the event {word}.")
        yield from unknown(reading, ("metric", "event"), what, metric.event, book.event_kinds, _)
    if metric.pool is not None:
        what = _("There is no pool of coupons {word}.")
        yield from unknown(reading, ("metric", "pool"), what, metric.pool, book.ids("coupons"), _)
    if experiment.horizon is not None and experiment.horizon.days <= metric.within.days:
        what = _("The test is read after {horizon}, and nobody's outcome is settled before {within}.")
        said = what.format(horizon=experiment.horizon, within=metric.within)
        yield reading.problem(("horizon",), said, _("Read it later, or count for a shorter time."))


def _size(reading: Reading, experiment: Experiment, outreach: Outreach | None, _: Translate) -> Iterator[Problem]:
    """More people than the audience can give: then the experiment cannot find what it looks for."""
    if outreach is None:
        return
    most = outreach.approved_people or outreach.max_people
    given = round(most * experiment.of_audience)
    if experiment.needed_people > given:
        what = _("The arms need {needed} people together, and {about} gives them {given} at most.")
        said = what.format(needed=experiment.needed_people, about=outreach.id, given=given)
        yield reading.problem(("smallest_effect",), said, _("Look for a larger effect, or ask more people."))


def _overlaps(book: Book, _: Translate) -> Iterator[Problem]:
    """Two experiments on the same message or the same journey at one time."""
    found = list(book.of(Experiment))
    for (_first, one), (reading, other) in combinations(found, 2):
        is_apart = one.ends_on < other.starts_on or other.ends_on < one.starts_on
        if not is_apart and _places(one) & _places(other):
            what = _("{first} asks the same people at the same place at the same time.").format(first=one.id)
            yield reading.problem(("starts_on",), what, _("Let one end before the other starts."))


def _places(experiment: Experiment) -> set[tuple[str, str]]:
    if experiment.is_of_journeys:
        return {("entry", arm.journey or "") for arm in experiment.arms}
    return {(experiment.about or "", experiment.step or "")}


def _variants_of_nobody(book: Book, _: Translate) -> Iterator[Problem]:
    """Variants without a condition that no experiment gives."""
    given = {arm.variant for _reading, experiment in book.of(Experiment) for arm in experiment.arms}
    for reading, content in book.of(Content):
        for place, variant in enumerate(content.variants):
            if variant.when is None and variant.id not in given:
                what = _("Nobody ever gets the variant {word}: it has no condition, and no experiment gives it.")
                yield reading.problem(("variants", place), what.format(word=variant.id), _("Write when."))


def _sent(outreach: Outreach | None, experiment: Experiment) -> str | FromMatrix | None:
    """The content of the place that the experiment is about; None where there is none."""
    if isinstance(outreach, Campaign):
        return outreach.content
    for step in outreach.steps if isinstance(outreach, Journey) else ():
        if step.id == experiment.step and step.send is not None:
            return step.send.content
    return None
