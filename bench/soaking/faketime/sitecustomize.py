"""Let Python sleep where libfaketime leaves the monotonic clock alone: its own sleep fails then (0.9.10)."""

import select
import time
from typing import SupportsIndex


def sleep(seconds: "float | SupportsIndex", /) -> None:
    """Wait without the call that fails."""
    select.select([], [], [], float(seconds))


time.sleep = sleep
