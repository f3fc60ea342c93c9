"""What the doctor sees of others' reports on commits: is each name that the rules wait for really reported?"""

from collections.abc import Iterator, Sequence

from bot.doctor.doctor import Check, left_out, ok, warn
from bot.doctor.forge import Asker
from policies.entries.reports import is_named
from policies.rules.rules import Rules

MAX_COMMITS = 10  # of the target branch, the newest
_OURS = "countersign"  # our own verdict says nothing of what runs
_MAX_NAMES = 8  # of what was seen, in one line
_OK = 200
_PER_PAGE = 100  # GitHub, the most


def report_checks(asker: Asker, rules: Rules, commits: Sequence[str]) -> Iterator[Check]:
    """Hold the names of ``health`` against what the newest commits carry. Raises: TransientError."""
    seen = _seen(asker, commits[:MAX_COMMITS])
    listed = ", ".join(sorted(seen)[:_MAX_NAMES]) or "nothing"
    looked = f"the last {min(len(commits), MAX_COMMITS)} commits"
    for environment in rules.environments.values():
        for name in environment.health:
            yield _judged(environment.name, name, seen, f"{looked} carry {listed}")
    if not any(one.health for one in rules.environments.values()):
        detail = f"no environment waits for a report; {looked} carry {listed}"
        remedy = "name under health: of an environment what says that it runs"
        yield left_out("health", detail, remedy) if seen else ok("health", detail)


def _judged(environment: str, name: str, seen: dict[str, str], carried: str) -> Check:
    forms = sorted(one for one in seen if is_named(name, one))
    if forms:
        return ok("health", f"{environment}: {name} was seen, last on {seen[forms[0]][:12]}")
    remedy = f"let the delivery tool report it, or mend health: of {environment}"
    return warn("health", f"{environment} waits for {name}, which nobody reported; {carried}", remedy)


def _seen(asker: Asker, commits: Sequence[str]) -> dict[str, str]:
    """Return each name of a status or check run, and the newest commit that has it; unreadable is unseen."""
    found: dict[str, str] = {}
    for commit in commits:
        statuses = asker.read(f"/commits/{commit}/statuses?per_page={_PER_PAGE}")
        runs = asker.read(f"/commits/{commit}/check-runs?per_page={_PER_PAGE}")
        listed = runs.body.get("check_runs") if runs.status == _OK and isinstance(runs.body, dict) else None
        said = statuses.body if statuses.status == _OK else None
        for bodies, key in ((said, "context"), (listed, "name")):
            for one in bodies if isinstance(bodies, list) else ():
                name = one.get(key) if isinstance(one, dict) else None
                if isinstance(name, str) and name != _OURS:
                    found.setdefault(name, commit)
    return found
