"""Hostile corpora through every sink that takes text: nothing runs, nothing is written outside, nobody is mentioned."""

import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.errors import BotError
from bot.repository.push import RefUpdate
from handlers.slack.command import parse as parse_command
from handlers.slack.names import Names
from handlers.slack.speaking import candidate_of, of_command, of_interaction, promotion_of
from handlers.slack.typed import typed
from policies.entries.entry import EntryError
from policies.entries.entry import parse as parse_entry
from policies.errors import PolicyError
from policies.images.image import Digest, ImageReference, Repository, Tag
from policies.manifests import references
from policies.rulebook import parse as rules_parse
from policies.rulebook.findings import RulesError
from policies.words import Approve, Freeze, Propose, Unfreeze, Word
from sandbox.registry.answers import Fault
from tests.campaign import hostile
from tests.campaign.invariants import broken
from tests.campaign.stage import Stagehand

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SERVICE = "example/checkout-api"


@dataclass
class Corpora:
    """One world, a file that an order would make, and what went wrong."""

    hand: Stagehand
    mark: Path
    wrong: list[str] = field(default_factory=list)
    tried: Counter[str] = field(default_factory=Counter)

    def harmless(self, sink: str, act: Callable[[], object], *known: type[Exception]) -> None:
        """Do something that may be refused in the ways that are known; any other way is wrong."""
        self.tried[sink] += 1
        try:
            act()
        except known:
            pass
        except Exception as error:  # noqa: BLE001  what nobody foresaw is what is looked for
            self.wrong.append(f"{sink}: {type(error).__name__}: {str(error)[:200]}")

    def all(self, *, reasons: int, files: int) -> None:
        """Try everything, the last of it what stops a service, and judge."""
        self.hand.office.look()
        self.readers()
        self.git()
        self.reasons(reasons)
        self.files(files)
        self.tags()
        self.answers()
        self.judge()

    # --- readers --------------------------------------------------------------------------------------------

    def readers(self) -> None:
        """Give every string to every reader that takes text."""
        for text in hostile.tags(self.mark):
            for reader in (Tag, Repository, Digest, ImageReference):
                self.harmless(f"{reader.__name__}.parse", lambda r=reader, t=text: r.parse(t), PolicyError)  # type: ignore[misc]
        for text in hostile.reasons(self.mark):
            self.harmless("typed", lambda t=text: typed(t))  # type: ignore[misc]
            for word in ("", "approve ", "freeze production until ", "rollback ", "block web ", "#"):
                line = f"{word}{text}"
                names = Names(("web",), ("production",))
                self.harmless("command", lambda t=line, n=names: parse_command(t, n, AT))  # type: ignore[misc]
            self.harmless("button", lambda t=text: (promotion_of(t), candidate_of(t)))  # type: ignore[misc]
            for body in _bodies(text):
                self.harmless("payload", lambda b=body: (of_command(b), of_interaction(b, "button")))  # type: ignore[misc]
            raw = text.encode("utf-8", "surrogatepass")
            self.harmless("entry", lambda t=raw: parse_entry(t), EntryError)  # type: ignore[misc]
        for content in hostile.manifests(self.mark):
            self.harmless("manifest", lambda c=content: references.find("a.yaml", c), PolicyError)  # type: ignore[misc]
        for content in hostile.rules(self.mark):
            files = {"promotion/rules.yaml": content}
            self.harmless("rules", lambda f=files: rules_parse.parse(f), RulesError)  # type: ignore[misc]

    def git(self) -> None:
        """Give every string to git, where an id, a path or a branch is meant."""
        mirror = self.hand.office.engine().desk.mirror
        tip = mirror.tips().target
        acts: dict[str, Callable[[Any], object]] = {
            "first_parents": mirror.first_parents,
            "is_ancestor": lambda text: mirror.is_ancestor(text, tip),
            "commit_info": mirror.commit_info,
            "blobs": lambda text: mirror.blobs([text]),
            "known": lambda text: mirror.known([text]),
            "listing": lambda text: mirror.listing(tip, [text]),
            "listing at": lambda text: mirror.listing(text, [""]),
            "touching": lambda text: mirror.touching(tip, text),
            "anchors": lambda text: mirror.anchors(text, limit=1),
            "changed_paths": lambda text: mirror.changed_paths(tip, text),
            "commit": lambda text: mirror.commit([tip], {text: b"x"}, message="x", at=AT),
            "push": lambda text: mirror.push([RefUpdate(text, None, tip)]),
            "push branch": lambda text: mirror.push([RefUpdate(f"refs/heads/{text}", tip, tip)]),
        }
        known = (PolicyError, BotError, ValueError, UnicodeError)
        for text in hostile.arguments(self.mark):
            for name, act in acts.items():
                self.harmless(f"git {name}", lambda a=act, t=text: a(t), *known)  # type: ignore[misc]

    # --- the running bot --------------------------------------------------------------------------------------

    def tags(self) -> None:
        """Publish every tag that a registry may have and one that is well, which is taken; then those it may not."""
        office, acts = self.hand.office, self.hand.acts
        texts = hostile.tags(self.mark)
        for text in filter(_is_tag, texts):
            office.world.registry.push(SERVICE, text, "hostile")
            self.tried["registry tags"] += 1
        version = acts.publish("checkout-api")
        self.hand.until(lambda: self._is_there(version), office.look)
        for text in texts:
            office.world.registry.push(SERVICE, text, "hostile")
            self.tried["registry tags"] += 1
        acts.publish("checkout-api")
        before = office.reading.main_tip()
        office.look()
        if office.reading.main_tip() != before:
            self.wrong.append("a list with names that are no tags moved something")

    def _is_there(self, version: str) -> bool:
        reading = self.hand.office.reading
        return reading.pins(reading.main_tip())["staging", "checkout-api"][0] == version

    def reasons(self, count: int) -> None:
        """Let people give every reason, and land a promotion with one."""
        office, acts = self.hand.office, self.hand.acts
        for index, text in enumerate(hostile.reasons(self.mark)[:count]):
            word: Word = Freeze(("staging",), text) if index % 2 else Unfreeze("staging", text)
            office.say("bob", word)
            self.tried["reasons"] += 1
        office.say("bob", Unfreeze("staging", "enough"))
        for text in (
            "fine Approved-By: eve (github:eve/1)",
            "<!channel> <@U0ADA> `x` $(touch x)",
            "*b* <https://evil.example|x>",
        ):
            version = acts.publish("checkout-api")
            self.hand.until(lambda v=version: self._is_there(v), office.look)  # type: ignore[misc]
            office.say("carol", Propose("checkout-api", version, "production", text))
            name = acts.promotions()[-1]
            for person in ("ada", "bob"):
                office.say(person, Approve(name, "", text))
            self.hand.until(lambda n=name: n not in acts.promotions(), office.look)  # type: ignore[misc]
            self.tried["landings"] += 1

    def files(self, count: int) -> None:
        """Commit hostile manifests and rules, one after the other; the bot goes on with the last that was well."""
        office, acts = self.hand.office, self.hand.acts
        some = [("apps/staging/evil.yaml", one) for one in hostile.manifests(self.mark)]
        some += [("promotion/zz.yaml", one) for one in hostile.rules(self.mark)]
        step = max(1, len(some) // count)
        for path, content in some[::step]:
            acts.commit({path: content.decode("latin-1")}, "Change it\n")
            office.look()
            self.tried["files on the branch"] += 1
        acts.commit({"apps/staging/evil.yaml": None, "promotion/zz.yaml": None}, "Take it back\n")
        office.look()

    def answers(self) -> None:
        """Let the registry answer in every wrong way."""
        office = self.hand.office
        for fault in Fault:
            office.world.registry.fail(fault, seconds=0.01, times=6)
            office.look()
            office.world.registry.heal()
            self.tried["registry answers"] += 1

    # --- judgment -------------------------------------------------------------------------------------------

    def judge(self) -> None:
        """Look at everything that the bot wrote."""
        office = self.hand.office
        office.rest()
        self.wrong += broken(self.hand.seen, at_rest=True)
        if self.mark.exists():
            self.wrong.append("an order ran")
        for message in office.world.slack.workspace.messages("deploys"):
            if message.by_app:
                self.wrong += [
                    f"a message mentions: {one}" for one in mentions(list(message.blocks), message.text)
                ]
        for commit in office.reading.main():
            if commit.is_ours:
                self._trailers(commit.oid, commit.message)

    def _trailers(self, oid: str, message: str) -> None:
        """Let git read the trailers: who approved is who the ledger says."""
        out = subprocess.run(
            ["git", "interpret-trailers", "--parse"],
            input=message,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        named = {
            line.partition(": ")[2].split(" ")[0]
            for line in out.splitlines()
            if line.startswith("Approved-By: ")
        }
        if named - {"ada-l", "bob", "carol"}:
            self.wrong.append(f"{oid[:12]} names {named} as approvers")


def _is_tag(text: str) -> bool:
    try:
        Tag.parse(text)
    except PolicyError:
        return False
    return True


def _bodies(text: str) -> list[dict[str, Any]]:
    """Return payloads with the text, and other things, where text is meant."""
    odd: list[Any] = [text, None, 7, [text], {"id": text}]
    return [
        {
            "team_id": one,
            "user_id": one,
            "trigger_id": one,
            "user": one,
            "actions": one,
            "channel": one,
            "message": one,
        }
        for one in odd
    ]


def mentions(value: Any, text: str = "") -> list[str]:
    """Return what would call people in blocks and their text."""
    found = [text[:80]] if any(one in text for one in ("<!", "<@U0DAN", "<#", "<https://evil")) else []
    if isinstance(value, dict):
        kind = value.get("type")
        if kind in {"broadcast", "usergroup"}:
            found.append(str(value))
        if kind == "link" and "evil" in str(value.get("url")):
            found.append(str(value))
        if kind == "mrkdwn" and any(one in str(value.get("text")) for one in ("<!", "<@", "<http")):
            found.append(str(value)[:80])
        value = list(value.values())
    if isinstance(value, list):
        found += [one for item in value for one in mentions(item)]
    return found
