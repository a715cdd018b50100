"""What a scene does not know, in plain sentences with numbers: the part of a report that keeps the rest honest."""

from __future__ import annotations

import numpy as np

from reenact.hands.joints import SIDES
from reenact.scene import InteractionState, ObjectTracks, Scene, Source


def scene_unknowns(scene: Scene) -> list[str]:
    """Sentences, most consequential first; empty when everything is measured or true."""
    return [*_camera(scene), *_hands(scene), *_objects(scene)]


def _camera(scene: Scene) -> list[str]:
    camera, lines = scene.camera, []
    if camera.motion == "moving" and not camera.valid.any():
        lines.append(
            "The camera moves and its path is not known: hands and robot are placed relative to the camera, "
            "as if it stood still. Motion of the head or the hand-held camera is mixed into the hands'."
        )
    elif not camera.view_known.all():
        share = 1 - camera.valid.mean()
        lines.append(
            f"Where the camera was is unknown in {share:.0%} of the frames; hands are unknown there."
        )
    if scene.camera_path is not None:
        lines.append(
            f"The camera's path has its metres from hands: one sigma {scene.camera_path.scale_sigma:.0%} of all its "
            f"lengths, beside {np.rad2deg(scene.camera_path.turn_sigma):.1f} degrees of its turn."
        )
    if camera.motion == "unknown":
        lines.append("Whether the camera moves could not be told.")
    if camera.intrinsics_source == "prior":
        lines.append(
            f"The focal length is an assumption (one sigma {camera.focal_sigma:.0%}); distances from the camera are off "
            "by the same share. Give --fov-deg or --intrinsics to fix it. Sideways distances are not affected."
        )
    sigma = np.rad2deg(camera.gravity_sigma)
    if camera.gravity_source == "unknown":
        lines.append("Which way is up is not known; the scene is in the first camera's own axes.")
    elif camera.gravity_source == "prior":
        lines.append(
            f"Which way is up is an assumption: the picture's own up, one sigma {sigma:.0f} degrees."
        )
    return lines


def _hands(scene: Scene) -> list[str]:
    hands = scene.hands_depth or scene.hands
    if hands is None:
        return ["No metric hands were reconstructed."]
    lines = []
    if hands.hand_length_source == "adult_prior":
        lines.append(
            f"The hand's size is an assumption ({hands.hand_length.mean() * 100:.1f} cm, adults spread 6 %); all "
            "distances scale with it. Give --hand-length to fix it."
        )
    t = scene.clip.t_seconds
    for s, name in enumerate(SIDES):
        missing = ~hands.valid[:, s]
        if missing.all():
            lines.append(f"The {name} hand was never found.")
            continue
        if missing.any():
            lines.append(
                f"The {name} hand is unknown in {missing.mean():.0%} of the frames: {_spans(missing, t)}."
            )
        filled = hands.valid[:, s] & (hands.source[:, s] == Source.FILLED)
        if filled.any():
            lines.append(f"The {name} hand is interpolated, not seen, in {filled.mean():.0%} of the frames.")
    return lines


def _objects(scene: Scene) -> list[str]:
    objects = scene.objects if scene.objects is not None else scene.objects_raw
    if objects is None:
        return ["Objects were not reconstructed; contacts are not known."]
    if not objects.object_ids:
        return ["No object was found; contacts are not known."]
    lines, t = [], scene.clip.t_seconds
    if scene.objects is None:
        lines.append("Objects are as perceived frame by frame: nothing refined them with the hands.")
    if scene.contacts is None or scene.states is None:
        lines.append("Who touches which object, and what each object does, was not worked out.")
    if scene.support is not None and not scene.support.valid:
        lines.append("The surface that things stand on was not found.")
    for k, name in enumerate(objects.names):
        missing = ~objects.valid[:, k]
        if missing.all():
            lines.append(f"The place of {name} was never found.")
        elif missing.any():
            lines.append(
                f"The place of {name} is unknown in {missing.mean():.0%} of the frames: {_spans(missing, t)}."
            )
        lines += _object_doubts(scene, objects, k)
    return lines


def _object_doubts(scene: Scene, objects: ObjectTracks, k: int) -> list[str]:
    """What is said of one object's state and scale without being known."""
    lines, name, shapes = [], objects.names[k], scene.shapes
    if scene.states is not None:
        idle = scene.states.state[:, k] == InteractionState.UNKNOWN
        undecided = objects.valid[:, k] & (idle | ~scene.states.valid[:, k])
        if undecided.any():
            spans = _spans(undecided, scene.clip.t_seconds)
            lines.append(f"What {name} does is unknown in {undecided.mean():.0%} of the frames: {spans}.")
    if shapes is not None and objects.object_ids[k] in shapes.object_ids:
        origin = shapes.scale_sources[shapes.object_ids.index(objects.object_ids[k])]
        if origin in ("prior", "unknown"):
            lines.append(f"The size of {name} is {'an assumption' if origin == 'prior' else 'not known'}.")
    return lines


def _spans(mask: np.ndarray, t_seconds: np.ndarray, most: int = 4) -> str:
    """'0.5-0.9 s, 2.0-2.1 s' of the true stretches; the longest few."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    spans = [(a, b - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    longest = sorted(sorted(spans, key=lambda s: s[0] - s[1])[:most])
    text = ", ".join(f"{t_seconds[a]:.1f}-{t_seconds[b]:.1f} s" for a, b in longest)
    return text + (f" and {len(spans) - most} shorter ones" if len(spans) > most else "")
