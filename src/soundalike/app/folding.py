"""A consumer in a thread beside the player: one process does everything, as `up` promises."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from soundalike.app import App
from soundalike.app.consuming import LogConsumer, open_consumer
from soundalike.domain.errors import SoundalikeError

_log = logging.getLogger(__name__)

_AGAIN_AFTER_S = 5.0
_JOINS_WITHIN_S = 5.0


@contextmanager
def folding_beside(app: App) -> Iterator[None]:
    """Fold what the event log takes until the block ends; nothing is to do where the log folds by itself.

    The block begins once the consumer has joined its group, or after a few seconds: whoever is first to skip
    something need not wait for that.

    A consumer that fails is logged and begins again after a while: the player goes on meanwhile, and says
    that nothing learns.

    Raises
    ------
    SettingsError, ServeError
        If the consumer, or its metrics, cannot be set up.
    """
    if app.log.is_folding:
        yield
        return
    stop, has_begun = threading.Event(), threading.Event()
    with open_consumer(
        app, on_ready=lambda _: has_begun.set(), metrics_port=app.settings.metrics_port
    ) as consumer:
        thread = threading.Thread(target=_consume, args=(consumer, stop, has_begun), name="consumer")
        thread.start()
        try:
            has_begun.wait(_JOINS_WITHIN_S)
            yield
        finally:
            stop.set()
            thread.join()


def _consume(consumer: LogConsumer, stop: threading.Event, has_begun: threading.Event) -> None:
    said = ""
    while not stop.is_set():
        try:
            consumer.run(stop)
        except SoundalikeError as error:
            if str(error) != said:
                _log.warning("what is listened to is kept, but not folded: %s", error)
            said = str(error)
        except Exception:  # noqa: BLE001 - a thread has nobody else to tell
            _log.exception("what is listened to is kept, but not folded")
        has_begun.set()  # or has failed to
        stop.wait(_AGAIN_AFTER_S)
