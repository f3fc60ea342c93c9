"""Look at every state of the model that can be reached, nearest first; what breaks is told with the way there."""

from collections import deque
from dataclasses import dataclass

from tests.campaign.model import ALL, Bounds, Keeps, Rule, State
from tests.campaign.model_steps import steps

# where a rule that is switched off shows within few states
NEEDS: dict[Rule, Bounds] = {
    Rule.BIND: Bounds(2, 3, 0, 0, 1),
    Rule.VOID: Bounds(1, 4, 0, 0, 1),
    Rule.FREEZE: Bounds(1, 4, 0, 0, 0),
    Rule.BLOCK: Bounds(1, 7, 0, 0, 0),
    Rule.PIN: Bounds(1, 3, 0, 0, 1),
    Rule.RECONCILE: Bounds(1, 3, 1, 0, 0),
    Rule.ASK_FIRST: Bounds(1, 4, 1, 0, 0),
    Rule.LOOK: Bounds(1, 3, 0, 0, 1),
    Rule.STANDSTILL: Bounds(1, 3, 0, 0, 1),
}
SHORT = (Bounds(2, 3, 1, 1, 1), Bounds(1, 4, 1, 1, 1), Bounds(1, 4, 2, 0, 2), Bounds(2, 4, 0, 1, 1))
LONG = (*SHORT, Bounds(2, 3, 1, 1, 2), Bounds(1, 7, 1, 1, 1))


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to. ``trace`` is the shortest way to what is broken; empty where nothing is."""

    states: int
    steps: int
    is_whole: bool
    breaks: str = ""
    trace: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Print the way there."""
        lines = [f"{number}. {what}" for number, what in enumerate(self.trace, start=1)]
        return "\n".join([*lines, f"=> {self.breaks}"])


def search(bounds: Bounds, on: Keeps = ALL, *, limit: int) -> Found:
    """Look at every state that can be reached, nearest first, up to so many."""
    start = bounds.start()
    came: dict[State, tuple[State, str] | None] = {start: None}
    waiting = deque([start])
    taken = 0
    while waiting:
        state = waiting.popleft()
        for step in steps(state, on):
            taken += 1
            if step.breaks:
                return Found(
                    len(came),
                    taken,
                    is_whole=False,
                    breaks=step.breaks,
                    trace=(*_way(came, state), step.what),
                )
            if step.after not in came:
                came[step.after] = (state, step.what)
                waiting.append(step.after)
        if len(came) >= limit:
            return Found(len(came), taken, is_whole=False)
    return Found(len(came), taken, is_whole=True)


def _way(came: dict[State, tuple[State, str] | None], state: State) -> list[str]:
    found: list[str] = []
    step = came[state]
    while step is not None:
        state, what = step
        found.append(what)
        step = came[state]
    return found[::-1]
