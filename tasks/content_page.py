"""`vesper map`: the matrix of contents and the journey map as pages that people read, gaps by name; markdown, and HTML under `.vesper/maps/`.

What belongs here: the words of both pages. What does not: what a gap is (`vesper/model/`, `vesper/checks/`), choosing for contacts (`vesper/matrix.py`).
"""

import html
from collections.abc import Iterable, Sequence
from pathlib import Path

from markdown_it import MarkdownIt

from tasks.explain_asked import page, section, table
from tasks.sql import Unanswered
from vesper.checks.journey_map import said
from vesper.checks.matrix import cell
from vesper.definition_set import DefinitionSet
from vesper.language import Translate, translator
from vesper.load import load_definitions, read_workspace
from vesper.model.content import Content
from vesper.model.journey_map import JourneyMap, MapStage
from vesper.model.lifecycle import Lifecycle
from vesper.model.matrix import Matrix, MatrixRow
from vesper.model.tag import Tag
from vesper.nearest import suggestion

FOLDER = "maps"


def map_of(root: Path, id: str = "") -> str:
    """A matrix or a journey map in markdown; without an id, all of them. Reads the edited files. An HTML page of each is written beside it.

    Raises Unanswered for an id that is none, DefinitionsInvalid for wrong files.
    """
    workspace = read_workspace(Path(root).resolve())
    language = workspace.company.language
    _ = translator(language)
    known = load_definitions(workspace.root)
    pages = {
        f"journey_map/{one}": journey_page(journey, known, language) for one, journey in known.of(JourneyMap).items()
    }
    pages |= {f"matrix/{one}": matrix_page(matrix, known, language) for one, matrix in known.of(Matrix).items()}
    wanted = {key: text for key, text in pages.items() if id in ("", key, key.partition("/")[2])}
    if not wanted:
        what = (
            _("There is no matrix or journey map {word}.").format(word=id)
            if id
            else _("There is no matrix or journey map yet.")
        )
        raise Unanswered(f"{what} {suggestion(id, pages, _)}" if id else what)
    for key, text in wanted.items():
        _write(workspace.store / FOLDER / f"{key.replace('/', '_')}.html", text, language)
    return "\n".join(wanted.values())


def journey_page(journey: JourneyMap, known: DefinitionSet, language: str) -> str:
    """A journey map: a table of the stages, one of the Cs, and the gaps."""
    _ = translator(language)
    heads = [_("stage"), _("need"), _("behaviour"), _("key touchpoint"), _("channel"), _("content")]
    rows = [row for stage in journey.stages for row in _stage_rows(stage, known, language, _)]
    parts = [journey.says.of(language), section(_("Stages"), table(heads, rows))]
    if journey.four_c:
        cs = [aspect.name.of(language) for aspect in journey.four_c]
        cells = [[stage.title(language), *_cs(journey, stage, language)] for stage in journey.stages]
        parts.append(section(f"{_('stage')} × {len(cs)}C", table([_("stage"), *cs], cells)))
    titles = {stage.id: stage.title(language) for stage in journey.stages}
    gaps = [said(gap, titles[gap.stage.id], _, language) for gap in journey.gaps()]
    return page(journey.title(language), *parts, section(_("Gaps"), _listed(gaps, _)))


def _stage_rows(stage: MapStage, known: DefinitionSet, language: str, _: Translate) -> Iterable[Sequence[str]]:
    """A row for each touchpoint; need and behaviour stand in the first."""
    first = [stage.title(language), stage.need.of(language), stage.behaviour.of(language)]
    for one in stage.touchpoints:
        mark = "★ " if one.is_key else ""
        content = _content(one.content, known, language) if one.content else f"**{_('a gap')}**"
        yield [*first, f"{mark}{one.says.of(language)}", one.channel, content]
        first = ["", "", ""]
    if not stage.touchpoints:
        yield [*first, f"**{_('a gap')}**", "", ""]


def _cs(journey: JourneyMap, stage: MapStage, language: str) -> list[str]:
    cells = [stage.four_c.get(aspect.id, ()) for aspect in journey.four_c]
    return ["；".join(word.of(language) for word in cell) or "-" for cell in cells]


def matrix_page(matrix: Matrix, known: DefinitionSet, language: str) -> str:
    """A matrix: a row for each of its rows, and the gaps."""
    _ = translator(language)
    stages = {stage.id: stage.title(language) for one in known.of(Lifecycle).values() for stage in one.stages or ()}
    tags = {id: tag.title(language) for id, tag in known.of(Tag).items()}
    rows = [
        [
            "、".join(stages.get(stage, stage) for stage in row.stages),
            "、".join(tags.get(tag, tag) for tag in row.bears) or "-",
            "、".join(tags.get(tag, tag) for tag in row.lacks) or "-",
            _content(row.content, known, language) if row.content else f"**{_('a gap')}**: {row.id}",
            ", ".join(row.channels or matrix.channels) if row.content else "-",
            _rule(row, known, language, _),
        ]
        for row in matrix.rows
    ]
    heads = [
        _("stage"),
        _("bears the tags"),
        _("lacks the tags"),
        _("content"),
        _("channels in order"),
        _("dynamic rule"),
    ]
    gaps = [f"{row.id}: {row.gap.of(language)}" for row in matrix.rows if row.gap is not None]
    for stage in stages:
        gaps += [
            _("The matrix has nothing for {cell}.").format(
                cell=cell(stages[stage], tuple(tags.get(t, t) for t in bears), tuple(tags.get(t, t) for t in lacks), _)
            )
            for bears, lacks in matrix.gaps(stage)
        ]
    note = _("A channel that the person prefers goes before the others (event prefers_<channel>).")
    return page(
        matrix.title(language), matrix.says.of(language), table(heads, rows), note, section(_("Gaps"), _listed(gaps, _))
    )


def _rule(row: MatrixRow, known: DefinitionSet, language: str, _: Translate) -> str:
    content = known.of(Content).get(row.content or "")
    if content is None:
        return "-"
    if not row.is_dynamic:
        return _("always {variant}").format(variant=_(row.rule))
    return "；".join(one.says.of(language) if one.says else one.id for one in content.variants) or _(
        "the same for everybody"
    )


def _content(id: str, known: DefinitionSet, language: str) -> str:
    content = known.of(Content).get(id)
    return f"{content.title(language)} (`{id}`)" if content else f"`{id}`"


def _listed(lines: Sequence[str], _: Translate) -> str:
    return "\n".join(f"- {line}" for line in lines) or _("None.")


def _write(file: Path, text: str, language: str) -> None:
    """The page as HTML that stands alone."""
    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    style = (
        "body{font:15px/1.5 sans-serif;margin:24px;color:#222}table{border-collapse:collapse}"
        "td,th{border:1px solid #ccc;padding:6px 10px;text-align:left;vertical-align:top}"
    )
    title = html.escape(text.partition("\n")[0].lstrip("# "))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        f'<!doctype html><html lang="{language.replace("_", "-")}"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{style}</style></head><body>{body}</body></html>\n",
        encoding="utf-8",
    )
