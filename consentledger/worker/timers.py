"""What happens by the clock, not by an event: each timer in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from consentledger.db.installation import Installation
from consentledger.kernel.errors import ConsentLedgerError, IntegrityError

_log = structlog.get_logger("consentledger.worker")


@dataclass(frozen=True, slots=True)
class Timer:
    """`act` is called every `seconds` (and once at the start), safe beside other workers' timers."""

    name: str
    seconds: float
    act: Callable[[Installation], object]
    doc: str


class TimerThread(threading.Thread):
    """Runs one timer until it is stopped; an error is logged and does not end it."""

    def __init__(self, timer: Timer, installation: Installation) -> None:
        super().__init__(name=timer.name, daemon=True)
        self._timer = timer
        self._installation = installation
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Ends the thread after the present round."""
        self._stopped.set()

    def run(self) -> None:
        """Acts at once, then every `seconds`; after an error it waits twice as long."""
        while True:
            pause = self._timer.seconds * (1 if self._round() else 2)
            if self._stopped.wait(pause):
                return

    def _round(self) -> bool:
        try:
            self._timer.act(self._installation)
        except IntegrityError as error:
            _log.critical("somebody must look", timer=self._timer.name, reason=str(error))
        except ConsentLedgerError as error:
            _log.warning("timer failed", timer=self._timer.name, reason=str(error))
        except Exception as error:
            _log.error("timer failed", timer=self._timer.name, exc_info=error)
        else:
            return True
        return False
