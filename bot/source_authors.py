"""Who wrote the code between two images: the source's commits between their tags, compared at the forge."""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.errors import BotError
from bot.ports import Forge, ForgeAccount
from policies.authors import Authors
from policies.entry import Pinned
from policies.people import of_forge
from policies.rules import AUTHORS, EffectiveRule, Rules
from policies.state import State

MAX_COMMITS = 1000  # of a comparison; more are not known
_FORMS = ("{}", "v{}")  # how a tag of an image is called in Git
_ADDRESS = re.compile(
    r"(?:https?://[^/]+/)?([A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]{1,100}?)(?:\.git)?/?", re.ASCII
)
_MAX_KEPT = 500
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class SourceAuthors:
    """Asks the forge; a comparison of two tags that was answered is kept."""

    forge: Forge | None = None
    kept: dict[tuple[str, str, str], tuple[tuple[ForgeAccount, ...], int]] = field(default_factory=dict)

    def of(
        self,
        rules: Rules,
        state: State,
        rule: EffectiveRule,
        *,
        previous: Sequence[Pinned],
        image: Sequence[Pinned],
    ) -> Authors | None:
        """Return who wrote it; nothing where the rule does not ask. Whatever the forge does is an answer."""
        if AUTHORS not in rule.environment.exclude:
            return None
        if self.forge is None:
            return Authors(why="there is no forge to ask")
        found = _ADDRESS.fullmatch(rule.service.source)
        if found is None:
            return Authors(why=f"the rules name no source of {rule.service.name}")
        if not previous or not image:
            return Authors(why="there is no image to compare it with")
        try:
            accounts, unnamed = self._compared(found[1], previous[0].tag, image[0].tag)
        except BotError as error:
            _log.warning("the authors of %s are not known: %s", rule.service.name, error)
            return Authors(why=" ".join(str(error).split())[:200])
        names = [
            person.name
            for one in accounts
            if (person := of_forge(rules, state.links, state.forge_ids, number=one.id, login=one.login))
        ]
        logins = tuple(sorted({one.login for one in accounts}))
        return Authors(is_known=True, people=tuple(sorted(set(names))), logins=logins, unnamed=unnamed)

    def _compared(self, source: str, old: str, new: str) -> tuple[tuple[ForgeAccount, ...], int]:
        """Ask for the commits between two tags, as they are called in Git. Raises: BotError."""
        key = (source, old, new)
        if key in self.kept:
            return self.kept[key]
        if self.forge is None:
            raise BotError("there is no forge to ask")
        for form in _FORMS:
            found = self.forge.authors(source, form.format(old), form.format(new), most=MAX_COMMITS)
            if found is not None:
                if len(self.kept) >= _MAX_KEPT:
                    self.kept.clear()
                self.kept[key] = found
                return found
        raise BotError(
            f"{source} has no tags {old} and {new}, with v before them neither, or may not be seen"
        )
