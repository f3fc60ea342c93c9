"""What a pull request would make of the rules, for the check that answers it: findings, or changes in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.errors import PermanentError
from bot.looking.book import Sight
from bot.ports import Forge
from bot.promoting.desk import Desk
from bot.promoting.simulating import replayed
from policies.rulebook.changes import changes, spelled
from policies.rulebook.findings import RulesError
from policies.rulebook.markdown import in_code, inert
from policies.rulebook.parse import parse
from policies.rules.rules import Rules
from policies.simulate_text import lines, sum_of

MAX_RULE_FILES = 50  # of one pull request
MAX_RULE_BYTES = 2_000_000  # of all of them
REPLAYED = timedelta(days=90)
MAX_LINES = 60  # of changes or findings in one summary
_SUFFIXES = (".yaml", ".yml")
_REREAD = "This pull request is judged by the rules of the target branch, not by its own."


@dataclass(frozen=True, slots=True)
class RulesSaid:
    """What is said of changed rules: whether they can be used, in one line, and in more (Markdown)."""

    is_good: bool
    description: str
    summary: str

    @property
    def comment(self) -> str:
        """The same as a comment (Markdown); '' where no effective rule changes."""
        head = f"**{self.description[:1].upper()}{self.description[1:]}**"
        return f"{head}\n\n{self.summary}" if self.summary else ""


@dataclass(frozen=True, slots=True)
class RulesCheck:
    """Reads a pull request's rule files from the forge and lays them over the target branch."""

    forge: Forge
    desk: Desk
    rules: Rules
    folder: str
    at: datetime

    def touched(self, files: tuple[str, ...]) -> tuple[str, ...]:
        """Return which files of a change belong to the rules."""
        inside = f"{self.folder}/"
        return tuple(path for path in files if path.startswith(inside) and path.endswith(_SUFFIXES))

    def say(self, head: str, touched: tuple[str, ...]) -> RulesSaid:
        """Say what these files would change. Raises: BotError."""
        if len(touched) > MAX_RULE_FILES:
            return _refused(f"changes {len(touched)} files of the rules; expected at most {MAX_RULE_FILES}")
        try:
            files = self._laid(head, touched)
        except PermanentError as error:
            return _refused(f"a file of the rules cannot be read: {error}")
        size = sum(len(content) for content in files.values())
        if size > MAX_RULE_BYTES:
            return _refused(f"the rules have {size} bytes; expected at most {MAX_RULE_BYTES}")
        try:
            new = parse(files, Sight(self.desk.book, self.desk.mirror.tips().target))
        except RulesError as error:
            return _broken(error)
        found = changes(self.rules, new)
        if not found:
            return RulesSaid(is_good=True, description="changes no effective rule", summary="")
        count = f"{len(found)} effective change{'s' if len(found) > 1 else ''}"
        said = [
            "What changes in effective rules:",
            "",
            *spelled(found, MAX_LINES),
            *self._replayed(new),
            "",
            _REREAD,
        ]
        return RulesSaid(is_good=True, description=f"changes the rules: {count}", summary="\n".join(said))

    def _replayed(self, new: Rules) -> list[str]:
        """Say what the changed rules would have made of the last weeks."""
        found = replayed(self.desk, new, at=self.at, span=REPLAYED)
        if found is None:
            return []
        rows = [f"- {inert(line)}" for line in lines(found)]
        more = [f"- and {len(rows) - MAX_LINES} more: `countersign simulate`"] * (len(rows) > MAX_LINES)
        unknown = [f"- not known: {inert(line)}" for line in found.unknown[:MAX_LINES]]
        return ["", f"Had they been in force, {sum_of(found)}.", "", *rows[:MAX_LINES], *more, *unknown]

    def _laid(self, head: str, touched: tuple[str, ...]) -> Mapping[str, bytes]:
        """Return the rule files of the target branch with the pull request's own in their places."""
        tip = self.desk.mirror.tips().target
        listing = self.desk.mirror.listing(tip, [self.folder])
        blobs = self.desk.mirror.blobs(listing.values())
        files = {path: blobs[oid] for path, oid in listing.items()}
        for path in touched:
            content = self.forge.content(path, head)
            if content is None:
                files.pop(path, None)
            else:
                files[path] = content
        return files


def _broken(error: RulesError) -> RulesSaid:
    shown = error.findings[:MAX_LINES]
    count = f"{len(error.findings)} finding{'s' if len(error.findings) > 1 else ''}"
    rows = [f"- {in_code(str(one))}" for one in shown]
    more = [f"- and {len(error.findings) - len(shown)} more"] * (len(error.findings) > len(shown))
    lines = ["The rules of this pull request cannot be used; the last good ones would stay in force:", ""]
    return RulesSaid(
        is_good=False,
        description=f"its rules cannot be used: {count}",
        summary="\n".join([*lines, *rows, *more]),
    )


def _refused(why: str) -> RulesSaid:
    plain = " ".join(why.replace("`", "'").split())
    return RulesSaid(is_good=False, description="its rules cannot be looked at", summary=f"`{plain}`")
