from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from reenact.geometry.transforms import inverse
from reenact.hands.joints import TIPS
from reenact.scene import InteractionState, Source
from reenact.scene.masks import MaskLabel
from reenact.toy.clip import ToyClip, make_clip
from reenact.video.reader import VideoReader

HAND = {0: (MaskLabel.HAND_LEFT, MaskLabel.ARM_LEFT), 1: (MaskLabel.HAND_RIGHT, MaskLabel.ARM_RIGHT)}


@pytest.fixture(params=["push", "pick"])
def clip(request: pytest.FixtureRequest) -> ToyClip:
    return request.getfixturevalue(f"{request.param}_clip")


def folder_bytes(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def joints_camera(clip: ToyClip) -> np.ndarray:
    """[t s 21 3] in the camera."""
    T = clip.scene.camera.T_world_camera[:, None]
    return (clip.scene.hands.joints_world - T[..., None, :3, 3]) @ T[..., :3, :3]


def test_every_part_has_the_same_frames_and_says_truth(clip):
    scene, frames = clip.scene, round(4.0 * clip.config.fps_hz)
    assert len(scene.clip.t_ns) == frames
    assert len(VideoReader(clip.video_path).frame_t_ns) == frames
    for part in (scene.camera, scene.hands, scene.objects, scene.contacts, scene.states):
        assert (part.source == Source.TRUTH).all()
    assert scene.camera.motion == ("still" if clip.config.camera_motion == "static" else "moving")


def test_joints_fall_on_the_hand_or_on_what_is_nearer(clip):
    camera, points = clip.scene.camera.camera(), joints_camera(clip)
    frames = len(points)
    pixels = np.rint(camera.project(points)).astype(int)
    on_hand = 0
    for frame in range(frames):
        depth, mask = clip.depth(frame), clip.mask(frame)
        for side in (0, 1):
            for joint in range(21):
                x, y = pixels[frame, side, joint]
                if not (1 <= x < camera.width_px - 1 and 1 <= y < camera.height_px - 1):
                    continue
                around = mask[y - 1 : y + 2, x - 1 : x + 2]
                on_own = np.isin(around, HAND[side]).any()
                near = depth[y - 1 : y + 2, x - 1 : x + 2].min()
                gap = points[frame, side, joint, 2] - near
                assert gap > -0.003, "a joint lies in front of all surfaces near its pixel"
                assert on_own or gap > 0.0, "a joint is neither on its hand nor hidden"
                if on_own and gap < 0.035:
                    on_hand += 1
    assert on_hand > 0.6 * 12 * 42, (
        "most joints lie within a finger's thickness below the skin that the camera sees"
    )


def test_skin_points_are_where_the_camera_sees_skin(clip):
    """Posed skin, camera and depth agree; half a pixel is 3 mm here, so slopes miss by some millimetres."""
    camera, gaps = clip.scene.camera.camera(), []
    for frame in range(0, 12, 3):
        T = clip.scene.camera.T_world_camera[frame]
        depth, mask = clip.depth(frame), clip.mask(frame)
        for side in (0, 1):
            local = (clip.hand_poses.vertices(frame, side) - T[:3, 3]) @ T[:3, :3]
            x, y = np.rint(camera.project(local)).astype(int).T
            keep = (x > 0) & (y > 0) & (x < camera.width_px - 1) & (y < camera.height_px - 1)
            keep[keep] = np.isin(mask[y[keep], x[keep]], HAND[side])
            gaps.append(local[keep, 2] - depth[y[keep], x[keep]])
    gap = np.concatenate(gaps)
    near = np.abs(gap[np.abs(gap) < 0.012])  # the others are on the far side
    assert len(near) > 0.4 * len(gap)
    assert np.median(near) < 0.003


def test_a_box_covers_exactly_the_pixels_whose_centres_lie_in_its_projection(push_clip):
    """The camera convention, to a fraction of a pixel: whole numbers are pixel centres."""
    camera, objects = push_clip.scene.camera.camera(), push_clip.scene.objects
    assert objects.names[0] in ("carton", "crate")
    vertices, faces = objects.mesh(0)
    place = inverse(push_clip.scene.camera.T_world_camera[0]) @ objects.T_world_object[0, 0]
    corners = camera.project(vertices @ place[:3, :3].T + place[:3, 3])[faces]
    y, x = np.mgrid[: camera.height_px, : camera.width_px]
    seen = push_clip.mask(0) == MaskLabel.FIRST_OBJECT
    assert seen.sum() > 150

    def mismatches(shift_px: float) -> int:
        inside = np.zeros(seen.shape, bool)
        for a, b, c in corners + shift_px:
            turns = [
                (q[0] - p[0]) * (y - p[1]) - (q[1] - p[1]) * (x - p[0]) for p, q in ((a, b), (b, c), (c, a))
            ]
            inside |= (np.min(turns, axis=0) >= 0) | (np.max(turns, axis=0) <= 0)
        return int((inside != seen).sum())

    assert mismatches(0.0) <= 2
    assert mismatches(0.25) > mismatches(0.0) + 2
    assert mismatches(-0.25) > mismatches(0.0) + 2


def test_depth_is_metric_z_of_the_table_plane(clip):
    camera = clip.scene.camera.camera()
    y, x = np.mgrid[: camera.height_px, : camera.width_px]
    for frame in (0, 11):
        T = clip.scene.camera.T_world_camera[frame]
        rays = np.stack([(x - camera.cx) / camera.fx, (y - camera.cy) / camera.fy, np.ones(x.shape)], axis=-1)
        z = (0.74 - T[2, 3]) / (rays @ T[2, :3])
        table = clip.mask(frame) == MaskLabel.TABLE
        inner = (
            table
            & np.roll(table, 1, 0)
            & np.roll(table, -1, 0)
            & np.roll(table, 1, 1)
            & np.roll(table, -1, 1)
        )
        hit = z[..., None] * rays @ T[:3, :3].T + T[:3, 3]
        inner &= np.abs(hit[..., 0]) < 0.6  # the top, not the table's edge
        assert inner.sum() > 2000
        error = np.abs(clip.depth(frame) - z)[inner]
        assert np.percentile(error, 99.5) < 0.001


def test_objects_cover_exactly_the_pixels_their_meshes_project_to(clip):
    camera, objects = clip.scene.camera.camera(), clip.scene.objects
    T = inverse(clip.scene.camera.T_world_camera[0])
    mask = clip.mask(0)
    for o in range(len(objects.names)):
        vertices, _ = objects.mesh(o)
        place = T @ objects.T_world_object[0, o]
        pixels = camera.project(vertices @ place[:3, :3].T + place[:3, 3])
        rows, columns = np.nonzero(mask == MaskLabel.FIRST_OBJECT + o)
        inside = (pixels.min(axis=0) > 0).all() and (pixels.max(axis=0) < [158, 118]).all()
        if not inside or len(rows) == 0:
            continue
        low, high = pixels.min(axis=0), pixels.max(axis=0)
        assert columns.min() > low[0] - 0.51
        assert columns.max() < high[0] + 0.51
        assert rows.min() > low[1] - 0.51
        assert rows.max() < high[1] + 0.51


def test_grasps_touch_and_the_held_object_is_rigid_in_the_hand(pick_clip):
    scene, poses = pick_clip.scene, pick_clip.hand_poses
    state = scene.states.state[:, 0]
    held = state == InteractionState.GRASPED_RIGHT
    assert 2 < held.sum() < 15
    touching = scene.contacts.touching[held, 1, :, 0]
    assert touching.sum(axis=1).min() >= 3
    assert touching[:, 0].all() or touching[:, 5].all()
    assert scene.contacts.distance[held][:, 1, :, 0].min() > -0.003
    assert not scene.contacts.touching[0].any()
    relative = inverse(poses.T_world_wrist[held, 1]) @ scene.objects.T_world_object[held, 0]
    assert np.abs(relative - relative[0]).max() < 1e-9
    assert (scene.states.state[:, 1:] == InteractionState.STATIC).all()


def test_a_pushed_object_moves_and_is_not_grasped(push_clip):
    state = push_clip.scene.states.state[:, 0]
    assert set(state.tolist()) == {int(InteractionState.STATIC), int(InteractionState.MOVING)}
    moving = state == InteractionState.MOVING
    assert push_clip.scene.contacts.touching[moving, 1, :, 0].any(axis=1).all()


def test_fingertip_contact_distances_match_the_skin(pick_clip):
    scene = pick_clip.scene
    frame = int(np.flatnonzero(scene.states.state[:, 0] == InteractionState.GRASPED_RIGHT)[0])
    tips = scene.hands.joints_world[frame, 1, list(TIPS)]
    T = scene.objects.T_world_object[frame, 0]
    vertices, _ = scene.objects.mesh(0)
    gap = np.linalg.norm((vertices @ T[:3, :3].T + T[:3, 3])[None] - tips[:, None], axis=-1).min(axis=1)
    assert (scene.contacts.distance[frame, 1, :5, 0] < gap).all()


def test_same_config_same_bytes(push_clip, push_config, tmp_path):
    again = make_clip(push_config, tmp_path / "again")
    assert folder_bytes(again.folder) == folder_bytes(push_clip.folder)


def test_an_absent_hand_is_not_there_and_another_seed_is_another_clip(push_clip, push_config, tmp_path):
    clip = make_clip(push_config.replace(hands="right", duration_s=1.0, seed=4), tmp_path / "one")
    assert not np.allclose(clip.scene.hands.joints_world[0, 1], push_clip.scene.hands.joints_world[0, 1])
    assert clip.scene.hands.valid.tolist() == [[False, True]] * 3
    assert not np.isin(clip.mask(0), HAND[0]).any()
    assert (clip.hand_poses.visible[:, 0] == 0).all()


def test_without_gl_the_error_says_what_to_install(push_config, tmp_path, monkeypatch):
    from reenact.rendering.gl import NoGlError
    from reenact.toy import clip

    def none_here() -> None:
        raise NoGlError("no offscreen GL: egl: libEGL.so.1 does not load", hint="apt install libegl1")

    monkeypatch.setattr(clip, "choose_backend", none_here)
    with pytest.raises(NoGlError, match=r"no offscreen GL.*apt install"):
        make_clip(push_config.replace(duration_s=0.4), tmp_path / "dark")
    assert not (tmp_path / "dark").exists()
    assert list(tmp_path.iterdir()) == []


def test_the_package_itself_loads_no_simulator():
    import subprocess

    code = "import sys, reenact.toy; sys.exit(any(m in sys.modules for m in ('mujoco', 'av', 'cv2')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
