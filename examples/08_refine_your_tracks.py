"""Hand and object tracks of any tracker, made to agree over the whole clip: states, contacts, smooth poses.

    python examples/08_refine_your_tracks.py [SCENE_FOLDER]

A scene folder needs `clip`, `camera`, `hands` and `objects_raw` (or `objects`): the records of any perception, put in
our frames. Without one, the truth of a toy clip is disturbed first, and the errors before and after are told.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from reenact.geometry.rotations import so3_exp
from reenact.quality.objects.against_truth import objects_against_truth
from reenact.refine.interaction.results import refine_interaction
from reenact.scene import InteractionState, Scene, Source
from reenact.toy.config import ToyConfig
from reenact.toy.unfilmed import unfilmed_scene


def refined(scene: Scene) -> Scene:
    """The scene with refined objects and hands, contacts and states; `objects_raw` and `hands` stay beside them."""
    raw = scene.objects_raw if scene.objects_raw is not None else scene.objects
    if raw is None or scene.hands is None:
        raise SystemExit("the scene has no hands or no objects: nothing to refine")
    result = refine_interaction(raw, scene.hands, scene.camera, scene.support, scene.clip.t_ns)
    for flag in result.flags:
        print(f"doubt about {flag.subject}: {flag.reason}")
    return replace(
        scene, objects_raw=raw, objects=result.objects, hands_interaction=result.hands,
        contacts=result.contacts, contact_places=result.places, states=result.states,
    )  # fmt: skip


def show_states(scene: Scene) -> None:
    """One line per stretch of time in which an object's state stays the same."""
    assert scene.states is not None
    assert scene.objects is not None
    t = scene.clip.t_seconds
    for o, name in enumerate(scene.objects.names):
        state = scene.states.state[:, o]
        starts = np.flatnonzero(np.r_[True, state[1:] != state[:-1]])
        for first, last in zip(starts, np.r_[starts[1:], len(state)] - 1, strict=True):
            sure = scene.states.confidence[first : last + 1, o].mean()
            said = InteractionState(int(state[first])).name.lower()
            print(f"{name}: {t[first]:.2f} to {t[last]:.2f} s {said} ({sure:.2f})")


def disturbed(truth: Scene, seed: int = 0) -> Scene:
    """As a tracker without memory would see it: 1 cm and 5 degrees of noise, one frame in five lost."""
    assert truth.objects is not None
    rng = np.random.default_rng(seed)
    T = truth.objects.T_world_object.copy()
    T[..., :3, 3] += rng.normal(0.0, 0.01, T.shape[:2] + (3,))
    T[..., :3, :3] = so3_exp(rng.normal(0.0, np.deg2rad(5.0), T.shape[:2] + (3,))) @ T[..., :3, :3]
    valid = rng.uniform(size=T.shape[:2]) > 0.2
    source = np.where(valid, Source.OBSERVED, Source.UNKNOWN).astype(np.uint8)
    raw = replace(truth.objects, T_world_object=T, valid=valid, confidence=0.8 * valid, source=source)
    return replace(truth, objects=None, objects_raw=raw, contacts=None, states=None)


def main(folder: Path | None) -> None:
    if folder is not None:
        show_states(refined(Scene.load(folder)))
        return
    truth = unfilmed_scene(ToyConfig(activity="pick_place", seed=6, fps_hz=20.0))
    before = disturbed(truth)
    after = refined(before)
    show_states(after)
    for title, scene in (("as seen", replace(before, objects=before.objects_raw)), ("refined", after)):
        for matched in objects_against_truth(scene, truth):
            e = matched.errors
            steady = f"steadiness {e.temporal_stability:.2f}" if e.temporal_stability is not None else ""
            print(f"{title} {e.name}: {e.middle_cm:.2f} cm and {e.turn_deg:.1f} deg from truth, {steady}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
