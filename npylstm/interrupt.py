"""Ctrl-C at the right moment: after a batch, never in the middle of an update."""

import contextlib
import signal
import threading


@contextlib.contextmanager
def held_back():
    """Hold KeyboardInterrupt back until the end of a ``with`` block.

    A second Ctrl-C is not held back.  Outside the main thread, where Python delivers no signals,
    and where somebody else handles Ctrl-C, this does nothing.
    """
    ours_to_handle = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )
    if not ours_to_handle:
        yield
        return
    pressed = []

    def hold_first(signum, frame):
        if pressed:
            signal.default_int_handler(signum, frame)
        pressed.append(signum)

    signal.signal(signal.SIGINT, hold_first)
    _waiting.append(pressed)
    try:
        yield
    finally:
        _waiting.pop()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if pressed:
            raise KeyboardInterrupt


_waiting = []


def pending():
    """Return whether Ctrl-C has been pressed and is being held back."""
    return bool(_waiting and _waiting[-1])
