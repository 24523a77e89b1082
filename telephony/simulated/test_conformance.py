"""The simulated driver does what every driver must do."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from telephony import conformance
from telephony.simulated import Callee, Line, Person, SimulatedDriver, run_virtual


@dataclass
class SimulatedEnd:
    """A person's line as the checks see it."""

    line: Line

    async def press(self, digits: str) -> None:
        await self.line.press(digits)

    async def speak(self, seconds: float) -> None:
        await self.line.speak(seconds)

    async def hang_up(self) -> None:
        self.line.hang_up()

    async def ended(self) -> int:
        await self.line.wait_ended()
        return self.line.sip_code


class SimulatedPeople:
    def __init__(self, driver: SimulatedDriver) -> None:
        self.driver = driver
        driver.callees |= {
            "extension:answers": Callee(after=0.3, person=Person().does(self._picks_up)),
            "extension:busy": Callee("busy", after=0.1),
            "extension:rejects": Callee("rejected", after=0.1),
            "extension:rings": Callee("no_answer"),
        }
        self.picked: list[Line] = []

    async def _picks_up(self, line: Line) -> None:
        self.picked.append(line)

    async def call(self, number: str) -> SimulatedEnd:
        return SimulatedEnd(self.driver.call_in(called=number))

    async def destination(self, behaviour: conformance.Behaviour) -> str:
        return f"extension:{behaviour}"

    async def picked_up(self) -> SimulatedEnd:
        return SimulatedEnd(self.picked[-1])


@pytest.mark.parametrize("check", conformance.CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("latency", [0.0, 0.005])
def test_conformance(check: conformance.Check, latency: float, tmp_path: Path) -> None:
    async def run() -> None:
        driver = SimulatedDriver(latency=latency, folder=tmp_path)

        def sound(seconds: float) -> Path:
            return driver.renderer.know(tmp_path / f"{seconds}.wav", "sound", seconds).path

        await conformance.run(check, conformance.Stage(driver, SimulatedPeople(driver), sound))
        await driver.close()

    run_virtual(run())
