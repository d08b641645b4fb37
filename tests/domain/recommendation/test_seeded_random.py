import subprocess
import sys

import numpy as np
import pytest

from soundalike.domain.recommendation.seeded_random import SeededRandom


def test_numbers_depend_on_each_part_of_the_question_and_on_their_purpose() -> None:
    drawn = {
        tuple(SeededRandom(*question).numbers(name, 2))
        for question in (("p", "a", None, ["x"], 20, 0.2), ("q", "a", None, ["x"], 20, 0.2),
                         ("p", "b", None, ["x"], 20, 0.2), ("p", "a", "s", ["x"], 20, 0.2),
                         ("p", "a", None, [], 20, 0.2), ("p", "a", None, ["x"], 21, 0.2),
                         ("p", "a", None, ["x"], 20, 0.3))
        for name in ("slots", "explore")
    }  # fmt: skip
    assert len(drawn) == 14


def test_numbers_are_spread_evenly() -> None:
    numbers = SeededRandom("question").numbers("name", 4000)
    assert numbers.min() >= 0
    assert numbers.max() < 1
    assert np.histogram(numbers, bins=4, range=(0, 1))[0] == pytest.approx([1000] * 4, abs=120)


def test_numbers_are_the_same_in_every_process() -> None:
    module = "soundalike.domain.recommendation.seeded_random"
    code = f"from {module} import SeededRandom; print(SeededRandom('q', ['x'], 0.5).numbers('n', 3))"
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    }
    assert outputs == {f"{SeededRandom('q', ['x'], 0.5).numbers('n', 3)}\n".encode()}
