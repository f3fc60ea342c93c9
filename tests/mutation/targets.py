"""Which modules are made faulty: those that decide whether something may move."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
GATES = tuple(sorted(f"policies.gates.{path.stem}" for path in (ROOT / "policies/gates").glob("[a-z]*.py")))
TARGETS: dict[str, tuple[str, ...]] = {
    "gates": (
        "policies.gates",
        *GATES,
        "policies.outside_gates",
        "policies.gate_notes",
        "policies.windows",
        "policies.calendar",
        "policies.guards",
    ),
    "tally": (
        "policies.tally",
        "policies.membership",
        "policies.authors",
        "policies.rollout",
        "policies.reviews",
    ),
    "precedence": (
        "policies.rules_layers",
        "policies.rules_effective",
        "policies.rules_hash",
        "policies.rules_as",
    ),
}
# where a module is held beside the file of tests that has its name
OWN_TESTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(GATES, ("test_gate",)),
    "policies.gates": ("test_gate",),
    "policies.gates.outside": ("test_gate", "test_outside_gates"),
    "policies.gates.counting": ("test_gate", "test_tally"),
    "policies.rules_effective": ("test_rules_layers",),
    "policies.rules_as": ("test_rollout",),
    "policies.reviews": ("test_allowed_reviews", "test_attested"),
    "policies.authors": ("test_attested",),
    "policies.membership": ("test_attested",),
    "policies.rollout": ("test_attested",),
    "policies.tally": ("test_attested",),
    "policies.calendar": ("test_windows",),
}


def file_of(module: str) -> Path:
    """Return where a module's source is."""
    path = ROOT / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
