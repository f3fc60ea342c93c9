"""What people, registries and hands on the repository may do, each by one call; and what verify owes us then."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.answers import Answer, Recorded
from policies.words import (
    Approve,
    Block,
    Cancel,
    Emergency,
    Freeze,
    Hold,
    Propose,
    Reject,
    Resume,
    Review,
    Rollback,
    Unapprove,
    Unblock,
    Unfreeze,
    Word,
)
from sandbox.forge.repository import ForgeRepository
from sandbox.forge.twin import ForgeError, RefusalError
from sandbox.registry import images
from sandbox.world import OWNER
from tests.campaign.office import Office

RULES = "promotion/rules.yaml"
SERVICES = ("checkout-api", "web")
ENVIRONMENTS = ("staging", "production")
GROUP = "shop"  # where a world's services move together
US = "production-us"  # where a world has a second region
PEOPLE = ("ada", "bob", "carol", "dan")  # dan is a guest whom nobody linked
WHY = "we want it"
REVIEWED = frozenset({"emergency", "external", "mismatch"})
AGREED = "2 of release-managers"
# what may stand in the place of the rule that is agreed; the last cannot be read
RULES_OF = (AGREED, "1 of release-managers", "2", "[1 of release-managers, 1]", "[1 of nobody-knows")


class _Wrong(ForgeRepository):
    """A repository in which merges have a file too many."""

    def merged_tree(self, base: str, head: str) -> str | None:
        """Return the tree of a merge, and more."""
        tree = ForgeRepository.merged_tree(self, base, head)
        return None if tree is None else self._tree_with(tree, {"apps/production/more.yaml": "a: 1\n"})


@dataclass
class Acts:
    """Does things to one office and remembers what an auditor has to find afterwards."""

    office: Office
    versions: dict[str, int] = field(default_factory=lambda: {"checkout-api": 10, "web": 10})
    rule: str = AGREED
    labels: dict[str, str] = field(default_factory=dict)  # what images carry
    group: str = ""  # of both services; what people ask for is the whole then

    def publish(self, service: str, *, is_bare: bool = False) -> str:
        """Push the next version; ``is_bare``: without the labels that images carry."""
        self.versions[service] += 1
        version = f"{'1' if service == 'checkout-api' else '2'}.{self.versions[service]}.0"
        self._push(service, version, "", {} if is_bare else self.labels)
        return version

    def _push(self, service: str, version: str, again: str, labels: dict[str, str]) -> None:
        image = images.image(f"{service} {version}{again}", labels=labels)
        self.office.world.registry.push(f"{OWNER}/{service}", version, image)

    def newest(self, service: str) -> str:
        """Return the version that was pushed last."""
        return f"{'1' if service == 'checkout-api' else '2'}.{self.versions[service]}.0"

    def move_tag(self, service: str) -> None:
        """Point the newest tag to another image."""
        self.versions[service] = max(self.versions[service], 11)
        version = self.newest(service)
        self._push(service, version, "", self.labels)
        self._push(service, version, f" again {self.office.clock.at}", self.labels)

    def promotions(self, *, live: bool = True) -> list[str]:
        """Return promotions as the ledger has them, the oldest first."""
        ended = {"landed", "mismatch", "reject", "cancel", "ended"}
        lines = self.office.reading.ledger()
        over = {str(line["promotion"]) for line in lines if line.kind in ended}
        opened = [str(line["promotion"]) for line in lines if line.kind in {"propose", "rollback"}]
        return [one for one in opened if not live or one not in over]

    def word(self, kind: str, service: str, environment: str, promotion: str) -> Word:
        """Return what somebody says, of a kind."""
        whole, named = self.group or service, "" if self.group else self.newest(service)
        words: dict[str, Callable[[], Word]] = {
            "propose": lambda: Propose(whole, "", "production", WHY),
            "propose it": lambda: Propose(whole, named, "production", WHY),
            "approve": lambda: Approve(promotion),
            "approve another": lambda: Approve(promotion, "0" * 12),
            "unapprove": lambda: Unapprove(promotion),
            "reject": lambda: Reject(promotion, WHY),
            "cancel": lambda: Cancel(promotion, WHY),
            "freeze": lambda: Freeze((environment,), WHY),
            "freeze all": lambda: Freeze(("all",), WHY),
            "unfreeze": lambda: Unfreeze(environment, WHY),
            "hold": lambda: Hold(service, WHY, environment),
            "resume": lambda: Resume(service, WHY, environment),
            "block": lambda: Block(service, self.newest(service), WHY),
            "unblock": lambda: Unblock(service, self.newest(service), WHY),
            "freeze for a while": lambda: Freeze((environment,), WHY, self._soon()),
            "hold for a while": lambda: Hold(service, WHY, environment, self._soon()),
            "emergency": lambda: Emergency(whole, named, environment, WHY),
            "review": lambda: Review(self.unreviewed(), WHY),
            "rollback": lambda: Rollback(whole, WHY, "", (environment,)),
        }
        return words[kind]()

    def _soon(self) -> datetime:
        return self.office.clock.at + timedelta(minutes=30)

    def unreviewed(self) -> str:
        """Return what waits longest for a review, as people write it."""
        lines = self.office.reading.ledger()
        closed = {line["closes"] for line in lines if line.kind == "review"}
        waits = [one for one in lines if one.kind in REVIEWED and one["seq"] not in closed]
        return f"#{waits[0]['seq']}" if waits else "#1"

    def say(self, person: str, kind: str, **about: str) -> Answer | None:
        """Let somebody say something of a kind."""
        chosen = {"service": "checkout-api", "environment": "production", "promotion": "f" * 12} | about
        replica, team = int(chosen.pop("replica", "0")), chosen.pop("team", "T0SANDBOX")
        return self.office.say(person, self.word(kind, **chosen), replica=replica, team=team)

    def ask(self, version: str = "") -> str:
        """Let a new version come to staging, and Carol ask for it in production; return the promotion."""
        version = version or self.publish("checkout-api")
        self.office.look()
        answer = self.office.say("carol", Propose("checkout-api", version, "production", WHY))
        assert isinstance(answer, Recorded), answer
        return answer.promotion

    # --- by hand ------------------------------------------------------------------------------------------

    def change_rules(self, approvals: str) -> None:
        """Ask something else of production from now on."""
        text = self.office.world.git.text("show", f"main:{RULES}") + "\n"
        before = f"approvals: {self.rule}\n    channel"
        assert before in text
        new = text.replace(before, f"approvals: {approvals}\n    channel")
        self.rule = approvals
        self.commit({RULES: new}, "Ask something else\n")

    def let_emergencies_be(self) -> None:
        """Let two people call emergencies in production."""
        text = self.office.world.git.text("show", f"main:{RULES}") + "\n"
        before = f"    approvals: {self.rule}\n    channel"
        assert before in text
        rule = "    emergency: {approvals: 1 of ada or bob, review: 2d}\n"
        new = text.replace(before, rule + before)
        self.commit({RULES: new}, "Let two people call emergencies\n")

    def edit_rules(self, edit: Callable[[str], str]) -> None:
        """Change the rules."""
        text = self.office.world.git.text("show", f"main:{RULES}") + "\n"
        if (new := edit(text)) != text:
            self.commit({RULES: new}, "Ask something else\n")

    def commit(self, files: dict[str, str | None], message: str, branch: str = "main") -> str:
        """Commit by hand."""
        return self.office.world.forge.push_to_branch(branch, files, message, login="bob")

    def move_by_hand(self, service: str, environment: str, message: str = "Move it\n") -> str:
        """Move an image past the bot; return the commit, '' where nothing would change."""
        file = {"checkout-api": "kustomization.yaml", "web": "deployment.yaml"}[service]
        path = f"apps/{environment}/{file}"
        text = self.office.world.git.text("show", f"main:{path}") + "\n"
        tag, digest = self.office.reading.pins(self.office.reading.main_tip())[environment, service]
        other = "1.4.0" if service == "checkout-api" else "2.4.0"
        new = text.replace(f"@{digest}", "") if digest else text
        new = "\n".join(line for line in new.split("\n") if not digest or digest not in line)
        new = new.replace(f":{tag}", f":{other}").replace(f"newTag: {tag}", f"newTag: {other}")
        new = new.replace(f'newTag: "{tag}"', f'newTag: "{other}"')
        return self.commit({path: new}, message) if new != text else ""

    def touch(self) -> str:
        """Commit something that moves no image."""
        return self.commit({"README.md": f"{self.office.clock.at}\n"}, "Say something else\n")

    def at_forge(self, what: str) -> bool:
        """Let Bob do something to the newest open pull request; whether there was one that let him."""
        opened = [one for one in self.office.pulls() if one["state"] == "open"]
        if not opened:
            return False
        pull, forge = opened[-1], self.office.world.forge
        try:
            acts: dict[str, Callable[[], object]] = {
                "close": lambda: forge.close_pull(pull["number"]),
                "merge": lambda: forge.merge_pull(pull["number"], login="bob"),
                "push": lambda: self.commit({"evil.yaml": "a: 1\n"}, "More\n", pull["head"]),
                "delete": lambda: forge.delete_branch(pull["head"]),
            }
            acts[what]()
        except (ForgeError, RefusalError):
            return False
        return True

    def forge_merges_wrongly(self) -> None:
        """Let the forge put into each merge from now on what nobody asked for."""
        pulls = self.office.world.forge._world.pulls
        pulls.repository = _Wrong(pulls.repository.git)

    # --- what has to be found -----------------------------------------------------------------------------

    def owed(self) -> set[tuple[str, str]]:
        """Return what verify has to find: what nobody reviewed that has to be (docs/ledger.md)."""
        lines = self.office.reading.ledger()
        closed = {line["closes"] for line in lines if line.kind == "review"}
        landings = {
            str(line["promotion"]): str(line["commit"])
            for line in lines
            if line.kind in {"landed", "mismatch"}
        }
        found: set[tuple[str, str]] = set()
        for line in lines:
            if line["seq"] in closed:
                continue
            if line.kind == "mismatch" or (line.kind == "external" and line["why"] == "guarded"):
                found.add(("review-missing", str(line["commit"])))
            if line.kind == "emergency" and (
                commit := str(line["commit"]) or landings.get(str(line["promotion"]))
            ):
                found.add(("review-missing", commit))
        return found
