"""The forms of experiments: what they say, and a winner declared by a person (R92, R110).

The work stands in `tasks/experiment_page.py`.
"""

from pathlib import Path

from flows.form import field
from flows.form import workspace as workspace_field
from flows.ops import BY, action

EXPERIMENT = "Id of the experiment: the name of its file."


@action("show-experiments")
def show_experiments(
    workspace: Path = workspace_field(),
    id: str = field("Experiment", "Id of one experiment. Left empty: the list of all, and what the holdouts say.", ""),
) -> str:
    """Shows what experiments need, what their figures say and what may be said of them. Changes nothing."""
    from tasks import experiment_page

    return experiment_page.shown(workspace, id.strip()) if id.strip() else experiment_page.listed(workspace)


@action("decide-experiment")
def decide_experiment(
    workspace: Path = workspace_field(),
    id: str = field("Experiment", EXPERIMENT),
    arm: str = field("Winner", "The arm that wins. Left empty: the decision is taken back.", ""),
    reason: str = field("Reason", "Why. It stands in the ledger."),
    by: str = field("Your name", BY),
) -> str:
    """Declares the winner of an experiment: who was in no arm gets it from the next plan on. A wrong split has no winner."""
    from tasks import experiment_page

    return experiment_page.decide(workspace, id.strip(), arm.strip() or None, by, reason)
