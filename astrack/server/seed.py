"""What is loaded once, in the process from which those that answer are forked: it takes seconds, a fork none."""

from __future__ import annotations

import gc
import signal

from astrack.server import background, logs, site, watching
from astrack.web import pages

__all__ = ["background", "logs", "pages", "site", "watching"]

# a supervisor that tells every process to stop means those that answer; this one ends after the last of them
signal.signal(signal.SIGTERM, signal.SIG_IGN)
gc.collect()
gc.freeze()
