"""The documentation can be read on a terminal, and names files that exist."""

import re
from pathlib import Path

import pytest

from conftest import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
SOURCES = ROOT / "src" / "soundalike"
MAX_WIDTH = 100


def names(pages: list[Path]) -> list[str]:
    return [str(page.relative_to(ROOT)) for page in pages]


def prose(page: Path) -> list[str]:
    """Return a page's lines that can be wrapped: those of tables, code and one long word cannot."""
    without_code = re.sub(
        r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    return [
        line for line in without_code.splitlines() if not line.startswith("|") and " " in line.strip("* ")
    ]


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_lines_are_wrapped(page: Path) -> None:
    assert [line for line in prose(page) if len(line) > MAX_WIDTH] == []


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_modules_that_are_named_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"`((?:[\w*]+/)+[\w*]+\.(?:py|js|css|html))(?:: \w+)?`", text)
    assert [name for name in named if not any([*ROOT.glob(name), *SOURCES.glob(name)])] == []
