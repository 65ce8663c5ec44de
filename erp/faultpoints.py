"""Fault points: named places at which a test kills the process, as a power cut would.

``ERP_FAULT_POINT=handover:after_freeze`` ends the process with SIGKILL when it gets there; without the
variable a fault point does nothing. The variable is read here and nowhere else.
"""

from __future__ import annotations

import os
import signal

_WANTED = os.environ.get("ERP_FAULT_POINT", "")


def fault_point(name: str) -> None:
    """Die here, without any clean-up, if this process was started to die at ``name``."""
    if _WANTED and name == _WANTED:
        os.kill(os.getpid(), signal.SIGKILL)
