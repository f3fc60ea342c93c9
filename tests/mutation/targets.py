"""Which modules are made faulty: those that decide whether something may move or be written down, and the fold."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
GATES = tuple(sorted(f"policies.gates.{path.stem}" for path in (ROOT / "policies/gates").glob("[a-z]*.py")))
ALLOWED = tuple(
    sorted(f"policies.allowed.{path.stem}" for path in (ROOT / "policies/allowed").glob("[a-z]*.py"))
)
FOLDED = (
    "policies.ledger.state",
    "policies.ledger.promotions",
    "policies.ledger.standing",
    "policies.ledger.facts",
    "policies.ledger.repair",
    "policies.ledger.by_hand",
    "policies.ledger.emergency",
    "policies.ledger.hands",
    "policies.ledger.people",
    "policies.ledger.renames",
    "policies.entries.tables",
    "policies.entries.promotion",
)
TARGETS: dict[str, tuple[str, ...]] = {
    "gates": (
        "policies.gates",
        *GATES,
        "policies.rulebook.outside_gates",
        "policies.entries.gate_notes",
        "policies.times.windows",
        "policies.times.calendar",
        "policies.guards",
    ),
    "tally": (
        "policies.ledger.tally",
        "policies.entries.membership",
        "policies.entries.authors",
        "policies.ledger.rollout",
        "policies.entries.reviews",
    ),
    "precedence": (
        "policies.rulebook.layers",
        "policies.rules.effective",
        "policies.rules.hash",
        "policies.rulebook.approvals_as",
    ),
    "validator": ("policies.validator", *ALLOWED, "policies.ledger.keys"),
    "fold": FOLDED,
}
# where a module is held beside the file of tests that has its name
OWN_TESTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(GATES, ("test_gate",)),
    **dict.fromkeys(
        ALLOWED,
        (
            "test_allowed",
            "test_refusals_said",
            "test_validator",
            "test_told_rightly",
            "test_group_emergency",
            "test_attested",
        ),
    ),
    **dict.fromkeys(
        FOLDED, ("test_folded", "test_promotions", "test_state", "test_validator", "test_group_ledger")
    ),
    "policies.allowed.asked": ("test_allowed", "test_told_rightly", "test_authors"),
    "policies.validator": ("test_refusals_said", "test_validator", "test_allowed"),
    "policies.ledger.keys": ("test_keys", "test_validator", "test_refusals_said"),
    "policies.gates": ("test_gate",),
    "policies.gates.outside": ("test_gate", "test_outside_gates"),
    "policies.gates.order": ("test_gate", "test_digest_versions"),
    "policies.gates.clock": ("test_gate", "test_soak_clock"),
    "policies.gates.counting": ("test_gate", "test_tally"),
    "policies.rulebook.layers": ("test_rules_layers", "test_rules_like"),
    "policies.rules.effective": ("test_rules_layers", "test_rules_keys", "test_effective_rule_paper"),
    "policies.rules.hash": ("test_rules_", "test_effective_rule_paper"),
    "policies.rulebook.approvals_as": ("test_rules_approvals_as", "test_rollout"),
    "policies.entries.reviews": ("test_allowed_reviews", "test_attested"),
    "policies.entries.authors": ("test_attested",),
    "policies.entries.membership": ("test_attested",),
    "policies.ledger.rollout": ("test_attested",),
    "policies.ledger.tally": ("test_attested",),
    "policies.times.calendar": ("test_windows",),
}


def file_of(module: str) -> Path:
    """Return where a module's source is."""
    path = ROOT / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
