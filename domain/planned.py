"""All that can be planned for a turn of a request."""

from dataclasses import dataclass

from domain.followed import Followed
from domain.helped import CoPlan
from domain.pauses import Moved, PausePlan
from domain.planning import FeedbackPlan, Plan

Clocked = Plan | FeedbackPlan | PausePlan | Moved
"""What brings the clocks that run from then on."""


@dataclass(frozen=True)
class FeedbackWanted:
    """The step that records the answer plans the feedback."""


Planned = Clocked | CoPlan | Followed | FeedbackWanted | None
