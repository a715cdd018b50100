"""What a robot's author should know before using it: nothing here stops a load, everything has a remedy.

``load_robot`` already refuses what cannot be; these are the things that can be but are probably not meant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from reenact.robots.model import Hand, Robot, Side


@dataclass(frozen=True)
class Finding:
    """One remark about a robot."""

    level: Literal["warning", "note"]
    """``warning``: probably a mistake. ``note``: true of this robot, and worth knowing."""
    what: str
    hint: str


def check_robot(robot: Robot) -> tuple[Finding, ...]:
    """All findings, warnings first."""
    findings = [
        *_check_limits(robot),
        *_check_home(robot),
        *_check_arms(robot),
        *_check_couplings(robot),
        *(f for side, hand in robot.hands.items() for f in _check_hand(robot, side, hand)),
    ]
    return tuple(sorted(findings, key=lambda finding: finding.level != "warning"))


def _check_limits(robot: Robot) -> list[Finding]:
    unknown = [n for n, v in zip(robot.joint_names, robot.velocity_limits, strict=True) if not np.isfinite(v)]
    if not unknown:
        return []
    some = ", ".join(unknown[:4]) + (" ..." if len(unknown) > 4 else "")
    return [
        Finding(
            "note",
            f"{len(unknown)} joints have no speed limit: {some}",
            "add a [velocity] table to the sheet",
        )
    ]


def _check_home(robot: Robot) -> list[Finding]:
    findings = []
    for first, second, distance in robot.self_collisions(robot.home_q):
        findings.append(
            Finding(
                "warning",
                f"at home {first} and {second} overlap by {-distance * 1000:.0f} mm",
                "change [home], their shapes, or list the pair under excludes",
            )
        )
    span = robot.upper - robot.lower
    room = np.minimum(robot.home_q - robot.lower, robot.upper - robot.home_q) / span
    for arm in robot.arms.values():
        for name, joint in zip(arm.joint_names, arm.joint_idx, strict=True):
            if room[joint] < 0.02:
                findings.append(
                    Finding(
                        "warning",
                        f"{name} is at its limit at home ({robot.home_q[joint]:.2f})",
                        "give it a value inside its range under [home]; solvers start there",
                    )
                )
    return findings


def _check_arms(robot: Robot) -> list[Finding]:
    findings = []
    if not robot.arms:
        findings.append(
            Finding("warning", "no arm is named", "add [arms.left] and [arms.right] with their joints")
        )
    for side, arm in robot.arms.items():
        moves = set(robot.kinematics.joints_to(f"wrist_{side}"))
        dead = [n for n, j in zip(arm.joint_names, arm.joint_idx, strict=True) if j not in moves]
        if dead:
            findings.append(
                Finding(
                    "warning",
                    f"{', '.join(dead)} of the {side} arm cannot move its wrist",
                    "is it the other side's?",
                )
            )
        if len(arm.joint_idx) < 6:
            findings.append(
                Finding(
                    "note",
                    f"the {side} arm has {len(arm.joint_idx)} joints",
                    "below six, a wrist's orientation can be met only in part",
                )
            )
    return findings


def _check_couplings(robot: Robot) -> list[Finding]:
    findings = []
    ends = [robot.couple(robot.lower), robot.couple(robot.upper)]
    for coupling in robot.sheet.couplings:
        if coupling.joint not in robot.joint_names:
            continue
        k = int(robot.joint_idx([coupling.joint])[0])
        low, high = sorted(end[k] for end in ends)
        over = max(robot.lower[k] - low, high - robot.upper[k])
        if over > 5e-3:
            findings.append(
                Finding(
                    "warning",
                    f"{coupling.joint} follows {coupling.of} up to {over:.3f} beyond its own range",
                    "widen its range, narrow its leader's, or correct the scale",
                )
            )
    return findings


def open_hand(robot: Robot, side: Side, curl: float = 0.0) -> np.ndarray:
    """Home with the fingers of one hand straight, or curled by ``curl`` (rad) at every bend joint."""
    q = robot.home_q.copy()
    for finger in robot.hands[side].fingers:
        for joint, role, sign in zip(finger.joint_idx, finger.roles, finger.signs, strict=True):
            if role == "bend":
                q[joint] = sign * curl
            elif role in ("spread", "twist"):
                q[joint] = 0.0
    return robot.couple(np.clip(q, robot.lower, robot.upper))


def tips_in_wrist(robot: Robot, q: np.ndarray, side: Side) -> np.ndarray:
    """Fingertips [k 3] in the wrist frame, metres."""
    T = robot.T_base_wrist(q, side)
    return (robot.fingertips(q, side) - T[:3, 3]) @ T[:3, :3]


def _check_hand(robot: Robot, side: Side, hand: Hand) -> list[Finding]:
    """The wrist frame against the hand it belongs to (CONVENTIONS.md), and the bend signs against the palm."""
    forward = 1 if side == "left" else -1
    names = [name for name in hand.finger_names if name != "thumb"]
    rows = [k for k, name in enumerate(hand.finger_names) if name != "thumb"]
    straight = tips_in_wrist(robot, open_hand(robot, side), side)[rows]
    mean = straight.mean(axis=0)
    findings = []
    if rows and forward * mean[0] < 0.6 * np.linalg.norm(mean):
        axis = "+x" if side == "left" else "-x"
        findings.append(
            Finding("warning", f"the {side} fingers do not point along {axis} of the wrist frame",
                    f"turn [wrists.{side}]: x towards the fingertips on the left hand, away from them on the right")
        )  # fmt: skip
    if len(rows) > 1 and straight[0, 2] <= straight[-1, 2]:
        findings.append(
            Finding("warning", f"z of the {side} wrist frame does not go from {names[-1]} to {names[0]}",
                    f"turn [wrists.{side}]: z from the little finger to the thumb")
        )  # fmt: skip
    return findings + _check_bends(robot, side, hand)


def _check_bends(robot: Robot, side: Side, hand: Hand) -> list[Finding]:
    """Each bend joint of the four fingers, turned its own way, must move the tip towards the palm."""
    frames = [f"wrist_{side}", *(finger.tip_frame for finger in hand.fingers)]
    T, J = robot.kinematics.jacobians(open_hand(robot, side, 0.3), frames)
    findings = []
    for k, finger in enumerate(hand.fingers):
        for name, joint, role, sign in zip(
            finger.joint_names, finger.joint_idx, finger.roles, finger.signs, strict=True
        ):
            towards_palm = -sign * (J[k + 1, :3, joint] @ T[0, :3, 1])
            if role == "bend" and finger.name != "thumb" and towards_palm < 1e-3:
                findings.append(
                    Finding("warning", f"{name} bends away from the palm (-y of the wrist frame)",
                            f"turn its sign under hands.{side}.fingers.{finger.name}")
                )  # fmt: skip
    return findings
