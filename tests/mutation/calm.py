"""Tests that do the same each time, whatever ran before: a plugin of pytest for runs whose answer is yes or no.

Hypothesis draws without chance and shrinks nothing; what functions remember is forgotten before each test.
"""

import sys

from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "calm",
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("calm")


def pytest_runtest_setup() -> None:
    """Forget what was remembered, so that each test runs the lines that decide for it."""
    for name, module in list(sys.modules.items()):
        if name.startswith("policies."):
            for one in list(vars(module).values()):
                if hasattr(one, "cache_clear"):
                    one.cache_clear()
