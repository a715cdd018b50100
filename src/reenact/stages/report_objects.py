"""Objects in the report: curves, tables, flags. Shows what is there; what is not is called unknown."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from reenact.hands.joints import SIDES
from reenact.rendering.palette import hex_color, object_rgb
from reenact.scene import InteractionState, ObjectTracks, PoseCovariance, Scene, Source
from reenact.viewer.report import Plot, Series, Table
from reenact.viewer.strips import STATE_WORDS, object_labels

Row = tuple[str, str, str]
NEAR = 0.15
"""Contact distances beyond this are left out of the plot (m): an object across the table would flatten the rest."""
DEEP = 0.02
"""How far inside an object the plot of contact distances reaches (m)."""
VAGUE = 0.3
"""Sigmas beyond this are left out of the plot (m)."""
DEXMAN_TIPS = 0.03
"""Distance at which DexMan (3.2) calls a fingertip in contact (m)."""


def object_plots(scene: Scene) -> list[Plot]:
    """Speed, distance to the nearest hand point, confidence of the state; a colour per object."""
    objects = scene.objects
    if objects is None or not objects.object_ids:
        return []
    speed, moving = object_speed(objects, scene.clip.t_seconds)
    plots = [
        Plot("object speed", "m/s", _each(objects, speed, moving), "of the middle of its mesh", least_top=0.1)
    ]
    if scene.contacts is not None:
        contacts = scene.contacts
        asked = contacts.valid[:, :, None] & np.ones_like(contacts.touching)
        distance = np.asarray(np.where(asked, contacts.distance, np.inf).min(axis=(1, 2)))
        plots.append(
            Plot(
                "contact distance",
                "cm",
                _each(objects, np.minimum(distance, NEAR) * 100, distance < NEAR),
                "nearest fingertip or palm; below 0: inside",
                (("DexMan's 3 cm", DEXMAN_TIPS * 100),),
                bottom=-DEEP * 100,
            )
        )
    plots += _sigma_plots(scene, objects)
    if scene.states is not None:
        states = scene.states
        series = _each(objects, states.confidence, states.valid)
        plots.append(Plot("state posterior", "", series, "probability of the state said"))
    return [plot for plot in plots if plot.series]


def _sigma_plots(scene: Scene, objects: ObjectTracks) -> list[Plot]:
    """One sigma of each object's place over time, refined where it was."""
    covariance = scene.refined_covariance or scene.pose_covariance
    if covariance is None or not set(objects.object_ids) <= set(covariance.object_ids):
        return []
    rows = [covariance.object_ids.index(name) for name in objects.object_ids]
    place = np.sqrt(np.trace(covariance.covariance[:, rows, :3, :3], axis1=-2, axis2=-1))
    series = _each(objects, np.minimum(place, VAGUE) * 100, covariance.valid[:, rows] & (place < VAGUE))
    return [Plot("place of objects, one sigma", "cm", series, "depth's common error is in it", least_top=1.0)]


def object_speed(objects: ObjectTracks, t_seconds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Speed (m/s) [t o] by central differences of the middle of each mesh, and where all frames used are known."""
    speed, known = np.zeros(objects.valid.shape), np.zeros(objects.valid.shape, bool)
    if len(t_seconds) < 2:
        return speed, known
    for k in range(len(objects.object_ids)):
        vertices, _ = objects.mesh(k)
        middle = (vertices.min(axis=0) + vertices.max(axis=0)) / 2 if len(vertices) else np.zeros(3)
        T, valid = objects.T_world_object[:, k], objects.valid[:, k]
        centre = T[:, :3, :3] @ middle + T[:, :3, 3]
        speed[:, k] = np.linalg.norm(np.gradient(centre, t_seconds, axis=0), axis=1)
        before, after = np.roll(valid, 1), np.roll(valid, -1)
        before[0], after[-1] = True, True
        known[:, k] = valid & before & after
    return speed, known


def _each(objects: ObjectTracks, values: np.ndarray, mask: np.ndarray) -> tuple[Series, ...]:
    return tuple(
        Series(name, values[:, k], mask[:, k], hex_color(object_rgb(k)))
        for k, name in enumerate(object_labels(objects))
        if mask[:, k].any()
    )


def object_tiles(scene: Scene) -> list[tuple[str, str]]:
    """How many objects, and how much of them is known."""
    if scene.objects is None or not scene.objects.object_ids:
        return []
    tiles = [
        (str(len(scene.objects.object_ids)), "objects"),
        (f"{scene.objects.valid.mean():.0%}", "object poses known"),
    ]
    if scene.states is not None:
        known = scene.states.valid & (scene.states.state != InteractionState.UNKNOWN)
        tiles.append((f"{known.mean():.0%}", "object states known"))
    if scene.contacts is not None:
        touched = (scene.contacts.touching & scene.contacts.valid[:, :, None]).any(axis=(1, 2, 3))
        tiles.append((f"{touched.mean():.0%}", "frames with a contact"))
    return tiles


def object_tables(scene: Scene) -> list[Table]:
    """One table per object: how much is known of it, its shape and scale, its states and who touched it."""
    if scene.objects is None:
        return []
    return [
        Table(f"Object {name}", tuple(_object_rows(scene, scene.objects, k)))
        for k, name in enumerate(object_labels(scene.objects))
    ]


def _object_rows(scene: Scene, objects: ObjectTracks, k: int) -> Iterator[Row]:
    valid, frames = objects.valid[:, k], len(objects.valid)
    filled = int((valid & (objects.source[:, k] == Source.FILLED)).sum())
    yield (
        "pose known",
        f"{int(valid.sum())} of {frames} frames",
        f"{filled} of them filled in" if filled else "",
    )
    yield from _shape_rows(scene, objects.object_ids[k])
    for covariance, what in ((scene.pose_covariance, "as perceived"), (scene.refined_covariance, "refined")):
        if covariance is not None and objects.object_ids[k] in covariance.object_ids:
            yield from _sigma_rows(covariance, covariance.object_ids.index(objects.object_ids[k]), what)
    if scene.states is None:
        yield "states", "unknown", ""
    else:
        codes = np.where(scene.states.valid[:, k], scene.states.state[:, k], InteractionState.UNKNOWN)
        shares = [
            f"{STATE_WORDS[c]} {np.mean(codes == c):.0%}" for c in InteractionState if (codes == c).any()
        ]
        changes = int((np.diff(codes.astype(int)) != 0).sum())
        yield "states", ", ".join(shares), f"{changes} changes"
    yield from _touch_rows(scene, k)


def _sigma_rows(covariance: PoseCovariance, k: int, what: str) -> Iterator[Row]:
    valid = covariance.valid[:, k]
    if valid.any():
        sigma = np.sqrt(np.median(covariance.covariance[valid, k].diagonal(axis1=1, axis2=2), axis=0))
        yield (
            f"one sigma of its pose, {what}",
            f"{np.linalg.norm(sigma[:3]) * 100:.2f} cm, {np.rad2deg(np.linalg.norm(sigma[3:])):.1f} deg",
            "median over the frames",
        )


def _shape_rows(scene: Scene, object_id: str) -> Iterator[Row]:
    shapes = scene.shapes
    if shapes is None or object_id not in shapes.object_ids:
        return
    i = shapes.object_ids.index(object_id)
    size = " x ".join(
        f"{s * 100:.1f} +- {e * 100:.1f}" for s, e in zip(shapes.size[i], shapes.sigma_size[i], strict=True)
    )
    yield "size", f"{size} cm", f"{shapes.kinds[i].replace('_', ' ')}; scale from {shapes.scale_sources[i]}"
    if len(shapes.symmetry_orders):
        yield (
            "looks the same",
            _alike(shapes.symmetry_axis[i], shapes.symmetry_orders[i]),
            "turns left out of its pose's sigma",
        )


def _alike(axis: np.ndarray, orders: np.ndarray) -> str:
    """Which turns of an object cannot be seen."""
    words = [f"at any turn about {name}" for name, part in zip("xyz", axis, strict=True) if abs(part) > 0.5]
    words += [f"{n} times around {name}" for name, n in zip("xyz", orders.tolist(), strict=True) if n > 1]
    return ", ".join(words) or "at no turn"


def _touch_rows(scene: Scene, k: int) -> Iterator[Row]:
    if scene.contacts is None:
        yield "contacts", "unknown", ""
        return
    t = scene.clip.t_seconds
    for s, side in enumerate(SIDES):
        known = scene.contacts.valid[:, s, k]
        touched = scene.contacts.touching[:, s, :, k].any(axis=1) & known
        if not known.any():
            yield f"{side} hand", "contact unknown", ""
        elif touched.any():
            first, last = t[np.flatnonzero(touched)[[0, -1]]]
            yield f"{side} hand", f"touches in {int(touched.sum())} frames", f"{first:.2f} s to {last:.2f} s"
        else:
            yield f"{side} hand", "never touches", "" if known.all() else f"known in {known.mean():.0%}"
