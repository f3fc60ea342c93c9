"""Hypothesis without chance and without shrinking: a plugin of pytest for runs whose answer is yes or no."""

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
