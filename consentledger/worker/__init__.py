"""The worker: does what the outbox holds, signs checkpoints, ends what has ended.

Any number of workers may run; each takes work by lease. `run` is what the command calls.
"""

from consentledger.worker.main import run

__all__ = ["run"]
