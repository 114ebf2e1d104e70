"""Every deployment, once: its name, flow, timetable and words. The local runner and `prefect.yaml` are both made from this list.

What belongs here: when a flow runs and how it is shown. What does not: registering (`serve.py`) and writing the file (`generate.py`). Adding a
deployment is one line here.
"""

from dataclasses import dataclass, field
from typing import Any

from vesper.model.workspace import Workspace


@dataclass(frozen=True)
class Deployment:
    """One entry. `says` is a message id; `cron` is in the company's zone.

    `one_at_a_time`: a second run is cancelled at once, not queued, for it would compute the same night. `live_only`: left out on a simulated clock.
    """

    name: str
    module: str
    function: str
    says: str
    cron: str | None = None
    tags: tuple[str, ...] = ()
    parameters: dict[str, Any] = field(default_factory=dict)
    one_at_a_time: bool = True
    live_only: bool = False

    @property
    def entrypoint(self) -> str:
        """File and function, relative to the folder of the house."""
        return f"{self.module.replace('.', '/')}.py:{self.function}"


TIMETABLE = (
    Deployment(
        "prepare",
        "flows.prepare",
        "prepare",
        "20:00: sources into golden contacts, then market visibility.",
        "0 20 * * *",
        ("night",),
    ),
    Deployment(
        "score",
        "flows.score",
        "score",
        "21:00: score, segments, sending, effect; waits for prepare.",
        "0 21 * * *",
        ("night",),
    ),
)

BY_HAND = (
    Deployment(
        "nightly",
        "flows.nightly",
        "nightly",
        "The whole night by hand, all stages in one run.",
        tags=("night", "by hand"),
    ),
    Deployment(
        "consolidate", "flows.consolidate", "consolidate", "This stage alone, by hand.", tags=("stage", "by hand")
    ),
    Deployment("measure", "flows.measure", "measure", "This stage alone, by hand.", tags=("stage", "by hand")),
    Deployment(
        "score-alone",
        "flows.score",
        "score",
        "This stage alone, by hand.",
        tags=("stage", "by hand"),
        parameters={"only_score": True, "wait_minutes": 0},
    ),
    Deployment("handover", "flows.handover", "handover", "This stage alone, by hand.", tags=("stage", "by hand")),
    Deployment("segment", "flows.segment", "segment", "This stage alone, by hand.", tags=("stage", "by hand")),
    Deployment("send", "flows.send", "send", "This stage alone, by hand.", tags=("stage", "by hand")),
    Deployment("watch", "flows.watch", "watch", "This stage alone, by hand.", tags=("stage", "by hand")),
)

FOR_SALES = tuple(
    Deployment(name, "flows.handover_ops", name.replace("-", "_"), says, tags=("action",), one_at_a_time=False)
    for name, says in {
        "show-handovers": "What is open with sales?",
        "withdraw-handover": "Withdraw a hand-over that sales have not accepted.",
        "close-human-task": "Close a human task; marketing may write again.",
        "write-handover-sheet": "Write the open hand-overs as a sheet for sales.",
        "take-handover-sheet": "Take in what sales answered on the sheet.",
        "write-alignment-sheet": "Write the weekly alignment of marketing and sales.",
    }.items()
)

FOR_CAMPAIGNS = tuple(
    Deployment(name, "flows.sending_ops", name.replace("-", "_"), says, tags=("action",), one_at_a_time=False)
    for name, says in {
        "preview": "What would people read?",
        "forecast": "Whom would the journeys give what in the days to come?",
        "set-campaign-state": "Pilot, partial, full, stopped: take a campaign one step further, or back.",
        "show-tasks": "What do journeys ask colleagues to do?",
        "close-task": "Close a task of a journey, so that it goes on.",
        "explain-message": "Why did this person get this message, or why not?",
        "reconcile": "Find out what became of messages of unknown fate.",
        "show-map": "Which content is there for whom, and where is a gap?",
        "backup": "Copy the ledger, the lake and the definitions.",
    }.items()
)

FOR_EXPERIMENTS = tuple(
    Deployment(name, "flows.experiment_ops", name.replace("-", "_"), says, tags=("action",), one_at_a_time=False)
    for name, says in {
        "show-experiments": "What do experiments and holdouts say?",
        "decide-experiment": "Declare the winner of an experiment, or take it back.",
    }.items()
)

ACTIONS = (
    Deployment(
        "deliver",
        "flows.deliver",
        "deliver",
        "Send now what is due. Under `vesper up` the tick does so by itself, every ten seconds.",
        tags=("send", "by hand"),
        live_only=True,
    ),
    Deployment("check", "flows.ops", "check", "Are the definitions right?", tags=("action",), one_at_a_time=False),
    Deployment(
        "plan",
        "flows.ops",
        "plan",
        "What would the edited files change: who enters, who leaves, who gets what?",
        tags=("action",),
        one_at_a_time=False,
    ),
    Deployment(
        "backtest-scoring",
        "flows.ops",
        "backtest_scoring",
        "Would the scoring rules have found the people who converted?",
        tags=("action",),
        one_at_a_time=False,
    ),
    Deployment(
        "explain",
        "flows.ops",
        "explain",
        "Why does this person have this score, and these messages?",
        tags=("action",),
        one_at_a_time=False,
    ),
    Deployment(
        "explain-figure",
        "flows.ops",
        "explain_figure",
        "Why is this figure what it is, and what changed since the night before?",
        tags=("action",),
        one_at_a_time=False,
    ),
    *FOR_SALES,
    *FOR_CAMPAIGNS,
    *FOR_EXPERIMENTS,
    Deployment("stop-send", "flows.ops", "stop_send", "Stop all sending now.", tags=("action",), one_at_a_time=False),
    Deployment(
        "resume-send",
        "flows.ops",
        "resume_send",
        "Let sending go on after a stop.",
        tags=("action",),
        one_at_a_time=False,
    ),
    Deployment(
        "incident",
        "flows.ops",
        "incident",
        "A campaign went wrong: pause it, and say who was reached.",
        tags=("action",),
        one_at_a_time=False,
    ),
    Deployment(
        "live-test",
        "flows.ops",
        "live_test",
        "Try a campaign's one-click unsubscribe over the wire.",
        tags=("action",),
        one_at_a_time=False,
    ),
    Deployment("backfill", "flows.ops", "backfill", "Compute past nights again; sends nothing.", tags=("action",)),
    Deployment("replay", "flows.ops", "replay", "Compare a past night with what was published.", tags=("action",)),
    Deployment("activate", "flows.ops", "activate", "Put a version of a definition in force.", tags=("action",)),
    Deployment(
        "sign-off", "flows.ops", "sign_off", "Agree to the scoring rules, for marketing or sales.", tags=("action",)
    ),
    Deployment(
        "write-review-sheet",
        "flows.ops",
        "write_review_sheet",
        "Write the pairs that a person should decide on.",
        tags=("action",),
    ),
    Deployment(
        "take-review-sheet",
        "flows.ops",
        "take_review_sheet",
        "Take in the decisions of a review sheet.",
        tags=("action",),
    ),
)

ALL = (*TIMETABLE, *BY_HAND, *ACTIONS)


def deployments_of(workspace: Workspace) -> list[Deployment]:
    """The deployments of one company: all, without those that make no sense on its clock."""
    return [entry for entry in ALL if not (entry.live_only and workspace.clock.mode == "simulated")]
