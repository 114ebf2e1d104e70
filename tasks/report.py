"""The report page of a night: one HTML file per language, made from the tables, with the Excel of the people to ask beside it.

What belongs here: reading each part once, writing the files. What does not: any rule (`vesper/`), any part's content (`tasks/report_page/`).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tasks.new_mqls import in_words
from tasks.report_page import Reader
from tasks.report_page.campaigns import (
    CampaignView,
    MessageView,
    TargetView,
    read_campaigns,
    read_funnel,
    read_messages,
    read_monitor,
)
from tasks.report_page.goals import GoalView, read_goals
from tasks.report_page.groups import GroupsView, read_groups
from tasks.report_page.headline import headline, lede, widest_market
from tasks.report_page.markets import MarketView, SourceView, read_markets, read_sources
from tasks.report_page.people import PeopleView, read_people
from tasks.report_page.quality import QualityView, read_quality
from tasks.report_page.sales import HandoverView, LeadView, read_handovers, read_leads
from tasks.report_page.wording import Wording
from vesper.language import translator
from vesper.model.definition import Definition
from vesper.model.sales import SalesPolicy
from vesper.model.scoring import ScoringRule
from vesper.model.source import Source
from vesper.night import Night
from vesper.stage_report import StageReport

PARTS = Path(__file__).parent / "report_page"
LANGUAGES = {"zh_CN": "中文", "en": "English"}
TIER_SHADES = ("#3246a8", "#7b88c6", "#b4bbdd", "#d9dced", "#eceef4")
DEEPEST = 0.92  # of the accent colour: the deepest shade of the gap map
DARK = 0.72  # the shade from which its text is white
SHADES = ("#e2e4ea", "#cdd1da", "#9aa1b1", "#3246a8", "#5b6272")


@dataclass(frozen=True)
class Picture:
    """Everything the page shows of one night, read once for all languages."""

    night: Night
    markets: list[MarketView]
    sources: list[SourceView]
    goals: list[GoalView]
    people: PeopleView
    groups: GroupsView
    leads: LeadView
    handovers: HandoverView
    messages: MessageView
    campaigns: CampaignView
    funnel: list[Any]
    monitor: list[TargetView]
    quality: QualityView

    @property
    def asked(self) -> list[MarketView]:
        """Markets with people to ask."""
        return [view for view in self.markets if view.people]


def write_report(runner: Reader, night: Night, reports: list[StageReport], folder: Path) -> Path:
    """Write the pages of a night into a folder and give the path of `index.html`, which is in the company's language.

    Only tables of the night and the stages' own reports are read; the clock is not, so the same night gives the same files.
    """
    picture = read_picture(runner, night, reports)
    folder.mkdir(parents=True, exist_ok=True)
    for language in LANGUAGES:
        _write_language(picture, language, folder)
    start = folder / "index.html"
    _write(start, (folder / page_name(night.workspace.company.language)).read_text(encoding="utf-8"))
    return start


def read_picture(runner: Reader, night: Night, reports: list[StageReport]) -> Picture:
    """Read every part of the page."""
    return Picture(
        night=night,
        markets=read_markets(runner, night),
        sources=read_sources(runner, night),
        goals=read_goals(runner, night),
        people=read_people(runner, night),
        groups=read_groups(runner, night),
        leads=read_leads(runner, night),
        handovers=read_handovers(runner, night),
        messages=read_messages(runner, night),
        campaigns=read_campaigns(runner, night),
        funnel=read_funnel(runner, night),
        monitor=read_monitor(runner, night),
        quality=read_quality(runner, night, reports),
    )


def page_name(language: str) -> str:
    return f"index.{language}.html"


def _write_language(picture: Picture, language: str, folder: Path) -> None:
    """The page of one language and, where somebody is to be asked, the list and the Excel of them."""
    company = picture.night.workspace.company
    words = Wording(language, translator(language), company.currency, picture.night.zone)
    people_page, workbook = f"people_to_ask.{language}.html", f"people_to_ask.{language}.xlsx"
    render = _renderer(picture.night, words)
    if picture.asked:
        _write_people(picture, words, render, folder, people_page, workbook)
    else:  # the list of an earlier night must not stand beside this one
        (folder / people_page).unlink(missing_ok=True)
        (folder / workbook).unlink(missing_ok=True)
    page = render(
        "page.html.j2",
        **_parts(picture, words),
        languages=[
            {"href": page_name(other), "title": title, "language": other[:2]}
            for other, title in LANGUAGES.items()
            if other != language
        ],
        people_page=people_page,
        workbook=workbook if picture.asked else "",
    )
    _write(folder / page_name(language), page)


def _parts(picture: Picture, words: Wording) -> dict[str, Any]:
    """What the template is filled with; a bar's length is a share of the longest thing it is compared with."""
    widest = max([1.0, *(view.widest_ratio for view in picture.markets)])
    moves = max([1, *(max(each.entered, each.left) for each in picture.people.segments)])
    charts = _charts(picture, words)
    darkest = _darkest(picture.markets)
    fields = dict.fromkeys(gap.field for view in picture.markets for gap in view.gaps)
    return {
        "markets": picture.markets,
        "sources": picture.sources,
        "goals": picture.goals,
        "people": picture.people,
        "groups": picture.groups,
        "leads": picture.leads,
        "handovers": picture.handovers,
        "messages": picture.messages,
        "campaigns": picture.campaigns,
        "funnel": picture.funnel,
        "monitor": picture.monitor,
        "quality": picture.quality,
        "headline": headline(picture.markets, words),
        "lede": lede(picture.markets, picture.people, picture.messages, words),
        "widest": widest_market(picture.markets),
        "gap_fields": list(fields),
        "band_edges": _band_edges(picture.markets),
        "charts": charts,
        "plotly": _plotly() if charts else "",
        "shades": SHADES,
        "at": lambda ratio: f"{ratio / widest * 100:.2f}%",
        "heat": lambda have_ratio: _heat(have_ratio, darkest),
        "darkest": darkest,
        "tier_shades": TIER_SHADES,
        "source_title": lambda id: _title(Source, id, picture.night, words),
        "reason_title": lambda code: _reason(code, picture.night, words),
        "rule_title": lambda id: _title(ScoringRule, id, picture.night, words),
        "reasons": lambda mql: in_words(mql.reasons, picture.night, words.language, words.say),
        "moved": lambda people: f"{people / moves * 100:.1f}%",
        "asked_fields": lambda view: _asked_fields(view, words),
    }


def _title(kind: type[Definition], id: str, night: Night, words: Wording) -> str:
    """What people call a definition; its id where it is defined no more."""
    known = night.definitions.of(kind)
    return known[id].title(words.language) if id in known else id


def _reason(code: str, night: Night, words: Wording) -> str:
    """What a code of sales means, in the words of policy/sales."""
    codes = {
        code: says
        for policy in night.definitions.of(SalesPolicy).values()
        for code, says in policy.reject_reasons.items()
    }
    return codes[code].of(words.language) if code in codes else words.outcome(code)


def _heat(have_ratio: float, darkest: float) -> str:
    """The shade of a cell of the gap map: the more is missing, the darker; on dark ones the text is white."""
    shade = min((1 - have_ratio) / darkest, 1) * DEEPEST
    return f"background:rgba(50,70,168,{shade:.2f})" + (";color:#fff" if shade > DARK else "")


def _darkest(markets: list[MarketView]) -> float:
    """The missing share that gets the deepest shade: the largest of tonight, rounded up to a tenth, so that small gaps can be told apart, too."""
    missing = [1 - gap.have_ratio for view in markets for gap in view.gaps if gap.have_ratio is not None]
    return max(math.ceil(max(missing, default=1.0) * 10), 1) / 10


def _band_edges(markets: list[MarketView]) -> list[float]:
    """The edges to name on the scale: those of the band, where all markets share one."""
    bands = {(view.market.band.low, view.market.band.high) for view in markets}
    return sorted(bands.pop()) if len(bands) == 1 else []


def _asked_fields(view: MarketView, words: Wording) -> str:
    """The fields to collect, the one most people lack first."""
    lacking: dict[str, int] = {}
    for ask in view.asks:
        for field in ask.missing.split(","):
            lacking[field] = lacking.get(field, 0) + ask.people
    ordered = sorted(lacking, key=lambda field: (-lacking[field], field))
    return words.either([words.word(field) for field in ordered])


def _charts(picture: Picture, words: Wording) -> dict[str, Markup]:
    """The charts that have something to show. plotly is imported only here: it costs two seconds."""
    from tasks.report_page.charts import response_chart, score_chart

    charts = {}
    if picture.people.scores:
        charts["scores"] = Markup(score_chart(picture.people, words))
    if picture.campaigns.effects:
        charts["responses"] = Markup(response_chart(picture.campaigns, words))
    return charts


def _plotly() -> Markup:
    from plotly.offline import get_plotlyjs

    return Markup(get_plotlyjs())


def _write_people(
    picture: Picture, words: Wording, render: "Render", folder: Path, people_page: str, workbook: str
) -> None:
    from tasks.report_page.workbook import people_rows, write_workbook

    draft = folder / f".{workbook}"
    write_workbook(picture.asked, picture.night, words, draft)
    draft.replace(folder / workbook)
    page = render(
        "people.html.j2",
        views=picture.asked,
        people_rows=people_rows,
        workbook=workbook,
        page=page_name(words.language),
    )
    _write(folder / people_page, page)


Render = Callable[..., str]


def _renderer(night: Night, words: Wording) -> Render:
    environment = Environment(
        loader=FileSystemLoader(PARTS), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals["_"] = words.say
    given = {
        "night": night,
        "w": words,
        "html_language": words.language.replace("zh_CN", "zh-CN"),
        "style": Markup((PARTS / "style.css").read_text(encoding="utf-8")),
    }
    return lambda template, **parts: environment.get_template(template).render(**given, **parts)


def _write(target: Path, text: str) -> None:
    """Whole or not at all: somebody may be reading the page of the night before."""
    draft = target.with_name(f".{target.name}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(target)
