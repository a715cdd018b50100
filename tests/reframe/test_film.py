"""The drawn view: things are where the camera says, what is not known is not drawn, the video has the clip beside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reenact.errors import SetupError
from reenact.geometry.transforms import apply, inverse
from reenact.reframe.eyes import EgoConfig, EgoView, place_ego_camera, scene_up
from reenact.reframe.film import EgoVideoConfig, write_ego_video
from reenact.reframe.ground import ground_of
from reenact.reframe.studio import EgoLooks, EgoStudio
from reenact.rendering.gl import choose_backend
from reenact.rendering.palette import object_rgb
from reenact.scene import Scene, SupportPlane
from reenact.video.reader import VideoReader
from reenact.video.writer import VideoWriter
from tests import scenes
from tests.reframe.made import BOX_HALF, T_BOX, with_box

QUICK = EgoLooks(samples=0, shadows=False)
FRAMES = 12


@pytest.fixture(scope="module")
def scene() -> Scene:
    try:
        choose_backend()
    except SetupError as error:
        pytest.skip(str(error))
    return with_box(scenes.waving_scene(FRAMES))


@pytest.fixture(scope="module")
def view(scene: Scene) -> EgoView:
    return place_ego_camera(scene, EgoConfig(width_px=160, height_px=120))


def pictures(scene: Scene, view: EgoView, frames: tuple[int, ...]) -> list[np.ndarray]:
    up, _, _ = scene_up(scene)
    with EgoStudio(scene, view.camera, up, ground_of(scene, up), QUICK) as studio:
        return [studio.render(f) for f in frames]


def hue(rgb: np.ndarray) -> np.ndarray:
    return rgb / max(float(np.linalg.norm(rgb)), 1.0)


def test_a_box_is_drawn_where_the_camera_projects_it_and_not_when_unknown(
    scene: Scene, view: EgoView
) -> None:
    known, unknown = pictures(scene, view, (0, FRAMES - 1))
    top = apply(T_BOX, np.array([[0.0, 0.0, BOX_HALF[2]]]))
    want = hue(np.array(object_rgb(0), float))
    for picture, frame, there in ((known, 0, True), (unknown, FRAMES - 1, False)):
        column, row = np.rint(
            view.camera.camera().project(apply(inverse(view.camera.T_world_camera[frame]), top))[0]
        ).astype(int)
        got = hue(picture[row, column].astype(float))
        assert (got @ want > 0.995) == there


def test_hands_cover_their_joints(scene: Scene, view: EgoView) -> None:
    assert scene.hands is not None
    (with_hands,) = pictures(scene, view, (0,))
    nobody = replace(scene, hands=replace(scene.hands, valid=np.zeros((FRAMES, 2), bool)), hands_raw=None)
    (without,) = pictures(nobody, view, (0,))
    changed = (with_hands.astype(int) - without).__abs__().max(axis=2) > 20
    joints = apply(inverse(view.camera.T_world_camera[0]), scene.hands.joints_world[0].reshape(-1, 3))
    places = np.rint(view.camera.camera().project(joints)).astype(int)
    inside = ((places >= 0) & (places < [160, 120])).all(axis=1)
    assert changed[places[inside, 1], places[inside, 0]].mean() > 0.9
    assert 0.02 < changed.mean() < 0.5


def test_a_hand_that_was_filled_in_is_pale_and_nothing_else_changes(scene: Scene, view: EgoView) -> None:
    assert scene.hands is not None
    source = scene.hands.source.copy()
    source[0, 1] = 2
    filled = replace(scene, hands=replace(scene.hands, source=source), hands_raw=None)
    (seen,), (pale,) = pictures(scene, view, (0,)), pictures(filled, view, (0,))
    joints = apply(inverse(view.camera.T_world_camera[0]), scene.hands.joints_world[0].reshape(-1, 3))
    palms = np.rint(view.camera.camera().project(joints)).astype(int).reshape(2, 21, 2)[:, 9]
    left, right = (np.abs(pale[y, x].astype(int) - seen[y, x]).max() for x, y in palms)
    assert left <= 2 < 20 < right
    assert (np.abs(pale.astype(int) - seen).max(axis=2) > 2).mean() < 0.25


def test_a_mesh_without_a_surface_is_left_out(scene: Scene, view: EgoView) -> None:
    assert scene.objects is not None
    line = replace(scene.objects, mesh_vertices=scene.objects.mesh_vertices * [1, 0, 0])
    (picture,) = pictures(replace(scene, objects=line), view, (0,))
    want = hue(np.array(object_rgb(0), float))
    assert (np.apply_along_axis(hue, 2, picture.astype(float)) @ want < 0.995).all()


def test_the_surface_says_whether_it_is_known(scene: Scene) -> None:
    up = np.array([0.0, 0.0, 1.0])
    assumed = ground_of(scene, up)
    assert not assumed.known
    assert abs(assumed.offset - (T_BOX[2, 3] - BOX_HALF[2])) < 1e-9
    plane = SupportPlane(valid=True, normal_world=up, offset=-0.5, sigma_offset=0.01, sigma_normal=0.01,
                         confidence=0.9, origin="objects")  # fmt: skip
    known = ground_of(replace(scene, support=plane), up)
    assert (known.known, known.offset, known.words) == (True, -0.5, "surface from objects")
    assert "hands" in ground_of(scenes.waving_scene(3), up).words


def test_the_video_has_the_clip_on_the_left(scene: Scene, view: EgoView, tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "clip.mp4", scenes.WIDTH, scenes.HEIGHT, 30.0) as writer:
        for i in range(FRAMES):
            writer.write(scenes.numbered_frame(i))
    done = []
    config = EgoVideoConfig(looks=QUICK)
    write_ego_video(
        tmp_path / "ego.mp4", scene, view, tmp_path / "clip.mp4", config, lambda i, n: done.append((i, n))
    )
    frames = [rgb for _, rgb in VideoReader(tmp_path / "ego.mp4").frames(None)]
    assert [f.shape for f in frames] == [(120, 160 + 160, 3)] * FRAMES
    assert [scenes.read_number(f[:, :160]) for f in frames] == list(range(FRAMES))
    assert done[-1] == (FRAMES, FRAMES)
