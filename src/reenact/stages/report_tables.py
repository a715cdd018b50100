"""Tables of the report: (name, value, note) rows, in words a user understands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reenact.quality.hands import HandQuality, OneHandQuality
from reenact.quality.retarget import RetargetQuality
from reenact.quality.truth import SceneErrors
from reenact.robots.model import Robot
from reenact.scene import CameraPath, CameraTrack, Scene
from reenact.viewer.report import Table

Row = tuple[str, str, str]


def _show(value: float | None, form: str = "{:.2f}") -> str:
    return "unknown" if value is None else form.format(value)


def _axes(value: Sequence[float] | None) -> str:
    return "unknown" if value is None else " / ".join(f"{v:.2f}" for v in value)


def hands_table(raw: HandQuality, refined: HandQuality) -> Table:
    """Both hands, as measured per frame and as refined."""
    rows: list[Row] = [
        ("frames with one hand", f"{refined.frames_with_one} of {refined.frames}", ""),
        ("frames with both hands", f"{refined.frames_with_two} of {refined.frames}", ""),
    ]
    for name in ("left", "right"):
        before: OneHandQuality = getattr(raw, name)
        after: OneHandQuality = getattr(refined, name)
        if after.valid_frames == 0:
            rows.append((name, "never found", ""))
            continue
        rows += [
            (f"{name}: seen, filled", f"{after.observed_frames}, {after.filled_frames} frames", ""),
            (
                f"{name}: reprojection, median",
                f"{_show(after.reprojection_median_percent)} % of the hand's box",
                "",
            ),
            (
                f"{name}: wrist jitter x / y / z",
                f"{_axes(after.jitter_cm)} cm",
                f"per frame: {_axes(before.jitter_cm)} cm",
            ),
            (
                f"{name}: one sigma x / y / z",
                f"{_axes(after.sigma_median_cm)} cm",
                "with scale and focal error",
            ),
            (f"{name}: bone lengths vary", f"{_show(after.bone_length_spread_percent)} %", ""),
            (f"{name}: gaps", f"{after.gaps}, longest {after.longest_gap_s:.2f} s", ""),
        ]
    return Table("Hands", tuple(rows))


def truth_table(errors: SceneErrors) -> Table:
    """Errors against the known truth of a toy clip."""
    rows: list[Row] = [
        ("hands found", f"{errors.found_share:.1%}", "of all true hands, frame by frame"),
        ("focal length", f"{errors.focal_error_percent:+.1f} %", ""),
        (
            "up",
            "not claimed" if errors.gravity_error_deg is None else f"{errors.gravity_error_deg:.1f} deg off",
            "",
        ),
    ]
    kinds = {
        "with objects": errors.with_objects,
        "by depth": errors.by_depth,
        "refined": errors.refined,
        "per frame": errors.raw,
    }
    for name, e in kinds.items():
        if e is None:
            continue
        rows += [
            (
                f"wrist, sideways ({name})",
                f"{e.wrist_lateral_cm:.2f} cm",
                f"90 %: {e.wrist_lateral_p90_cm:.2f} cm",
            ),
            (
                f"wrist, depth ({name})",
                f"{e.wrist_depth_percent:.1f} %",
                f"{e.wrist_depth_cm:.2f} cm, ratio {e.depth_ratio:.3f}",
            ),
            (
                f"21 joints ({name})",
                f"{e.joints_absolute_mm:.1f} mm",
                f"wrist moved onto wrist: {e.joints_root_aligned_mm:.1f} mm",
            ),
            (f"error over stated sigma ({name})", _axes(e.sigma_ratio), "x / y / z; 1 is honest"),
        ]
    return Table("Against the known truth", tuple(rows))


def robot_table(name: str, quality: RetargetQuality, notes: Mapping[str, Any]) -> Table:
    """EgoInfinity's measures on the final trajectory, and what else a robot cares about."""
    seed = "as EgoInfinity defines it"
    root = notes["root"]["T_world_base"]
    place = ", ".join(f"{row[3]:.2f}" for row in root[:3])
    yaw = np.degrees(np.arctan2(root[1][0], root[0][0]))
    rows: list[Row] = [
        (
            "IK rate (1 cm, 0.05 rad)",
            _show(quality.ik_rate, "{:.3f}"),
            seed + ", but on the final trajectory",
        ),
        ("rate as stated", _show(quality.stated_rate, "{:.3f}"), quality.stated_tolerance),
        ("whole-clip rate", _show(quality.full_clip_rate, "{:.3f}"), "every followed hand, every frame"),
        ("position error", f"{_show(quality.position_error_cm)} cm", seed),
        ("orientation error", f"{_show(quality.orientation_error_deg)} deg", seed),
        ("joint-limit margin", f"{_show(quality.joint_limit_margin_rad, '{:.3f}')} rad", seed),
        ("manipulability", _show(quality.manipulability, "{:.4f}"), seed),
        ("mean squared joint velocity", f"{quality.mean_squared_joint_velocity:.4f} rad2/s2", seed),
        (
            "roughness",
            f"{quality.roughness_rad2:.6f} rad2",
            "mean squared step; what the seed's code computes",
        ),
        ("fastest joint", f"{quality.peak_velocity_ratio:.2f} of its limit", ""),
        (
            "largest acceleration",
            f"{_show(quality.peak_acceleration_ratio)} of its limit",
            f"{quality.peak_acceleration:.0f} rad/s2; few makers state a limit",
        ),
        (
            "self-collision",
            f"{quality.collision_frames} of {quality.frames} frames",
            ", ".join(quality.collision_pairs),
        ),
        (
            "time shift",
            f"{_show(quality.time_shift_ms, '{:.1f}')} ms",
            "by cross-correlation with the targets",
        ),
        ("base stands at", f"{place} m, yaw {yaw:.0f} deg", f"found by {notes['root']['method']}"),
    ]
    return Table(f"Robot {name}", tuple(rows))


def camera_table(camera: CameraTrack, account: CameraPath | None, notes: Mapping[str, Any]) -> Table:
    """Lens, motion, path, up: value, how sure, why."""
    lens, up, motion = (notes.get(k) or {} for k in ("intrinsics", "gravity", "motion"))
    fov = np.degrees(2 * np.arctan(camera.width_px / 2 / camera.params[0]))
    rows: list[Row] = [
        (
            "focal length",
            f"{camera.params[0]:.0f} px +- {camera.focal_sigma:.0%}",
            f"from {camera.intrinsics_source}",
        ),
        ("horizontal field of view", f"{fov:.0f} deg" if camera.model == "pinhole" else "fisheye", ""),
        ("why", str(lens.get("reason", "")), ""),
        (
            "camera",
            camera.motion,
            f"{camera.motion_heights_per_s:.3f} image heights/s; {motion.get('reason', '')}",
        ),
        *_path_rows(camera, account, notes.get("path") or {}),
        (
            "up",
            f"+- {np.degrees(camera.gravity_sigma):.0f} deg",
            f"from {camera.gravity_source}; {up.get('reason', '')}",
        ),
        ("scene frame", camera.world_frame, "world: +Z up; camera0: the first camera's axes"),
    ]
    return Table("Camera", tuple(rows))


def _path_rows(camera: CameraTrack, account: CameraPath | None, notes: Mapping[str, Any]) -> list[Row]:
    """Where a moving camera went, or why that is not known; nothing for one that stands still."""
    if camera.motion == "still":
        return []
    if account is None:
        why = notes.get("reason") or ("given" if camera.valid.any() else "not looked for")
        return [("path", "known" if camera.valid.any() else "unknown", str(why))]
    turn, place = np.degrees(account.turn_sigma), account.place_sigma * 100
    why = (notes.get("scale") or {}).get("reason", "")
    return [
        (
            "path",
            f"+- {turn:.1f} deg, {place:.1f} cm",
            f"{account.placed:.0%} of the frames placed by {len(account.points_world)} corners of the room",
        ),
        ("metres of the path", f"+- {account.scale_sigma:.0%}", f"from {account.scale_source}; {why}"),
    ]


def time_table(seconds: Mapping[str, float], duration_s: float) -> Table:
    """Seconds per stage on the machine that ran it."""
    rows: list[Row] = [
        (name, f"{value:.2f} s", f"{value / duration_s:.2f} x the clip") for name, value in seconds.items()
    ]
    total = sum(seconds.values())
    return Table("Time", (*rows, ("all", f"{total:.2f} s", f"{total / duration_s:.2f} x the clip")))


def source_table(scene: Scene, robots: Sequence[Robot]) -> Table:
    """Where everything came from, with licences."""
    rows: list[Row] = [
        ("clip", scene.clip.source_name, f"sha256 {scene.clip.source_sha256[:16]}"),
        ("hand scale", scene.hands.hand_length_source if scene.hands else "unknown", ""),
    ]
    if scene.landmarks is not None:
        rows.append(("hand landmarks", scene.landmarks.backend, f"licence {scene.landmarks.licence}"))
    if scene.camera_path is not None:
        rows.append(("camera path", scene.camera_path.method, f"licence {scene.camera_path.licence}"))
    rows += [
        ("robot", robot.name, f"figures: {robot.sheet.licence}; sheet {robot.sheet_hash[:12]}")
        for robot in robots
    ]
    return Table("Sources and licences", tuple(rows))
