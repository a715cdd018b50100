"""What stages say of themselves, in the report: measures, flags and their reasons, the surface, the ego camera."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from reenact.scene import CameraTrack, Scene, SupportPlane
from reenact.viewer.report import Table

Row = tuple[str, str, str]


def support_table(support: SupportPlane) -> Table:
    """The surface things stand on."""
    if not support.valid:
        return Table("Support surface", (("surface", "unknown", ""),))
    offset = f"{support.offset:.3f} +- {support.sigma_offset:.3f} m"
    tilt = np.rad2deg(support.sigma_normal)
    return Table(
        "Support surface",
        (("offset", offset, f"from {support.origin}"), ("normal", f"+- {tilt:.1f} deg", "")),
    )


def ego_table(ego: CameraTrack, notes: Mapping[str, Any] | None = None) -> Table:
    """The virtual camera, with its measures where the stage's notes are at hand."""
    fov = np.degrees(2 * np.arctan(ego.width_px / 2 / ego.params[0]))
    rows = [("lens", f"{fov:.0f} deg across, {ego.width_px}x{ego.height_px}", "virtual: nobody held it")]
    if notes is not None:
        m, motion = notes["measures"], notes["measures"]["motion"]
        rows += [
            (
                "joints in view",
                f"{m['joints_in_view']:.1%}",
                f"all of them in {m['frames_whole']:.0%} of the frames",
            ),
            (
                "over the hands",
                f"{m['least_height']:.2f} m at least",
                f"{m['least_depth']:.2f} m before it at least",
            ),
            ("stands off", f"{notes['stand_off']:.2f} times an eye's distance", ""),
            (
                "moves at most",
                f"{motion['speed']:.2f} m/s, {motion['turn_deg']:.0f} deg/s",
                f"{motion['acceleration']:.2f} m/s2; smoothed at {notes['smoothing_s']:.1f} s, without lag",
            ),
            ("way the person faces", f"cues agree to {notes['heading_agreement']:.0%}", "from the hands"),
            ("up", f"from {notes['up_from']}", ""),
            (
                "the real camera",
                str(notes["source_view"]),
                "ego: worn by the person; exo: looks at the person",
            ),
        ]
    return Table("Virtual ego camera", tuple(rows))


def numbers_table(title: str, numbers: Mapping[str, Any]) -> Table:
    """Any nested mapping of measures as rows: `None` and nothing become "unknown", lists stay out when long."""
    return Table(title, tuple(_number_rows(numbers, ())))


def _number_rows(value: Any, path: tuple[str, ...]) -> Iterator[Row]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _number_rows(inner, (*path, str(name)))
    elif isinstance(value, str | bool | int | float) or value is None:
        yield " / ".join(path).replace("_", " "), _shown(value), ""
    elif isinstance(value, Sequence) and len(value) <= 8:
        yield " / ".join(path).replace("_", " "), ", ".join(_shown(v) for v in value) or "none", ""


def _shown(value: Any) -> str:
    if value is None or (isinstance(value, float) and not np.isfinite(value)):
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def scene_flags(scene: Scene, notes: Mapping[str, Mapping[str, Any]] | None = None) -> list[str]:
    """Sentences on what was noticed and chosen: why each object was taken, and the `flags` of the stages' notes."""
    lines = []
    if scene.found is not None:
        found = scene.found
        lines += [
            f"{n} ({r}): {why}" for n, r, why in zip(found.names, found.roles, found.reasons, strict=True)
        ]
    for stage, words in (notes or {}).items():
        lines += [f"{stage}: {line}" for line in _flag_lines(words.get("flags"))]
    return lines


def _flag_lines(flags: Any) -> list[str]:
    """A list of sentences, of mappings with a reason, or a mapping of either, as sentences."""
    if isinstance(flags, str):
        return [flags]
    if isinstance(flags, Mapping):
        if "reason" in flags:
            subject = flags.get("subject") or flags.get("object")
            return [f"{subject}: {flags['reason']}" if subject else str(flags["reason"])]
        return [f"{name}: {line}" for name, inner in flags.items() for line in _flag_lines(inner)]
    return [line for inner in flags for line in _flag_lines(inner)] if isinstance(flags, Sequence) else []
