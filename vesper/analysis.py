"""The settings of computed attributes that hold tonight: policy/analysis, or its defaults where a company has none.

What belongs here: reading the policy. What does not: the policy's model (`model/policy.py`) and what is computed with it.
"""

from vesper.model.policy import AnalysisPolicy, ReplenishmentSettings, RfmSettings
from vesper.night import Night


def rfm_settings(night: Night) -> RfmSettings:
    """How buyers are put into fifths."""
    policy = _policy(night)
    return policy.rfm if policy else RfmSettings()


def replenishment_settings(night: Night) -> ReplenishmentSettings:
    """From when on a rhythm is predicted from."""
    policy = _policy(night)
    return policy.replenishment if policy else ReplenishmentSettings()


def _policy(night: Night) -> AnalysisPolicy | None:
    return night.definitions.of(AnalysisPolicy).get("analysis")
