"""``timer``: MicroPython's ``time``, on CPython a stand-in. Stands on nothing."""

import time

timer = time
if not hasattr(time, "ticks_ms"):  # CPython
    from . import hosttime as timer  # type: ignore[no-redef]  # noqa: F401
