"""The end of a context."""

import warnings
from typing import Any

import pytest

from soundalike.learning.spark.process import stop_context


class Unanswering:
    """A context whose JVM does not answer."""

    def stop(self) -> None:
        warnings.warn("unable to cleanly shutdown", RuntimeWarning, stacklevel=1)


def test_nothing_is_printed_of_a_jvm_that_does_not_answer(recwarn: pytest.WarningsRecorder) -> None:
    context: Any = Unanswering()
    stop_context(context)
    assert not recwarn.list
