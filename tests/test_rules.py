"""Rules of the house that a test can hold: who imports whom, what start-up may cost, what is forbidden."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "reenact"
EVERYONE_MAY = {"errors", "records", ""}
HEAVY = {
    "torch",
    "ray",
    "mujoco",
    "mink",
    "cv2",
    "av",
    "pyarrow",
    "h5py",
    "scipy",
    "ai_edge_litert",
    "skimage",
    "numpy",
}


def import_table() -> dict[str, set[str]]:
    """The table in ARCHITECTURE.md under 'Who may import whom'."""
    text = (
        (ROOT / "ARCHITECTURE.md")
        .read_text(encoding="utf-8")
        .split("## Who may import whom")[1]
        .split("\n## ")[0]
    )
    table = {}
    for row in re.findall(r"^\|\s*`(\w+)`\s*\|\s*(.*?)\s*\|$", text, flags=re.M):
        table[row[0]] = set(re.findall(r"`(\w+)`", row[1]))
    return table


def imports_of(path: Path) -> set[str]:
    """Rooms of ours that a file imports."""
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} uses a relative import"
            names = (
                [f"{node.module}.{a.name}" for a in node.names]
                if node.module == "reenact"
                else [node.module or ""]
            )
        for name in names:
            if name == "reenact" or name.startswith("reenact."):
                rooms.add((name.split(".") + [""])[1])
    return rooms


def rooms() -> list[str]:
    return sorted(p.name for p in SOURCE.iterdir() if (p / "__init__.py").is_file())


@pytest.mark.parametrize("room", rooms())
def test_a_room_imports_only_what_the_table_allows(room: str) -> None:
    table = import_table()
    assert room in table, f"{room} is not in the table of ARCHITECTURE.md"
    allowed = table[room] | EVERYONE_MAY | {room}
    for path in sorted((SOURCE / room).rglob("*.py")):
        extra = imports_of(path) - allowed - ({"__version__"} & imports_of(path))
        assert not extra, (
            f"{path.relative_to(ROOT)} imports {sorted(extra)}; {room} may import {sorted(table[room])}"
        )


def test_the_table_has_no_room_that_is_not_there_or_planned() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    for room in import_table():
        assert (SOURCE / room).is_dir() or re.search(rf"^\s+{room}/.*\(later\)", text, flags=re.M), room


@pytest.mark.parametrize("room", rooms())
def test_a_room_says_what_it_owns(room: str) -> None:
    docstring = (
        ast.get_docstring(ast.parse((SOURCE / room / "__init__.py").read_text(encoding="utf-8"))) or ""
    )
    assert len(docstring) > 80, f"{room}/__init__.py needs a docstring: what it owns, what it may import"


FORBIDDEN = {
    r"^\s*import pickle|^\s*from pickle": "pickle",
    r"allow_pickle\s*=\s*True": "pickled arrays",
    r"os\.environ|os\.getenv": "environment variables for behaviour",
    r"except\s*:": "bare except",
    r"shell\s*=\s*True": "a shell",
}


@pytest.mark.parametrize("pattern", FORBIDDEN)
def test_nobody_uses(pattern: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{i}"
        for path in sorted(SOURCE.rglob("*.py"))
        for i, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(pattern, line) and "rule: allowed" not in line
    ]
    assert not found, f"{FORBIDDEN[pattern]}: {found}"


def modules_after(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(' '.join(sorted(m.split('.')[0] for m in sys.modules)))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(out.stdout.split())


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert not modules_after("import reenact") & HEAVY


def test_names_of_files_say_something() -> None:
    bad = [
        p.name for p in SOURCE.rglob("*.py") if p.stem in {"utils", "common", "misc", "helpers", "v2", "new"}
    ]
    assert not bad
