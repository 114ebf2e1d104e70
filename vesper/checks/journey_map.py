"""Journey maps: the contents, stages, personas and Cs that they name exist; what is missing in one is told by name."""

from collections.abc import Iterator

from vesper.checks.book import Book, unknown, unknown_stage
from vesper.language import Translate
from vesper.model.journey_map import Gap, JourneyMap, MapStage
from vesper.problem import Problem
from vesper.reading import Reading

# Kind of gap -> what is said of it, what to do.
GAPS = {
    "touchpoint": ("In {stage} the company meets nobody.", "Write a touchpoint."),
    "key": ("{stage} has no key touchpoint.", "Mark one of its touchpoints with is_key: true."),
    "content": ("The touchpoint of {stage} has no content: {of}", "Write a content and name it here."),
    "c": ("{stage} says nothing of {of}.", "Write it under four_c."),
}


def problems(book: Book, _: Translate) -> Iterator[Problem]:
    """What is wrong with the maps."""
    for reading, journey in book.of(JourneyMap):
        if journey.persona:
            what, known = _("There is no persona {word}."), book.ids("personas")
            yield from unknown(reading, ("persona",), what, journey.persona, known, _)
        aspects = {aspect.id for aspect in journey.four_c}
        for place, stage in enumerate(journey.stages):
            yield from _stage(book, reading, place, stage, aspects, _)


def warnings(book: Book, _: Translate) -> Iterator[Problem]:
    """The gaps of each map, and the lifecycle stages that it passes over."""
    for reading, journey in book.of(JourneyMap):
        for gap in journey.gaps():
            yield reading.problem(gap.path, said(gap, str(gap.stage.id), _), _(GAPS[gap.kind][1]))
        mapped = {stage for one in journey.stages for stage in one.stages}
        for stage in (one.id for one in book.stages if one.id not in mapped):
            what = _("No stage of the map stands for the lifecycle stage {word}.").format(word=stage)
            yield reading.problem(("stages",), what, _("Name it under stages of one of them."))


def said(gap: Gap, stage: str, _: Translate, language: str = "") -> str:
    """A gap as a sentence."""
    of = gap.of.of(language) if hasattr(gap.of, "of") else str(gap.of)
    return _(GAPS[gap.kind][0]).format(stage=stage, of=of)


def _stage(
    book: Book, reading: Reading, place: int, stage: MapStage, aspects: set[str], _: Translate
) -> Iterator[Problem]:
    path = ("stages", place)
    for number, id in enumerate(stage.stages):
        yield from unknown_stage(book, reading, (*path, "stages", number), id, _)
    for aspect in stage.four_c:
        what = _("{word} is none of the Cs of this map.")
        yield from unknown(reading, (*path, "four_c", aspect), what, aspect, aspects, _)
    for number, touchpoint in enumerate(stage.touchpoints):
        if touchpoint.content:
            where = (*path, "touchpoints", number, "content")
            what = _("There is no content {word}.")
            yield from unknown(reading, where, what, touchpoint.content, book.ids("content"), _)
