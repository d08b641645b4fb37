"""The JVM as a process: its environment, its end, and Ctrl-C."""

import contextlib
import logging
import os
import signal
import subprocess
import threading
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from py4j.protocol import Py4JError  # type: ignore[import-untyped]  # py4j ships no types
from pyspark import SparkContext

_STOP_TIMEOUT_S = 15


def is_worth_logging(record: logging.LogRecord) -> bool:
    """Whether a record is not one of py4j's about Ctrl-C, which the root logger would print."""
    return not record.getMessage().startswith("KeyboardInterrupt while sending command")


def is_interrupted(error: BaseException | None) -> bool:
    """Whether Ctrl-C caused what was raised."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


def stop_context(context: SparkContext) -> None:
    """Stop a context; if its JVM does not answer, as after Ctrl-C, its end is all that is left."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # PySpark would print its guesses about the JVM
        context.stop()


def stop_gateway(gateway: Any) -> None:  # noqa: ANN401 - py4j has no types
    """End the JVM, so that this process can start another later."""
    # PySpark keeps the gateway, although its JVM has ended.
    SparkContext._gateway = None  # noqa: SLF001 - there is no public way
    SparkContext._jvm = None  # noqa: SLF001 - the same
    with contextlib.suppress(Py4JError, OSError):
        gateway.shutdown()
    # The JVM ends with its input, also if this process is killed.
    gateway.proc.stdin.close()
    try:
        gateway.proc.wait(timeout=_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        gateway.proc.kill()
        gateway.proc.wait()


@contextlib.contextmanager
def environment(variables: Mapping[str, str | None]) -> Iterator[None]:
    """Set variables (None: unset) for the processes that are started in the block."""
    before = {name: os.environ.get(name) for name in variables}
    _set(variables)
    try:
        yield
    finally:
        _set(before)


def _set(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@contextlib.contextmanager
def keeping_interrupt_handler() -> Iterator[None]:
    """Restore the handler of Ctrl-C, which PySpark replaces; closing the session ends its jobs too."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
