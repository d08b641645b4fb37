"""Figures that benchmarks write into docs/performance.md, each into a section of its own."""

import platform
from pathlib import Path
from textwrap import fill

import numpy as np

PAGE = Path(__file__).resolve().parent.parent / "docs" / "performance.md"


def write_section(name: str, heading: str, text: str) -> None:
    """Put figures between the marks of a section.

    Parameters
    ----------
    name : str
        The command: that of ``bench/NAME.py``, and what it is given.
    heading : str
        Of the section, if it is new.
    text : str
        Markdown.
    """
    script, *given = name.split()
    command = " ".join(["python", f"bench/{script}.py", *given, "--write"])
    begin, end = f"<!-- {name}: written by bench/{script}.py -->", f"<!-- end of {name} -->"
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else "# Performance\n"
    before, _, rest = page.partition(begin)
    after = rest.partition(end)[2] if rest else "\n"
    if not rest:
        before = f"{before.rstrip()}\n\n## {heading}\n\n`{command}`\n\n"
    wrapped = "\n".join(line if line.startswith(("|", "#")) else fill(line, 100) for line in text.split("\n"))
    PAGE.write_text(f"{before}{begin}\n\n{wrapped}\n\n{end}{after}", encoding="utf-8")


def machine() -> str:
    """Name the processor and the versions that figures depend on."""
    found = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    name = found[0].partition(":")[2].strip() if found else platform.machine()
    return f"{len(found)} cores of {name}, Python {platform.python_version()}, NumPy {np.__version__}"
