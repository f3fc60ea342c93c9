"""docs/github.md: its JSON is JSON, its permissions are those of the code, its rulesets guard what the bot writes."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from bot.forge.app import EVENTS, PERMISSIONS
from bot.forge.verdict import CONTEXT
from bot.repository.clone import LEDGER, PROMOTIONS
from bot.settings import NAMES
from handlers.webhooks import WAKING

PAPER = (Path(__file__).parents[1] / "docs" / "github.md").read_text()
BLOCKS: list[dict[str, Any]] = [
    json.loads(text) for text in re.findall(r"```json\n(.*?)```", PAPER, re.DOTALL)
]
MANIFEST, *RULESETS = BLOCKS
APP = {"actor_id": 4711, "actor_type": "Integration", "bypass_mode": "always"}


def test_the_manifest_asks_for_what_the_code_needs() -> None:
    assert MANIFEST["default_permissions"] == PERMISSIONS
    assert tuple(MANIFEST["default_events"]) == EVENTS
    assert set(EVENTS) <= WAKING


def test_the_link_asks_for_what_the_manifest_asks_for() -> None:
    (link,) = re.findall(r"https://github\.com/organizations/ORG/settings/apps/new\?\S{20,}", PAPER)
    asked = dict(parse_qsl(urlsplit(link).query))

    about = {"name", "url", "public", "webhook_active"}
    assert {name: level for name, level in asked.items() if name not in about} == PERMISSIONS


def test_the_table_says_what_each_permission_is_for() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \| (read|write) \| .+ \|$", PAPER, re.MULTILINE)

    assert dict(rows) == PERMISSIONS
    assert "administration" not in PERMISSIONS


def rules_on(include: str, *, is_for_app: bool) -> dict[str, Mapping[str, Any]]:
    """Return the rules that hold for a branch: for everybody, or also for the App."""
    return {
        rule["type"]: rule.get("parameters", {})
        for one in RULESETS
        if include in one["conditions"]["ref_name"]["include"]
        if not is_for_app or APP not in one["bypass_actors"]
        for rule in one["rules"]
    }


@pytest.mark.parametrize("pattern", [f"refs/heads/{LEDGER}*", f"refs/heads/{LEDGER}**/*"])
def test_only_the_app_adds_to_the_ledger_and_nobody_rewrites_it(pattern: str) -> None:
    assert set(rules_on(pattern, is_for_app=False)) == {"creation", "update", "deletion", "non_fast_forward"}
    assert set(rules_on(pattern, is_for_app=True)) == {"deletion", "non_fast_forward"}


def test_only_the_app_writes_promotion_branches() -> None:
    pattern = f"refs/heads/{PROMOTIONS}**/*"

    assert set(rules_on(pattern, is_for_app=False)) == {"creation", "update"}
    assert rules_on(pattern, is_for_app=True) == {}


def test_the_check_is_required_of_everybody_but_the_app_and_from_nobody_else() -> None:
    everybody = rules_on("~DEFAULT_BRANCH", is_for_app=False)

    assert everybody["required_status_checks"]["required_status_checks"] == [
        {"context": CONTEXT, "integration_id": APP["actor_id"]}
    ]
    assert set(rules_on("~DEFAULT_BRANCH", is_for_app=True)) == {"deletion", "non_fast_forward"}


@pytest.mark.parametrize("ruleset", RULESETS, ids=[one["name"] for one in RULESETS])
def test_a_ruleset_is_whole(ruleset: dict[str, Any]) -> None:
    keys = {"name", "target", "enforcement", "conditions", "bypass_actors", "rules"}

    assert set(ruleset) == keys
    assert (ruleset["target"], ruleset["enforcement"]) == ("branch", "active")
    assert all(actor == APP for actor in ruleset["bypass_actors"])


def test_the_settings_that_it_names_are_settings() -> None:
    named = set(re.findall(r"\b(?:GITHUB|COUNTERSIGN)_[A-Z_]+\b", PAPER))

    assert {"GITHUB_APP_ID", "GITHUB_APP_PRIVATE_KEY", "GITHUB_TOKEN"} <= named <= set(NAMES)
