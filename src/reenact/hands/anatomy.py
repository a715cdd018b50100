"""Where the flesh lies on the rest skeleton: the list of capsules of every part of the hand.

Frame and sources as in ``surface.py``: the left hand's wrist frame, x to the fingers, y to the back of the
hand, z to the thumb. Lengths below are millimetres for the default adult; functions return metres.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from reenact.hands.rest import MM, RestHand
from reenact.hands.surface import Capsule, smooth_min, smooth_union

FINGER_RADII_MM = {
    # knuckle base, mid proximal, PIP, mid middle, DIP, fingertip      (thumb: MCP ... IP ... tip)
    "index": (11.0, 9.6, 9.7, 8.7, 8.4, 6.9),
    "middle": (11.2, 9.8, 9.9, 8.9, 8.6, 7.1),
    "ring": (10.4, 9.1, 9.2, 8.3, 8.0, 6.7),
    "little": (9.2, 8.0, 8.1, 7.3, 7.1, 5.9),
}
"""Half breadths along each finger, palm side to fingertip."""
THUMB_RADII_MM = (14.0, 12.5, 11.6, 10.3, 10.7, 8.2)
"""Half breadths of the thumb: CMC, mid metacarpal, MCP, mid proximal, IP, tip."""
FINGER_FLATTEN = (1.0, 1.06, 1.10)
"""Breadth over depth of the proximal, middle and distal phalanges."""
FOREARM_LENGTH_MM = 190.0
"""How much forearm the mesh carries; landmark nets need to see a wrist."""

DORSAL = np.array([0.0, 1.0, 0.0])


def _lerp(a: np.ndarray, b: np.ndarray, u: float) -> np.ndarray:
    return a + u * (b - a)


def finger_capsules(rest: RestHand, finger: int) -> list[Capsule]:
    """The three phalanges of a finger (thumb: metacarpal and two), waisted between the joints."""
    base, middle, last, tip = rest.finger(finger)
    radii = [r * MM for r in (THUMB_RADII_MM, *FINGER_RADII_MM.values())[finger]]
    end = tip - 0.3 * radii[5] * (tip - last) / np.linalg.norm(tip - last)
    capsules = []
    for bone, (a, b) in enumerate(((base, middle), (middle, last), (last, end))):
        normal, flatten = rest.dorsal[finger, bone], FINGER_FLATTEN[bone]
        if bone < 2:
            half = _lerp(a, b, 0.5)
            r0, r1, r2 = radii[2 * bone : 2 * bone + 3]
            capsules += [Capsule(a, half, r0, r1, normal, flatten), Capsule(half, b, r1, r2, normal, flatten)]
        else:
            capsules.append(Capsule(a, b, radii[4], radii[5], normal, flatten))
    return capsules


def finger_pads(rest: RestHand, finger: int) -> list[Capsule]:
    """Soft cushions on the palm side of each phalanx."""
    joints = rest.finger(finger)
    radii = (THUMB_RADII_MM, *FINGER_RADII_MM.values())[finger]
    pads = []
    for bone in range(3):
        if finger == 0 and bone == 0:
            continue
        a, b = joints[bone], joints[bone + 1]
        normal = rest.dorsal[finger, bone]
        lo, hi = ((0.35, 0.75), (0.3, 0.7), (0.35, 0.85))[bone]
        radius = radii[2 * bone + 1] * MM * 0.8
        drop = -normal * (0.30 if bone < 2 else 0.22) * radii[2 * bone + 1] * MM
        pads.append(Capsule(_lerp(a, b, lo) + drop, _lerp(a, b, hi) + drop, radius, radius * 0.92, normal))
    return pads


def palm_capsules(rest: RestHand) -> list[Capsule]:
    """The metacarpal slab, the cushions under the knuckles, thenar and hypothenar eminences."""
    joints = rest.flesh
    capsules = []
    roots_mm = ((18.0, -1.5, 13.0), (16.0, -1.0, 4.0), (16.0, -1.5, -6.0), (16.0, -3.0, -15.0))
    radii_mm = ((12.5, 10.8), (12.8, 11.2), (12.5, 10.6), (11.8, 9.6))
    for finger in range(4):
        knuckle = joints[5 + 4 * finger]
        ra, rb = (r * MM for r in radii_mm[finger])
        capsules.append(
            Capsule(
                rest.flesh[0] + np.array(roots_mm[finger]) * MM, knuckle - [0, 2.5 * MM, 0], ra, rb, DORSAL
            )
        )
        cushion = knuckle + np.array([-6.0, -6.5, 0.0]) * MM
        capsules.append(Capsule(cushion, cushion + [12 * MM, 0, 0], 8.5 * MM, 8.5 * MM, DORSAL))
    return capsules


def eminence_capsules(rest: RestHand) -> list[Capsule]:
    """Thenar (thumb side) and hypothenar (little-finger side) bulges of the palm."""
    joints = rest.flesh
    wrist, cmc, mcp, little = joints[0], joints[1], joints[2], joints[17]
    inward = np.array([0.0, -6.0, -5.0]) * MM
    thenar = Capsule(
        _lerp(cmc, mcp, 0.1) + inward, _lerp(cmc, mcp, 0.8) + inward * 0.8, 15 * MM, 12 * MM, DORSAL
    )
    deep = Capsule(
        wrist + np.array([24.0, -11.0, 12.0]) * MM,
        wrist + np.array([56.0, -9.0, 20.0]) * MM,
        13 * MM,
        10.0 * MM,
        DORSAL,
    )
    hypo = Capsule(
        wrist + np.array([16.0, -8.0, -18.0]) * MM,
        little + np.array([-14.0, -7.0, -1.0]) * MM,
        13.5 * MM,
        10.5 * MM,
        DORSAL,
    )
    return [thenar, deep, hypo]


def web_capsules(rest: RestHand) -> list[Capsule]:
    """Skin between the fingers (to about 40 % of the proximal phalanges) and between thumb and index."""
    joints, webs = rest.flesh, []
    for finger in range(1, 4):
        a, b = rest.finger(finger), rest.finger(finger + 1)
        drop = np.array([0.0, -2.0, 0.0]) * MM
        start, end = _lerp(a[0], a[1], 0.22) + drop, _lerp(b[0], b[1], 0.22) + drop
        webs.append(Capsule(start, end, 7.5 * MM, 7.0 * MM, DORSAL, 1.1))
    thumb, index = joints[1:5], joints[5]
    for u, v, radius in ((0.55, 0.45, 9.0), (0.8, 0.62, 7.5), (0.97, 0.76, 6.0)):
        webs.append(
            Capsule(
                _lerp(thumb[0], thumb[1], u), v * index + [0, -5 * MM, 0], radius * MM, radius * MM, DORSAL
            )
        )
    return webs


def forearm_capsules(rest: RestHand) -> list[Capsule]:
    """Two bones' worth of forearm (breadth 58 mm and thickness 40 mm at the wrist), growing to the elbow."""
    far = -(FOREARM_LENGTH_MM + 20.0)
    return [
        Capsule(
            rest.flesh[0] + np.array([4.0, -3.0, z]) * MM,
            rest.flesh[0] + np.array([far, -3.0, 1.2 * z]) * MM,
            16.2 * MM,
            27.0 * MM,
            DORSAL,
            1.0,
        )
        for z in (10.0, -10.0)
    ]


def knuckle_capsules(rest: RestHand) -> list[Capsule]:
    """Slightly raised knuckles on the back of the hand."""
    out = []
    for finger in range(1, 5):
        knuckle = rest.flesh[1 + 4 * finger]
        top = knuckle + np.array([-1.0, 2.8, 0.0]) * MM
        out.append(Capsule(top, top + [4 * MM, -0.5 * MM, 0], 7.2 * MM, 6.8 * MM, DORSAL))
    return out


def hand_distance(rest: RestHand, points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, " n"]:
    """Signed distance (metres, negative inside) to the skin of the rest hand."""
    palm = smooth_union(palm_capsules(rest), points, 14 * MM)
    palm = smooth_min(palm, smooth_union(eminence_capsules(rest), points, 10 * MM), 12 * MM)
    arm = smooth_union(forearm_capsules(rest), points, 12 * MM)
    body = smooth_min(palm, arm, 18 * MM)
    body = smooth_min(body, smooth_union(web_capsules(rest), points, 6 * MM), 12 * MM)
    thumb = smooth_min(
        smooth_union(finger_capsules(rest, 0), points, 4 * MM),
        smooth_union(finger_pads(rest, 0), points, 2 * MM),
        6 * MM,
    )
    fingers = np.full(len(points), np.inf)
    for finger in range(1, 5):
        one = smooth_union(finger_capsules(rest, finger), points, 3 * MM)
        one = smooth_min(one, smooth_union(finger_pads(rest, finger), points, 2 * MM), 5 * MM)
        fingers = smooth_min(fingers, one, 1.5 * MM)
    body = smooth_min(body, thumb, 12 * MM)
    body = smooth_min(body, fingers, 8 * MM)
    body = smooth_min(body, smooth_union(knuckle_capsules(rest), points, 2 * MM), 6 * MM)
    return _cut_forearm(body, points)


def _cut_forearm(distance: np.ndarray, points: np.ndarray) -> np.ndarray:
    plane = -(points[:, 0] + FOREARM_LENGTH_MM * MM)
    return -smooth_min(-distance, -plane, 12 * MM)
