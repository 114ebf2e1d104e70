"""`vesper preview`: what a campaign, a journey or a content says to a few real people, masked, each variant at least once, both parts of the mail.

What belongs here: choosing whom to show, filling, and the two pages: markdown for forms and the terminal, HTML under `.vesper/preview/`. What does
not: who gets which variant (`vesper/content_variant.py`), sending. The edited files are shown, so that one looks before anything comes into force;
nothing is planned, recorded or sent.
"""

import html
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tasks.explain_asked import page, section, table
from tasks.sql import Unanswered, bind_published, open_to_read, published
from vesper.content import ContentError, Rendered, written
from vesper.content_people import PERSONAL, sampled, spread
from vesper.content_variant import variant_of
from vesper.definition_set import DefinitionSet
from vesper.language import Translate, translator
from vesper.load import definition_set, definition_texts
from vesper.marts import reads
from vesper.marts.segment_member import SEGMENT_MEMBER
from vesper.matrix import choice
from vesper.model.campaign import Campaign
from vesper.model.content import Content
from vesper.model.from_matrix import FromMatrix
from vesper.model.journey import Journey
from vesper.model.matrix import Matrix
from vesper.model.workspace import Workspace
from vesper.nearest import suggestion
from vesper.night import Night
from vesper.sent import sent_by
from vesper.tables.contact import CONTACT
from vesper.tables.declare import METADATA, PREVIOUS
from warehouse.house import House
from warehouse.runner import Runner

PEOPLE = 6
FOLDER = "preview"


@dataclass(frozen=True)
class Shown:
    """One message as somebody would get it; `to` and the person's words are masked. `to` is empty where nobody has the variant tonight."""

    content_id: str
    variant: str
    to: str
    mail: Rendered


@dataclass
class Preview:
    """What was previewed: how many people each variant has, and the messages shown. `silent` people get nothing: no variant is written for them."""

    id: str
    is_marketing: bool
    people: list[dict[str, Any]] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)
    silent: int = 0
    file: Path | None = None


def preview(root: Path, id: str, people: int = PEOPLE) -> str:
    """The preview in markdown, in the workspace's language; the HTML page is written beside it.

    Raises Unanswered for an id that is no campaign, journey, content or matrix, or while no night has run; DefinitionsInvalid for wrong files.
    """
    with open_to_read(root) as house:
        found = previewed(house, id, people)
        _ = translator(house.workspace.company.language)
        found.file = _write(house.workspace.store / FOLDER / f"{id}.html", found, house.workspace, _)
        return worded(found, house.workspace, _)


def previewed(house: House, id: str, people: int = PEOPLE) -> Preview:
    """The preview as data."""
    workspace = house.workspace
    _ = translator(workspace.company.language)
    newest = published(house).get(CONTACT.name)
    if newest is None:
        raise Unanswered(_("No night has run in this workspace yet; start one with `vesper run nightly`."))
    files = definition_set(definition_texts(workspace.root), _)
    night = Night(newest.business_on, workspace, files)
    chosen, contents = _chosen(id, night, _)
    found = Preview(id, _is_marketing(id, files))
    with Runner(house.lake) as runner:
        bind_published(house, runner)
        counted = _rows(runner, spread(chosen))
        found.people = [row._asdict() for row in counted if row.variant is not None]
        found.silent = sum(row.people for row in counted if row.variant is None)
        found.shown = list(
            _messages(_rows(runner, sampled(_written_for(chosen), people)), contents, found, workspace, _)
        )
    return found


def _chosen(id: str, night: Night, _: Translate) -> tuple[sa.Select[Any], dict[str, Content]]:
    """Who gets what: contact_id, content_id, variant; and the contents."""
    known = night.definitions
    campaign, journey = known.of(Campaign).get(id), known.of(Journey).get(id)
    if campaign is not None:
        members = sa.select(SEGMENT_MEMBER.c.contact_id).where(SEGMENT_MEMBER.c.segment_id == campaign.segment)
        return _of_sent([sent.content for sent in sent_by(campaign)], night, members)
    if journey is not None and sent_by(journey):
        return _of_sent([sent.content for sent in sent_by(journey)], night)
    if id in known.of(Matrix):
        return _of_sent([FromMatrix(matrix=id)], night)
    if id in known.of(Content):
        content = known.one(Content, id)
        return _of_content(content, night), {id: content}
    names = [*known.of(Campaign), *known.of(Journey), *known.of(Content), *known.of(Matrix)]
    said = _("{word} is no campaign, journey, content or matrix.").format(word=id)
    raise Unanswered(f"{said} {suggestion(id, names, _)}")


def _of_sent(
    sent: Iterable[str | FromMatrix], night: Night, members: sa.Select[Any] | None = None
) -> tuple[sa.Select[Any], dict[str, Content]]:
    """Of several contents and matrices, each once."""
    known = night.definitions
    matrices = {one.matrix: known.one(Matrix, one.matrix) for one in sent if isinstance(one, FromMatrix)}
    contents = {one: known.one(Content, one) for one in sent if isinstance(one, str)}
    parts = [_of_content(content, night, members) for _id, content in sorted(contents.items())]
    parts += [_of_matrix(matrix, night, members) for _id, matrix in sorted(matrices.items())]
    behind = {row.content for matrix in matrices.values() for row in matrix.rows if row.content}
    contents |= {id: known.one(Content, id) for id in sorted(behind)}
    return (parts[0] if len(parts) == 1 else sa.select(sa.union_all(*parts).subquery("contents"))), contents


def _of_matrix(matrix: Matrix, night: Night, members: sa.Select[Any] | None = None) -> sa.Select[Any]:
    """Whom the matrix has a content for."""
    picked = choice(matrix, night).cte(f"picked_{matrix.id}")
    found = sa.select(picked.c.contact_id, picked.c.content_id, picked.c.variant).where(picked.c.gap.is_(None))
    return found if members is None else found.where(picked.c.contact_id.in_(members))


def _of_content(content: Content, night: Night, member: sa.Select[Any] | None = None) -> sa.Select[Any]:
    everybody = variant_of(content, night).cte(f"variants_{content.id}")
    found = sa.select(everybody.c.contact_id, sa.literal(content.id).label("content_id"), everybody.c.variant)
    return found if member is None else found.where(everybody.c.contact_id.in_(member))


def _written_for(chosen: sa.Select[Any]) -> sa.Select[Any]:
    all_of = chosen.cte("written_for")
    return sa.select(all_of).where(all_of.c.variant.is_not(None))


def _is_marketing(id: str, definitions: DefinitionSet) -> bool:
    """Whether the subject would carry 广告: unless what is previewed says that it is no marketing."""
    outreach = definitions.of(Campaign).get(id) or definitions.of(Journey).get(id)
    return outreach is None or outreach.purpose == "marketing"


def _rows(runner: Runner, select: sa.Select[Any]) -> list[Any]:
    """Rows over the published tables; one that no night has published reads as empty."""
    for name in sorted(reads(select) - runner.bound.keys()):
        base = METADATA.tables[name.removesuffix(PREVIOUS)]
        runner.bind_snapshot(base.to_metadata(sa.MetaData(), name=name), None)
    return runner.rows(select)


def _messages(
    rows: Iterable[Any], contents: Mapping[str, Content], found: Preview, workspace: Workspace, _: Translate
) -> Iterable[Shown]:
    """A message for each row, then one for each variant that nobody has."""
    language = workspace.company.language
    compiled = {id: written(content, language) for id, content in contents.items()}
    met: set[tuple[str, str]] = set()
    for row in rows:
        met.add((row.content_id, row.variant))
        words = {word: getattr(row, word) or "" for word in PERSONAL} | _words(workspace, _)
        mail = _filled(compiled[row.content_id], words, row.variant, found.is_marketing)
        yield Shown(row.content_id, row.variant, row.address or "-", mail)
    named = {row["content_id"] for row in found.people} | (contents.keys() if len(contents) == 1 else set())
    for id in sorted(named):
        for variant in compiled[id].variants:
            if (id, variant) not in met:
                words = dict.fromkeys(PERSONAL, "") | _words(workspace, _)
                yield Shown(id, variant, "", _filled(compiled[id], words, variant, found.is_marketing))


def _filled(content: Any, words: Mapping[str, Any], variant: str, is_marketing: bool) -> Rendered:
    """The mail, and below it what is said on other channels; of a content without a mail these alone."""
    try:
        said = "\n".join(f"[{key}] {text}" for key, text in content.fill_shorts(words, variant).items())
        if not content.variants[variant].is_mail:
            return Rendered("-", said, f"<pre>{html.escape(said)}</pre>")
        filled: Rendered = content.fill(words, variant, is_marketing=is_marketing)
        return replace(filled, text=f"{filled.text}\n{said}") if said else filled
    except ContentError as error:
        return Rendered(str(error), str(error), html.escape(str(error)))


def _words(workspace: Workspace, _: Translate) -> dict[str, Any]:
    """What only a sending knows, in its place something that says so."""
    base = workspace.intake.address or "https://example.com"
    return {
        "company": workspace.company.name,
        "address": workspace.mail.postal_address,
        "unsubscribe_url": f"{base}/preview/unsubscribe",
        "preference_url": f"{base}/preview/preferences",
        "coupon_code": "PREVIEW-0000",
        "coupon_expires_on": "2099-12-31",
        "recommended": [
            {"name": _("Product {letter}").format(letter=letter), "code": f"P-{letter}"} for letter in "AB"
        ],
    }


def worded(found: Preview, workspace: Workspace, _: Translate) -> str:
    """The preview in markdown."""
    said = _("What the edited files would say, to real people; names and addresses are masked, nothing is sent.")
    rows = [[row["content_id"], _(row["variant"]), f"{row['people']:,}"] for row in found.people]
    parts = [section(_("Who gets what"), table([_("content"), _("variant"), _("people")], rows) or "-")]
    if found.silent:
        parts.append(_("People for whom nothing is written (no_variant): {count}.").format(count=f"{found.silent:,}"))
    for one in found.shown:
        to = one.to or _("nobody tonight")
        head = f"- {_('variant')}: {_(one.variant)}\n- {_('to')}: {to}\n- {_('subject')}: {one.mail.subject}"
        parts.append(section(f"{one.content_id} · {_(one.variant)}", f"{head}\n\n{_fenced(one.mail.text)}"))
    if found.file:
        parts.append(_("Both parts of each mail stand in {file}.").format(file=found.file.relative_to(workspace.root)))
    return page(_("Preview of {id}").format(id=found.id), said, *parts)


def _fenced(text: str) -> str:
    """A text as it is; a fence inside it does not end the block."""
    fence = "```" if "```" not in text else "`````"
    return f"{fence}text\n{text.strip()}\n{fence}"


def _write(file: Path, found: Preview, workspace: Workspace, _: Translate) -> Path:
    """The HTML page: each mail in a frame of its own that can run and fetch nothing, its plain text beside it."""
    cards = "".join(
        f"<section><h2>{html.escape(one.content_id)} · {html.escape(_(one.variant))}</h2>"
        f"<p>{html.escape(_('to'))}: {html.escape(one.to or _('nobody tonight'))}<br>"
        f"{html.escape(_('subject'))}: <b>{html.escape(one.mail.subject)}</b></p>"
        f'<div><iframe sandbox="" srcdoc="{html.escape(one.mail.html)}"></iframe>'
        f"<pre>{html.escape(one.mail.text)}</pre></div></section>\n"
        for one in found.shown
    )
    style = (
        "body{font:15px/1.5 sans-serif;margin:24px;color:#222}section{margin:0 0 40px}div{display:flex;gap:16px}"
        "iframe,pre{flex:1;min-width:0;height:520px;border:1px solid #ccc;overflow:auto;margin:0}pre{padding:12px;white-space:pre-wrap}"
    )
    title = html.escape(_("Preview of {id}").format(id=found.id))
    note = f"<p>{html.escape(workspace.company.composed)}</p>" if workspace.company.composed else ""
    language = workspace.company.language.replace("_", "-")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{style}</style></head><body><h1>{title}</h1>{note}\n{cards}</body></html>\n",
        encoding="utf-8",
    )
    return file
