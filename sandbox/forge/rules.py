"""What must have happened before a merge: required reviews and checks, and what they came to."""

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.forge.state import Pull, State, User

_PASSED = {"success", "neutral", "skipped"}


@dataclass(frozen=True, slots=True)
class Rules:
    """Judges pull requests by what the state says."""

    state: State
    users: Mapping[str, User]

    def missing(self, pull: Pull) -> str | None:
        """Return GitHub's sentence about the first required review or check that is missing."""
        needed = self.state.required_reviews
        reviews = self.latest_reviews(pull)
        if needed and "CHANGES_REQUESTED" in reviews.values():
            return "Changes have been requested by a reviewer with write access."
        if sum(state == "APPROVED" for state in reviews.values()) < needed:
            noun = "review is" if needed == 1 else "reviews are"
            return f"At least {needed} approving {noun} required by reviewers with write access."
        results = self.results(pull.head_sha)
        for check in self.state.required_checks:
            if results.get(check) not in _PASSED:
                said = {None: "expected", "pending": "expected"}.get(results.get(check), "failing")
                return f'Required status check "{check}" is {said}.'
        return None

    def latest_reviews(self, pull: Pull) -> dict[str, str]:
        """Return the last word of each reviewer with write access; a mere comment takes nothing back."""
        deciding = {"APPROVED", "CHANGES_REQUESTED", "DISMISSED"}
        mine = (one for one in self.state.reviews if one.pull == pull.number and one.state in deciding)
        return {
            review.author: review.state
            for review in mine
            if review.author in self.users and self.users[review.author].can_write
        }

    def results(self, sha: str) -> dict[str, str]:
        """Return each status context and check run of a commit with its last result."""
        statuses = {one.context: one.state for one in self.state.statuses if one.sha == sha}
        runs = {one.name: one.conclusion or "pending" for one in self.state.check_runs if one.sha == sha}
        return statuses | runs

    def verdict(self, pull: Pull) -> str:
        """Return blocked, unstable (something failed that is not required), or clean."""
        if self.missing(pull) is not None:
            return "blocked"
        return "clean" if set(self.results(pull.head_sha).values()) <= _PASSED else "unstable"
