"""A telephony engine in memory with scripted people: for the simulator, flow tests and campaign simulations."""

from telephony.simulated.clock import VirtualClockLoop, run_virtual
from telephony.simulated.driver import SimulatedDriver
from telephony.simulated.ears import SimulatedEars
from telephony.simulated.person import Callee, Heard, Line, Person
from telephony.simulated.renderer import SimulatedRenderer, estimate_seconds

__all__ = [
    "Callee",
    "Heard",
    "Line",
    "Person",
    "SimulatedDriver",
    "SimulatedEars",
    "SimulatedRenderer",
    "VirtualClockLoop",
    "estimate_seconds",
    "run_virtual",
]
