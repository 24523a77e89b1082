"""How property tests draw their examples, in all rooms."""

from hypothesis import HealthCheck, settings

# A busy machine must not make a property fail; what has to be quick measures itself. A round of tests draws the same
# examples each time, so that what it finds is of the change it tests; `make soak` draws new ones.
_PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("same", _PATIENT, derandomize=True)
settings.register_profile("new", _PATIENT)
settings.load_profile("same")
