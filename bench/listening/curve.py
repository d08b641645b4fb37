"""The learning curve of a simulation, drawn as SVG."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.style import context as style_context

from listening.simulation import AFTER, Kind, Results
from listening.tables import Pick, error, of_kind, select, values
from soundalike.domain.recommendation.question import DEFAULT_ADVENTURE

CURVE = Path(__file__).resolve().parent.parent.parent / "docs" / "learning.svg"
INK = "#7d8590"  # readable on white and on black
LINES: tuple[tuple[str, str, float | None, Pick], ...] = (
    ("recommended", "#2f81f7", DEFAULT_ADVENTURE, lambda one: one.recommended),
    ("similar to the last track", "#db6d28", DEFAULT_ADVENTURE, lambda one: one.similar),
    ("chance", INK, DEFAULT_ADVENTURE, lambda one: one.chance),
)


def draw(results: Results) -> None:
    """Draw R-precision against tracks played; the same numbers give the same file."""
    mpl.use("svg")
    style = {
        "svg.hashsalt": "soundalike", "svg.fonttype": "path", "font.size": 10,
        "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": INK, "xtick.color": INK,
        "ytick.color": INK, "axes.spines.top": False, "axes.spines.right": False,
    }  # fmt: skip
    panels = (
        ("likes one collection", of_kind(select(results, count=1), Kind(DEFAULT_ADVENTURE))),
        ("... and plays what is recommended", of_kind(results, Kind(DEFAULT_ADVENTURE, picks_first=False))),
        ("likes two collections", of_kind(select(results, count=2), Kind(DEFAULT_ADVENTURE))),
    )
    with style_context(style):
        figure, axes = plt.subplots(1, len(panels), figsize=(10, 3.4), sharey=True, layout="constrained")
        for axis, (title, runs) in zip(axes, panels, strict=True):
            draw_panel(axis, title, runs)
        axes[0].set_ylabel("R-precision of unplayed tracks")
        axes[-1].legend(frameon=False, labelcolor=INK, loc="lower left")
        CURVE.parent.mkdir(exist_ok=True)
        figure.savefig(CURVE, transparent=True, metadata={"Date": None, "Creator": None})
    print(f"\nthe curve is in {CURVE.relative_to(CURVE.parent.parent)}")


def draw_panel(axis: Axes, title: str, runs: Results) -> None:
    """Draw one kind of listener, with a band of two standard errors."""
    for name, colour, _, pick in LINES:
        found = {after: values(runs, after, pick) for after in AFTER}
        places = [after for after in AFTER if found[after]]
        means = np.array([np.mean(found[after]) for after in places])
        errors = np.array([2 * error(found[after]) for after in places])
        style = "--" if name == "chance" else "-"
        axis.plot(places, means, style, color=colour, marker=None if style == "--" else "o", label=name, lw=2)
        if style == "-":
            axis.fill_between(places, means - errors, means + errors, color=colour, alpha=0.18, lw=0)
    axis.set_title(title, color=INK, fontsize=10)
    axis.set_xlabel("tracks played")
    axis.set_xticks(AFTER)
    axis.set_ylim(0, None)
    axis.grid(axis="y", color=INK, alpha=0.2)
