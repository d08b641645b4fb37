"""How often everything is measured, and how the figures are written."""

import statistics
from collections.abc import Sequence

ROUNDS = 3


def spread(values: Sequence[float], form: str = ",.0f") -> str:
    """Write the median and the range."""
    least, most = min(values), max(values)
    return f"{statistics.median(values):{form}} ({least:{form}} to {most:{form}})"


def ratio(values: Sequence[float], baselines: Sequence[float]) -> str:
    """Write how many times the baseline of the same round each value is."""
    return spread([value / baseline for value, baseline in zip(values, baselines, strict=True)], ".2f")
