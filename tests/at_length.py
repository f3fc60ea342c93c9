"""The long form of the laws: `make laws` loads this as a plugin of pytest."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "campaign", max_examples=5_000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("campaign")
