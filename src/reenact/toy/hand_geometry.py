"""The free hand inside a MuJoCo model: one skin per hand, its vertices written anew for every frame.

A MuJoCo skin bound with weight one to the world body is drawn from ``model.skin_vert`` at every scene update, with
smooth normals and shadows, and appears in segmentation as ``mjOBJ_SKIN``. So posing a hand is one array write: no
GL context, no mesh upload, any renderer.

Use: add `hand_skin_xml(side)` (assets and `<skin>`) to the model, then per frame
``HandSkin(model, side).show(vertices_world)`` and update the scene.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from reenact.hands.appearance import SkinTone, palette, palette_coordinates
from reenact.hands.joints import SIDES
from reenact.hands.mesh import HandMesh, vertex_normals
from reenact.hands.subdivide import Subdivision

FAR_BELOW = (0.0, 0.0, -50.0)
"""Where a hand that is not in the scene is put."""


@dataclass(frozen=True)
class HandSkinXml:
    """The pieces of MJCF one hand needs and the file the material refers to."""

    asset: str
    """Goes inside `<asset>`."""
    deformable: str
    """Goes inside `<deformable>`."""
    files: dict[str, bytes]
    """Goes into the `assets` argument of `MjModel.from_xml_string`."""


def skin_name(side: int) -> str:
    """Name of the skin of a side in the model."""
    return f"hand_{SIDES[side]}"


def hand_skin_xml(side: int, tone: SkinTone | None = None) -> HandSkinXml:
    """MJCF of one hand's skin: texture, material, and a skin whose one bone is the world.

    Args:
        side: 0 left, 1 right.
        tone: skin colours; the default is a light brown.
    """
    mesh, name = HandMesh.load(side), skin_name(side)
    finer = _finer(side)
    vertices = finer(mesh.vertices_rest)
    uv = palette_coordinates(side, vertices, vertex_normals(vertices, finer.faces))
    count = len(vertices)
    asset = (
        f'<texture name="{name}" type="2d" file="{name}.png"/>'
        f'<material name="{name}" texture="{name}" specular="0.25" shininess="0.35"/>'
    )
    deformable = (
        f'<skin name="{name}" material="{name}" vertex="{_numbers(vertices + FAR_BELOW)}" '
        f'texcoord="{_numbers(uv)}" face="{" ".join(map(str, finer.faces.ravel()))}">'
        f'<bone body="world" bindpos="0 0 0" bindquat="1 0 0 0" '
        f'vertid="{" ".join(map(str, range(count)))}" vertweight="{"1 " * count}"/></skin>'
    )
    return HandSkinXml(asset, deformable, {f"{name}.png": encode_png(palette(tone or SkinTone()))})


class HandSkin:
    """Writes posed vertices into a model made with `hand_skin_xml`."""

    def __init__(self, model: Any, side: int) -> None:
        """Finds the skin of `side` in an `mujoco.MjModel`."""
        names = [model.skin(i).name for i in range(model.nskin)]
        self.skin_idx = names.index(skin_name(side))
        """Index in the model; `Surfaces.object_idx` where `object_type` is `mjOBJ_SKIN`."""
        self._finer = _finer(side)
        start = int(model.skin_vertadr[self.skin_idx])
        self.count = int(model.skin_vertnum[self.skin_idx])
        """Vertices drawn."""
        self._vertices = model.skin_vert[start : start + self.count]

    def show(self, vertices_world: Float[np.ndarray, "v 3"]) -> None:
        """Puts the hand (vertices as `HandMesh.pose` gives them) there from the next scene update on."""
        self._vertices[:] = self._finer(vertices_world)

    def hide(self) -> None:
        """Takes the hand out of sight."""
        self._vertices[:] = np.asarray(FAR_BELOW)


@functools.lru_cache(maxsize=2)
def _finer(side: int) -> Subdivision:
    mesh = HandMesh.load(side)
    return Subdivision.of(mesh.faces, len(mesh.vertices_rest))


def _numbers(values: np.ndarray) -> str:
    return " ".join(f"{x:.6g}" for x in np.asarray(values).ravel())


def encode_png(image: np.ndarray) -> bytes:
    """An RGB image as PNG bytes for the `assets` of a model."""
    import cv2

    done, data = cv2.imencode(".png", image[..., ::-1])
    if not done:
        raise ValueError(f"the palette {image.shape} cannot be written as PNG")
    return bytes(data)
