"""What the doctor asks of Slack: token, scopes, channels, people's accounts, and whether it draws our cards."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.cards import Card, CardLine, CardStage, Who
from bot.doctor.doctor import Check, broken, fail, left_out, ok, warn
from bot.errors import BotError
from handlers.slack.cards import render
from handlers.slack.errors import SlackRefusedError, code_of, translated
from policies.rules.rules import Environment, Rules, Service

# What the app's token needs, and for what; a test holds it to manifest.yml.
SCOPES = {
    "channels:read": "to find channels by their names",
    "chat:write": "to show cards",
    "commands": "to hear the slash command",
    "groups:read": "to find private channels that it is in",
    "im:write": "to answer where it is not in the channel",
    "usergroups:read": "to see who is in a user group that the rules name",
    "users:read": "to see who is active and no guest",
}
MATCHING = {"users:read.email": "to match people by e-mail, as the rules want it"}  # not in manifest.yml
_PAGE, _MAX_PAGES = 1000, 200  # Slack, conversations.list
_MAX_INSIDE = 3  # people who are named
_MAX_PEOPLE = 200  # accounts that are asked for, one request each
_UNKNOWN_METHODS = frozenset({"unknown_method", "method_deprecated", "method_not_supported_for_channel_type"})
_AT = datetime(2026, 1, 1, tzinfo=UTC)  # of the sample cards


@dataclass(slots=True)
class Workspace:
    """One workspace as its token sees it. ``date`` is the Date header of the first answer."""

    client: WebClient = field(repr=False)
    date: str = ""

    def checks(self, rules: Rules | None) -> Iterator[Check]:
        """Look at everything; without rules at the token alone."""
        try:
            with translated("auth.test"):
                answer = self.client.auth_test()
        except BotError as error:
            yield broken("Slack", error, "see SLACK_BOT_TOKEN and SLACK_API_URL in docs/connect.md")
            return
        headers = {str(name).lower(): _first(value) for name, value in (answer.headers or {}).items()}
        self.date = headers.get("date", "")
        yield ok("Slack", f"{answer.get('team')}, as {answer.get('user')} ({answer.get('user_id')})")
        yield from scope_checks(headers, is_matching=bool(rules and rules.identity.email))
        if rules is None:
            yield left_out("Slack channels", "there are no rules that name any")
        else:
            yield from self._channels(rules)
            yield from self._people(rules, str(answer.get("team_id") or ""))
        yield from self._cards()

    # Channels

    def _channels(self, rules: Rules) -> Iterator[Check]:
        named: dict[str, list[Environment | Service]] = {}
        every: list[Environment | Service] = [*rules.environments.values(), *rules.services.values()]
        for one in every:
            if one.channel:
                named.setdefault(one.channel, []).append(one)
        try:
            known = self._listed()
        except BotError as error:
            yield broken("Slack channels", error, "try again")
            return
        for channel, said in named.items():
            found = known.get(channel)
            users = ", ".join(one.name for one in said[:5])
            is_out = found is not None and not found.get("is_archived") and found.get("is_member") is not True
            inside = self._inside(str(found.get("id")), rules) if found is not None and is_out else []
            yield _channel(channel, users, found, inside)

    def _listed(self) -> dict[str, dict[str, Any]]:
        """Return the channels that the bot can see, by name and by id; archived ones too. Raises: BotError."""
        found: dict[str, dict[str, Any]] = {}
        cursor = ""
        for _ in range(_MAX_PAGES):
            with translated("conversations.list"):
                answer = self.client.conversations_list(
                    types="public_channel,private_channel", limit=_PAGE, cursor=cursor
                )
            for one in answer.get("channels") or ():
                found[str(one.get("id"))] = one
                if not one.get("is_archived") or str(one.get("name")) not in found:
                    found[str(one.get("name"))] = one
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                break
        return found

    def _inside(self, channel: str, rules: Rules) -> list[str]:
        """Return the people of the rules who are in a channel: they can invite. None where Slack does not tell."""
        try:
            with translated("conversations.members"):
                answer = self.client.conversations_members(channel=channel, limit=_PAGE)
        except BotError:
            return []
        members = {str(one) for one in answer.get("members") or ()}
        return [one.name for one in rules.people.values() if one.slack in members]

    # People

    def _people(self, rules: Rules, home: str) -> Iterator[Check]:
        linked = [person for person in rules.people.values() if person.slack]
        fine = 0
        for person in linked[:_MAX_PEOPLE]:
            problem = self._account(person.name, person.slack, home)
            if problem is None:
                fine += 1
            else:
                yield problem
        if fine:
            yield ok("Slack people", f"{fine} accounts are active, and no guests")
        elif not linked:
            remedy = "people: {ada: {slack: U0ADA}}; a person's profile, ..., Copy member ID"
            yield warn("Slack people", "the rules link nobody: nobody can approve", remedy)

    def _account(self, name: str, user: str, home: str) -> Check | None:
        what, mend = f"Slack account of {name}", f"mend slack: of {name} in the rules"
        try:
            with translated("users.info"):
                found = self.client.users_info(user=user).get("user")
        except SlackRefusedError as error:
            if error.code in {"user_not_found", "user_not_visible"}:
                return fail(what, f"there is no {user}", f"{mend}; a person's profile, ..., Copy member ID")
            return broken(what, error, "try again")
        except BotError as error:
            return broken(what, error, "try again")
        return (
            _judged(what, mend, found, home)
            if isinstance(found, dict)
            else warn(what, "not told", "try again")
        )

    # Cards

    def _cards(self) -> Iterator[Check]:
        """Let the workspace judge a card of each stage, where it has the method for that."""
        stages = list(CardStage)
        for stage in stages:
            blocks = [dict(block) for block in render(_sample(stage), 1).blocks]
            try:
                self.client.blocks_validate(blocks=blocks)
            except SlackApiError as error:
                yield self._refused(stage, error)
                if code_of(error) in _UNKNOWN_METHODS:
                    return
            except Exception as error:  # noqa: BLE001  a library's: whatever it is, cards cannot be judged then
                yield warn("Slack cards", f"cannot be judged now ({type(error).__name__})", "try again")
                return
        yield ok("Slack cards", f"{len(stages)} stages were looked at by blocks.validate")

    def _refused(self, stage: CardStage, error: SlackApiError) -> Check:
        code = code_of(error)
        if code in _UNKNOWN_METHODS:
            return left_out("Slack cards", "this workspace has no blocks.validate")
        told = error.response.get("errors") if hasattr(error.response, "get") else None
        first = str(told[0])[:200] if isinstance(told, list) and told else code
        return fail(
            "Slack cards", f"a card that is {stage} is refused: {first}", "report it to Countersign's makers"
        )


def scope_checks(headers: Mapping[str, str], *, is_matching: bool = False) -> Iterator[Check]:
    """Hold the scopes of the token, which Slack names in a header, against what is needed.

    ``is_matching``: the rules match people by e-mail.
    """
    wanted = SCOPES | (MATCHING if is_matching else {})
    if "x-oauth-scopes" not in headers:
        yield left_out("Slack scopes", "Slack did not name them")
        return
    given = {one.strip() for one in headers["x-oauth-scopes"].split(",")}
    for scope in sorted(wanted.keys() - given):
        remedy = (
            "api.slack.com/apps, OAuth & Permissions: add it under Bot Token Scopes, install the app again"
        )
        yield fail("Slack scopes", f"{scope} is missing, {wanted[scope]}", remedy)
    if wanted.keys() <= given:
        yield ok("Slack scopes", f"all {len(wanted)} are there")


def _channel(channel: str, users: str, found: Mapping[str, Any] | None, inside: Sequence[str]) -> Check:
    what = f"Slack channel #{channel}"
    if found is None:
        remedy = (
            f"make it, or type `/invite @countersign` in it if it is private, or mend channel: of {users}"
        )
        return fail(what, f"there is none that the bot can see (for {users})", remedy)
    shown = f"Slack channel #{found.get('name') or channel}"
    if found.get("is_archived"):
        return fail(shown, "it is archived", f"open it again, or mend channel: of {users}")
    if found.get("is_member") is not True:
        who = f"{' or '.join(inside[:_MAX_INSIDE])}, in it already," if inside else "somebody in it"
        return fail(shown, "the bot is not in it", f"{who} types `/invite @countersign`")
    return ok(shown, f"the bot is in it (for {users})")


def _judged(what: str, mend: str, user: Mapping[str, Any], home: str) -> Check | None:
    """Say why an account may not decide; the flags are those that each press looks at."""
    if user.get("deleted") is not False:
        return fail(what, "it is deactivated", f"{mend}, or take them out of the teams")
    if user.get("is_bot") or user.get("id") == "USLACKBOT":
        return fail(what, "it is a bot", mend)
    if any(user.get(flag) for flag in ("is_restricted", "is_ultra_restricted")):
        return fail(what, "it is a guest, and guests may not approve", f"{mend}, or make them a member")
    if user.get("is_stranger") or user.get("team_id") != home:
        return fail(what, "it is of another workspace", mend)
    return None


def _sample(stage: CardStage) -> Card:
    """Return a card of this stage with everything on it that a card can have."""
    ada, bob = Who("ada", "U0ADA"), Who("bob", "U0BOB")
    return Card(
        what="checkout-api/production/1.4.2",
        channel="deploys",
        environment="production",
        service="checkout-api",
        version="1.4.2",
        previous="1.4.1",
        digest="sha256:" + "0" * 64,
        stage=stage,
        repository="ghcr.io/example/checkout-api",
        promotion="000000000000",
        change="0" * 64,
        number=1,
        url="https://github.com/example/gitops/pull/1",
        requester=bob,
        note="a sample",
        asked=_AT,
        expires=_AT + timedelta(days=1),
        lines=(CardLine("2 of release-managers", (ada,), 1),),
        ended_by=ada,
        ended_note="a sample",
        commit="0" * 40,
    )


def _first(value: Any) -> str:
    return str(value[0] if isinstance(value, list) and value else value)
