"""The two charts of the page, drawn by plotly without anything from outside: scores, and response by campaign.

What belongs here: figures and their colours (those of `style.css`). What does not: bars that plain HTML draws better (visibility, segments, funnel).
"""

from typing import Any

import plotly.graph_objects as go

from tasks.report_page.campaigns import CampaignView
from tasks.report_page.people import PeopleView
from tasks.report_page.wording import Wording

ACCENT, GREYS, INK, SOFT, LINE = "#3246a8", ("#9aa1b1", "#cdd1da", "#e2e4ea"), "#16181d", "#6a7080", "#e3e5ea"
FONTS = {
    "zh_CN": '-apple-system, "PingFang SC", "Hiragino Sans GB", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif',
    "en": '"Helvetica Neue", "Segoe UI", Roboto, Arial, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif',
}
CONFIG = {"displayModeBar": False, "responsive": True}


def score_chart(people: PeopleView, words: Wording) -> str:
    """People by score, five points a bar; those ready for sales in the accent colour, and the line from which a score is enough."""
    labels = [f"{each.low}–{each.high}" if each.low < each.high else str(each.low) for each in people.scores]
    rest = [each.people - each.mqls for each in people.scores]
    mqls = [each.mqls for each in people.scores]
    bars = [_score_bars(labels, rest, GREYS[1], words), _score_bars(labels, mqls, ACCENT, words)]
    figure = _plain(bars, words, height=300)
    figure.update_layout(xaxis_title=words.say("score"), xaxis_type="category", yaxis_visible=False, bargap=0.18)
    figure.update_layout(margin_l=0, margin_r=0, barmode="stack")
    _mql_line(figure, people, words)
    return _html(figure, "scores")


def _score_bars(labels: list[str], counts: list[int], colour: str, words: Wording) -> Any:
    return go.Bar(
        x=labels,
        y=[count or None for count in counts],  # a bar of nothing on top of another would take its figure inside
        marker_color=colour,
        text=[words.number(count) if count else "" for count in counts],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{x}: %{y:,}<extra></extra>",
    )


def _mql_line(figure: Any, people: PeopleView, words: Wording) -> None:
    """The line between the last score that is not enough and the first that is, where both sides are drawn."""
    place = sum(each.high < people.mql_at for each in people.scores)
    if 0 < place < len(people.scores):
        said = words.say("ready for sales from {mql_at}").format(mql_at=people.mql_at)
        figure.add_vline(x=place - 0.5, line={"color": INK, "width": 1, "dash": "dot"})
        figure.add_annotation(
            x=place - 0.5, y=1, yref="paper", yanchor="bottom", xanchor="left", text=said, showarrow=False
        )


def response_chart(campaigns: CampaignView, words: Wording) -> str:
    """Share of the reached who responded, by campaign; one shade for each kind, the accent for the one that answers best."""
    kinds = _kinds(campaigns)
    order = [_label(effect, campaigns, words) for effect in campaigns.effects]
    bars = [_bars(kind, place, campaigns, words) for place, kind in enumerate(kinds)]
    figure = _plain(bars, words, height=300)
    figure.update_layout(
        showlegend=len(kinds) > 1,
        legend={"orientation": "h", "x": 0, "y": 1.16},
        xaxis={
            "title": words.say("campaign"),
            "type": "category",
            "categoryorder": "array",
            "categoryarray": order,
            "tickangle": 0,
        },
        yaxis={"tickformat": ".0%", "rangemode": "tozero", "nticks": 5, "gridcolor": LINE},
        barmode="overlay",
        bargap=0.25,
    )
    return _html(figure, "responses")


def _kinds(campaigns: CampaignView) -> list[str]:
    """Kinds by their share of responses, the best first; campaigns of no kind come last."""
    shares = {row.kind: row.responded_count / (row.mailed_count or 1) for row in campaigns.kinds}
    known = sorted(shares, key=lambda kind: (-shares[kind], kind))
    return [*known, ""] if any(not effect.kind for effect in campaigns.effects) else known


def _label(effect: Any, campaigns: CampaignView, words: Wording) -> str:
    """A campaign's name, broken into lines that fit under a bar."""
    name = campaigns.name(effect.campaign_id, words.language)
    parts = name.split(" ") if name.isascii() else [name[at : at + 3] for at in range(0, len(name), 3)]
    return "<br>".join(parts)


def _bars(kind: str, place: int, campaigns: CampaignView, words: Wording) -> Any:
    mine = [effect for effect in campaigns.effects if (effect.kind or "") == kind]
    texts = [
        f"{words.number(effect.responded_count)} / {words.number(effect.mailed_count)} · {words.money(effect.revenue)}"
        for effect in mine
    ]
    return go.Bar(
        name=kind or words.say("own"),
        x=[_label(effect, campaigns, words) for effect in mine],
        y=[effect.response_ratio for effect in mine],
        marker_color=ACCENT if place == 0 else GREYS[min(place, len(GREYS)) - 1],
        customdata=texts,
        hovertemplate="%{x}: %{y:.1%} (%{customdata})<extra></extra>",
    )


def _plain(bars: list[Any], words: Wording, height: int) -> Any:
    """A figure without ornament: no background, no grid but where it is asked for."""
    figure, font = go.Figure(bars), FONTS[words.language]
    figure.update_layout(
        template=None,
        height=height,
        margin={"l": 44, "r": 8, "t": 28, "b": 48},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": font, "size": 12, "color": SOFT},
        showlegend=False,
        hoverlabel={"bgcolor": "#ffffff", "bordercolor": LINE, "font": {"family": font, "color": INK}},
    )
    figure.update_xaxes(showgrid=False, zeroline=False, linecolor=LINE, fixedrange=True)
    figure.update_yaxes(showgrid=True, zeroline=False, fixedrange=True)
    return figure


def _html(figure: Any, id: str) -> str:
    return str(figure.to_html(full_html=False, include_plotlyjs=False, div_id=f"chart-{id}", config=CONFIG))
