"""What the documents name is there: links, files, classes, options and settings."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "ARCHITECTURE.md",
    ROOT / "CONVENTIONS.md",
    *sorted(ROOT.glob("docs/*.md")),
]
PLACEHOLDERS = {"FooConfig"}
"""Stand for any name of their form."""


@functools.cache
def words() -> frozenset[str]:
    """Every word of the code."""
    folders = ("src", "tests", "benchmarks", "examples")
    texts = (
        p.read_text(encoding="utf-8")
        for f in folders
        for p in (ROOT / f).rglob("*.py")
        if p != Path(__file__)
    )
    return frozenset(word for text in texts for word in re.findall(r"\w+", text))


@functools.cache
def files() -> frozenset[str]:
    """Every file of ours, from the root, and the ends of its path."""
    folders = ("src", "tests", "benchmarks", "examples", "docs")
    paths = [p for folder in folders for p in (ROOT / folder).rglob("*")] + list(ROOT.iterdir())
    return frozenset(
        "/".join(p.relative_to(ROOT).parts[k:]) for p in paths for k in range(len(p.relative_to(ROOT).parts))
    )


def code_of(page: Path) -> list[str]:
    """Words of a page that are set as code, options in blocks of commands among them."""
    text = page.read_text(encoding="utf-8")
    spans = re.findall(r"`([^`\n]+)`", text) + re.findall(r"^```(?:bash|sh)\n(.*?)^```", text, re.M | re.S)
    return [word.strip(",;:()[]") for span in spans for word in span.split()]


def named(page: Path, pattern: str) -> set[str]:
    return {word for word in code_of(page) if re.fullmatch(pattern, word)}


def missing(page: Path) -> list[str]:
    """What a page names and nobody finds."""
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    gone = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    gone += [p for p in named(page, r"[\w/.-]+\.(py|md)") if p.lstrip("./") not in files()]
    dotted = named(page, r"[A-Z][a-z]\w*[A-Z]\w+(\.\w+)*") | named(page, r"[a-z]\w*(\.[a-z]\w*)+=.*")
    gone += [n for n in dotted - PLACEHOLDERS if not set(n.partition("=")[0].split(".")) <= words()]
    options = {o: o[2:].partition("=")[0].replace("-", "_") for o in named(page, r"--[a-z][\w=.-]*")}
    return sorted(gone) + sorted(o for o, name in options.items() if not {name, name[3:]} & words())


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_what_a_page_names_is_there(page: Path) -> None:
    assert missing(page) == []


def test_what_is_not_there_is_missed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "[a](gone.md) `nowhere/gone.py` `GoneConfig.field` `--gone-option 3` `camera.gone_setting=1`\n"
    )
    assert missing(page) == sorted(
        ["gone.md", "nowhere/gone.py", "GoneConfig.field", "camera.gone_setting=1"]
    ) + ["--gone-option"]
