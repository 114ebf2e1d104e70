"""Which folder holds which kind of definition. The folder is the kind, the file's stem the id; a new kind is added here."""

from vesper.model.campaign import Campaign
from vesper.model.consent import ConsentPolicy
from vesper.model.content import Content
from vesper.model.coupon import Coupons
from vesper.model.definition import Definition
from vesper.model.experiment import Experiment
from vesper.model.form import Form
from vesper.model.goal import Goal
from vesper.model.holdout import HoldoutPolicy
from vesper.model.identity import IdentityPolicy
from vesper.model.journey import Journey
from vesper.model.journey_map import JourneyMap
from vesper.model.lead import LeadPolicy
from vesper.model.lifecycle import Lifecycle
from vesper.model.linkage import Linkage
from vesper.model.market import Market
from vesper.model.matrix import Matrix
from vesper.model.persona import Persona
from vesper.model.policy import AnalysisPolicy, FrequencyPolicy, MonitorPolicy, ScoringPolicy
from vesper.model.recommendation import Recommendation
from vesper.model.sales import SalesPolicy
from vesper.model.scoring import ScoringRule
from vesper.model.segment import Segment
from vesper.model.source import Source
from vesper.model.survivorship import SurvivorshipPolicy
from vesper.model.tag import Tag
from vesper.model.tier import Tiering

KINDS: dict[str, type[Definition]] = {
    "sources": Source,
    "markets": Market,
    "goals": Goal,
    "tags": Tag,
    "tiers": Tiering,
    "personas": Persona,
    "segments": Segment,
    "lifecycle": Lifecycle,
    "linkage": Linkage,
    "scoring": ScoringRule,
    "campaigns": Campaign,
    "journeys": Journey,
    "experiments": Experiment,
    "coupons": Coupons,
    "forms": Form,
    "recommendations": Recommendation,
    "content": Content,
    "matrix": Matrix,
    "journey_map": JourneyMap,
}

POLICIES: dict[str, type[Definition]] = {
    "scoring": ScoringPolicy,
    "frequency": FrequencyPolicy,
    "consent": ConsentPolicy,
    "analysis": AnalysisPolicy,
    "monitor": MonitorPolicy,
    "identity": IdentityPolicy,
    "survivorship": SurvivorshipPolicy,
    "sales": SalesPolicy,
    "lead": LeadPolicy,
    "holdout": HoldoutPolicy,
}

FOLDERS = (*KINDS, "policy")


def model_of(kind: str, id: str) -> type[Definition]:
    """The model of a definition; raises LookupError for an unknown kind or policy."""
    found = POLICIES.get(id) if kind == "policy" else KINDS.get(kind)
    if found is None:
        raise LookupError(
            f"{kind}/{id} is no kind of definition; known: {', '.join(FOLDERS)}, policies: {', '.join(POLICIES)}"
        )
    return found
