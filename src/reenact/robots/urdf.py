"""A URDF made readable for MuJoCo: mesh paths resolved, missing inertias filled, its own limits read.

MuJoCo reads URDF itself, but knows nothing of ROS packages, refuses links without inertia and forgets speed
limits. The file on disk is never changed; an edited copy of its text is handed over.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

from reenact.robots.errors import ModelFileError

MESH_TYPES = (".stl", ".obj", ".msh")
"""What MuJoCo reads; for other formats a file of the same name and one of these types is taken if there."""
_FILL_MASS = "0.001"


@dataclass(frozen=True)
class PreparedUrdf:
    """Text MuJoCo can load, and what it would have forgotten."""

    xml: str
    velocities: dict[str, float]
    mimics: dict[str, tuple[str, float, float]]
    """Follower joint to (leader, multiplier, offset)."""


def prepare_urdf(path: Path, packages: dict[str, Path], skip_meshes: bool) -> PreparedUrdf:
    """Reads and edits a URDF.

    Args:
        packages: folders of the ROS packages named in ``package://`` paths. A package not listed is looked
            for among the folders above the file.
        skip_meshes: drop every mesh.

    Raises:
        ModelFileError: not XML, not a URDF, or mesh files missing (all are named).
    """
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as err:
        raise ModelFileError(f"{path.name}: not XML: {err}") from err
    if root.tag != "robot":
        raise ModelFileError(f"{path.name}: its root is <{root.tag}>", hint="a URDF starts with <robot>")
    for own in root.findall("mujoco"):
        root.remove(own)
    _edit_meshes(root, path, packages, skip_meshes)
    _fill_inertias(root)
    _add_compiler(root)
    return PreparedUrdf(ElementTree.tostring(root, encoding="unicode"), _velocities(root), _mimics(root))


def _edit_meshes(root: ElementTree.Element, path: Path, packages: dict[str, Path], skip: bool) -> None:
    """Give found meshes their full paths; visual ones for which no readable format lies beside them are left out."""
    missing = []
    for link in root.findall("link"):
        for element in [*link.findall("visual"), *link.findall("collision")]:
            mesh = element.find("geometry/mesh")
            if mesh is None:
                continue
            name = mesh.get("filename", "")
            found = None if skip else _find_mesh(name, path, packages)
            if found is not None:
                mesh.set("filename", str(found))
                continue
            link.remove(element)
            unreadable = Path(name).suffix.lower() not in MESH_TYPES and element.tag == "visual"
            if not skip and not unreadable:
                missing.append(name)
    if missing:
        raise ModelFileError(
            f"{path.name}: {len(missing)} mesh files are not there, the first: {missing[0]!r}",
            hint="give their folder under [packages] in the sheet, or set meshes = 'skip' to go without",
        )


def _find_mesh(name: str, path: Path, packages: dict[str, Path]) -> Path | None:
    if name.startswith("package://"):
        package, _, rest = name.removeprefix("package://").partition("/")
        roots = [packages[package]] if package in packages else _package_roots(path, package)
        candidates = [root / rest for root in roots]
    else:
        candidates = [path.parent / name.removeprefix("file://")]
    for candidate in candidates:
        for suffix in (candidate.suffix, *MESH_TYPES, *(kind.upper() for kind in MESH_TYPES)):
            found = candidate.with_suffix(suffix)
            if suffix.lower() in MESH_TYPES and found.is_file():
                return found.resolve()
    return None


def _package_roots(path: Path, package: str) -> list[Path]:
    """Folders above (or beside) the file that carry the package's name, then those that could stand for it."""
    above = list(path.resolve().parents)[:5]
    named = [folder for folder in above if folder.name == package]
    return named + [folder / package for folder in above if (folder / package).is_dir()] + above[:2]


def _fill_inertias(root: ElementTree.Element) -> None:
    """A gram for every link without inertia: MuJoCo refuses moving bodies that weigh nothing."""
    for link in root.findall("link"):
        if link.find("inertial") is None:
            inertial = ElementTree.SubElement(link, "inertial")
            ElementTree.SubElement(inertial, "mass", value=_FILL_MASS)
            moments = {key: "1e-7" if key in ("ixx", "iyy", "izz") else "0" for key in
                       ("ixx", "ixy", "ixz", "iyy", "iyz", "izz")}  # fmt: skip
            ElementTree.SubElement(inertial, "inertia", moments)


def _add_compiler(root: ElementTree.Element) -> None:
    block = ElementTree.SubElement(root, "mujoco")
    ElementTree.SubElement(
        block, "compiler", strippath="false", fusestatic="false", discardvisual="false",
        balanceinertia="true", boundmass="1e-4", boundinertia="1e-8",
    )  # fmt: skip


def _velocities(root: ElementTree.Element) -> dict[str, float]:
    found = {}
    for joint in root.findall("joint"):
        limit = joint.find("limit")
        speed = float(limit.get("velocity", 0)) if limit is not None else 0.0
        if speed > 0:
            found[joint.get("name", "")] = speed
    return found


def _mimics(root: ElementTree.Element) -> dict[str, tuple[str, float, float]]:
    found = {}
    for joint in root.findall("joint"):
        mimic = joint.find("mimic")
        if mimic is not None:
            scale, offset = float(mimic.get("multiplier", 1)), float(mimic.get("offset", 0))
            found[joint.get("name", "")] = (mimic.get("joint", ""), scale, offset)
    return found
