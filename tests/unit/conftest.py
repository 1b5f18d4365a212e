"""Settings of the property tests: a loaded machine is no failure."""

from hypothesis import HealthCheck, settings

settings.register_profile("mixer", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("mixer")
