"""Objects on the page: thinned and packed meshes stay where they are, bands say unknown, the browser shows them."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reenact.geometry.transforms import apply, inverse
from reenact.scene import Scene
from reenact.stages.report_notes import numbers_table, scene_flags
from reenact.stages.report_objects import object_plots, object_tables
from reenact.stages.scene_page import write_scene_page
from reenact.viewer.object_payload import contacts_payload, objects_payload
from reenact.viewer.strips import object_labels, state_strips
from reenact.viewer.thinning import thinned
from tests import scenes
from tests.reframe.made import with_box

FRAMES = 24
CONTACT_FIELDS = ("touching", "distance", "confidence", "valid", "source")


@pytest.fixture(scope="module")
def scene() -> Scene:
    return with_box(scenes.waving_scene(FRAMES, 12.0))


def unpacked(value: dict) -> np.ndarray:
    return np.frombuffer(base64.b64decode(value["b64"]), value["dtype"]).reshape(value["shape"])


def sphere(rings: int) -> tuple[np.ndarray, np.ndarray]:
    u, v = np.meshgrid(
        np.linspace(0, 2 * np.pi, rings, endpoint=False), np.linspace(0.01, np.pi - 0.01, rings)
    )
    points = 0.05 * np.stack([np.sin(v) * np.cos(u), np.sin(v) * np.sin(u), np.cos(v)], axis=-1).reshape(
        -1, 3
    )
    i, j = (a.ravel() for a in np.meshgrid(np.arange(rings - 1), np.arange(rings), indexing="ij"))
    a, b = i * rings + j, i * rings + (j + 1) % rings
    return points, np.concatenate([np.stack([a, a + rings, b], 1), np.stack([b, a + rings, b + rings], 1)])


def test_a_thinned_mesh_keeps_its_place_and_size() -> None:
    vertices, faces = sphere(80)
    small, left = thinned(vertices, faces, 2000)
    assert 700 < len(left) <= 2000
    radius = np.linalg.norm(small, axis=1)
    assert (radius.min() > 0.045) & (radius.max() < 0.0501)
    a, b, c = np.moveaxis(small[left], 1, 0)
    assert np.einsum("fk,fk->f", np.cross(b - a, c - a), a + b + c).min() > -1e-9  # faces still look outward
    same, kept = thinned(vertices, faces, len(faces))
    assert same is not None
    assert kept is faces


def test_packed_meshes_are_where_they_were(scene: Scene) -> None:
    assert scene.objects is not None
    mesh = objects_payload(scene.objects, scene.camera)["meshes"][0]
    low, high = np.array(mesh["low"]), np.array(mesh["high"])
    vertices = low + unpacked(mesh["vertices"]) / 65535 * (high - low)
    assert np.abs(vertices - scene.objects.mesh(0)[0]).max() < 2e-6


def test_outlines_hold_the_projected_box_and_are_absent_when_unknown(scene: Scene) -> None:
    assert scene.objects is not None
    outline = objects_payload(scene.objects, scene.camera)["outlines"][0]
    valid = unpacked(outline["valid"]).astype(bool)
    assert (valid == scene.objects.valid[:, 0]).all()
    T = inverse(scene.camera.T_world_camera[0]) @ scene.objects.T_world_object[0, 0]
    pixels = scene.camera.camera().project(apply(T, scene.objects.mesh(0)[0]))
    drawn = unpacked(outline["px"])[0].astype(float)
    assert np.abs(drawn.min(axis=0) - pixels.min(axis=0)).max() <= 0.5
    assert np.abs(drawn.max(axis=0) - pixels.max(axis=0)).max() <= 0.5


def test_contacts_are_dots_at_known_touching_points(scene: Scene) -> None:
    assert scene.contacts is not None
    assert scene.hands is not None
    touched = unpacked(contacts_payload(scene.contacts, scene.hands)["object"])
    assert (touched[FRAMES // 2] == [0] * 6 + [1, 1] + [0] * 4).all()
    assert touched.sum() == 2 * (2 * FRAMES // 3 - FRAMES // 3)
    blind = replace(scene.contacts, valid=np.zeros_like(scene.contacts.valid))
    assert unpacked(contacts_payload(blind, scene.hands)["object"]).sum() == 0


def test_bands_say_unknown_where_nothing_is_known(scene: Scene) -> None:
    assert scene.states is not None
    assert scene.objects is not None
    (strip,) = state_strips(scene.states, scene.objects)
    assert strip.hatched == (0,)
    assert set(strip.codes[: FRAMES // 4]) == {1}
    assert set(strip.codes[-FRAMES // 4 :]) == {0}
    twice = replace(scene.objects, names=("box",), object_ids=("a",))
    assert object_labels(twice) == ("box",)


def test_curves_leave_out_what_is_not_known(scene: Scene) -> None:
    speed, distance, posterior = object_plots(scene)
    known = FRAMES - FRAMES // 4
    assert speed.series[0].values[: known - 1].max() < 1e-9
    assert not speed.series[0].mask[known - 1 :].any()  # a difference with an unknown frame says nothing
    assert abs(distance.series[0].values[FRAMES // 2] - 0.1) < 1e-9
    assert posterior.series[0].mask.sum() == known
    assert object_plots(replace(scene, objects=None)) == []


def test_tables_show_what_is_there_and_say_unknown_otherwise(scene: Scene) -> None:
    (table,) = object_tables(scene)
    rows = {name: (value, note) for name, value, note in table.rows}
    assert rows["pose known"][0] == f"{FRAMES - FRAMES // 4} of {FRAMES} frames"
    assert "grasped right 33%" in rows["states"][0]
    assert "unknown 25%" in rows["states"][0]
    assert rows["right hand"][0].startswith("touches in 8 frames")
    (bare,) = object_tables(replace(scene, states=None, contacts=None))
    assert ("states", "unknown", "") in bare.rows
    numbers = numbers_table(
        "m", {"cup": {"adds_auc": 0.91234, "vsd": None, "ok": True, "many": list(range(50))}}
    )
    assert numbers.rows == (
        ("cup / adds auc", "0.9123", ""),
        ("cup / vsd", "unknown", ""),
        ("cup / ok", "yes", ""),
    )


def test_flags_of_any_shape_become_sentences(scene: Scene) -> None:
    notes = {
        "objects": {
            "flags": [
                {"kind": "scale", "subject": "box", "value": 2.0, "reason": "size is not plausible"},
                "plain words",
            ]
        },
        "interaction": {"flags": {"box": ["moved without a hand"]}},
        "hands": {"other": 1},
    }
    assert scene_flags(scene, notes) == [
        "objects: box: size is not plausible",
        "objects: plain words",
        "interaction: box: moved without a hand",
    ]


def test_no_object_is_no_trouble(scene: Scene, tmp_path: Path) -> None:
    assert scene.objects is not None
    assert scene.contacts is not None
    none = {
        "valid": (FRAMES, 0),
        "confidence": (FRAMES, 0),
        "source": (FRAMES, 0),
        "T_world_object": (FRAMES, 0, 4, 4),
    }
    empty = {
        name: getattr(scene.objects, name).reshape(-1)[:0].reshape(shape) for name, shape in none.items()
    }
    objects = replace(
        scene.objects, object_ids=(), names=(), mesh_vertices=np.zeros((0, 3)), mesh_faces=np.zeros((0, 3), int),
        vertex_start=np.zeros(1, int), face_start=np.zeros(1, int), **empty,
    )  # fmt: skip
    contacts = replace(
        scene.contacts,
        **{n: getattr(scene.contacts, n)[..., :0] for n in CONTACT_FIELDS},
    )
    bare = replace(scene, objects=objects, contacts=contacts, states=None, hands_raw=None)
    write_scene_page(tmp_path / "page.html", bare, None, tmp_path / "work")
    assert "No object was found" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_a_page_without_a_video_and_without_objects_is_made_too(scene: Scene, tmp_path: Path) -> None:
    bare = replace(scene, objects=None, states=None, contacts=None, hands_raw=None)
    write_scene_page(tmp_path / "page.html", bare, None, tmp_path / "work", {"object": {"adds_auc": 0.5}})
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert '"objects": null' in text
    assert "object / adds auc" in text
    assert len(text) < 2_500_000
