"""The sentence at the top of the page: the one thing to know of this night, and the next few.

What belongs here: choosing and wording the headline. What does not: any figure that the parts below do not show.
"""

from tasks.report_page.campaigns import MessageView
from tasks.report_page.markets import MarketView
from tasks.report_page.people import PeopleView
from tasks.report_page.wording import Wording


def widest_market(markets: list[MarketView]) -> MarketView | None:
    """The market that holds the most people: the company's visibility in one figure."""
    return max(markets, key=lambda view: (view.row.market_size, view.market.id), default=None)


def headline(markets: list[MarketView], words: Wording) -> str:
    """How many markets are visible enough, and how many answers the rest still needs."""
    if not markets:
        return words.say("No market was measured tonight.")
    below = [view for view in markets if view.row.band == "below"]
    if not below:
        return words.say("Every market is visible enough.")
    widest = max(below, key=lambda view: (view.row.market_size, view.market.id))
    facts = {
        "market": widest.market.title(words.language),
        "ratio": words.share(widest.row.visibility_ratio),
        "needed": words.number(widest.needed),
        "band": words.share(widest.market.band.low, 0),
    }
    return words.say("{market}: {ratio} visible. {needed} more complete profiles make it {band}.").format(**facts)


def lede(markets: list[MarketView], people: PeopleView, messages: MessageView, words: Wording) -> str:
    """What else stands out, a sentence each; nothing is said of what did not happen."""
    below = sum(view.row.band == "below" for view in markets)
    sentences = []
    if markets:
        facts = {"good": len(markets) - below, "all": len(markets)}
        sentences.append(words.say("{good} of {all} markets are visible enough.").format(**facts))
    if people.scored:
        sentences.append(words.say("{mql} people are ready for sales.").format(mql=words.number(people.mql)))
    if not messages.is_empty:
        facts_sent = {
            "accepted": words.number(messages.by_state["accepted"]),
            "refused": words.number(messages.refused),
        }
        sentences.append(
            words.say("{accepted} messages were accepted, {refused} people got none, with a reason.").format(
                **facts_sent
            )
        )
    return ("" if words.language == "zh_CN" else " ").join(sentences)
