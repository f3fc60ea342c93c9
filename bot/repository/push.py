"""What a push asks for, and the four answers that it can get."""

import re
from dataclasses import dataclass

from bot.repository.git import Answer, complaint, is_denied
from bot.repository.objects import Oid, branch_ref, oid_of


@dataclass(frozen=True, slots=True)
class RefUpdate:
    """A branch by its full name, where it must end now (None: it is not there), and where it shall end (None: gone)."""

    ref: str
    old: Oid | None
    new: Oid | None

    def arguments(self) -> tuple[str, str]:
        """Write condition and refspec; never with a plus. Raises: PolicyError."""
        ref = branch_ref(self.ref)
        old, new = (oid_of(side) if side is not None else "" for side in (self.old, self.new))
        return f"--force-with-lease={ref}:{old}", f"{new}:{ref}"


@dataclass(frozen=True, slots=True)
class Ok:
    """All of it is on the remote."""


@dataclass(frozen=True, slots=True)
class Lost:
    """Nothing is on the remote: somebody was faster. Fetch and begin again."""

    detail: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may be on the remote, or arrive later. Fetch, look for the keys, begin again."""

    detail: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing is on the remote: the host forbids it. Stop; a person must act."""

    detail: str


PushAnswer = Ok | Lost | Unknown | Refused

# What git and hosts write in brackets behind a ref that was not updated.
_LOST = re.compile(
    r"fetch first|non-fast-forward|stale info|remote ref updated|cannot lock ref|incorrect old value"
    r"|failed to update ref|failed to lock|already exists|reference changed",
    re.IGNORECASE,
)
_REFUSED = re.compile(
    r"hook declined|declined|prohibited|rule violation|protected branch|denied|deny |refusing|checked out"
    r"|hidden ref|not allowed|not permitted|forbidden|unauthorized|read.only|archived",
    re.IGNORECASE,
)
_INCAPABLE = re.compile(
    r"does not support (?:--)?atomic|fsck error|does not appear to be a git repository|repository not found",
    re.IGNORECASE,
)


def classify(answer: Answer) -> PushAnswer:
    """Sort what ``push --atomic --porcelain`` left; what is not understood is unknown, never taken as done."""
    if answer.code == 0:
        return Ok()
    rejections = [line for line in answer.out.decode("utf-8", "replace").splitlines() if line.startswith("!")]
    reasons = "; ".join(line.rpartition("\t")[2] for line in rejections)
    detail = complaint(f"{answer.err}\n{reasons}")
    # All or nothing: the host then says only on stderr which branch somebody else had moved.
    raced = "atomic transaction failed" in reasons and "cannot lock ref" in answer.err
    if raced or _LOST.search(reasons):
        return Lost(detail)
    if _REFUSED.search(reasons) or is_denied(answer) or _INCAPABLE.search(answer.err):
        return Refused(detail)
    return Unknown(detail)
