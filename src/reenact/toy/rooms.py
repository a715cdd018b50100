"""The fixed surroundings: a room with straight lines, a table, light.

In: an `MjSpec` and a random generator. Out: the spec with textures, materials and static geoms added.
"""

from __future__ import annotations

from typing import Any

import mujoco
import numpy as np

from reenact.toy import textures
from reenact.toy.surfaces import Surface
from reenact.toy.textures import Rgb
from reenact.toy.wrists import Vector

TABLE_TOP = 0.74
"""Height of the table top above the floor (m); the world's origin is on the floor below the table's middle."""
TABLE_HALF = (0.65, 0.40)
"""Half size of the table top along x and y (m)."""
TABLE_FRONT = -0.32
"""y of the table's edge on the person's side (m)."""
TEXTURE_SIZE = 512


def add_texture(spec: Any, name: str, image: np.ndarray) -> None:
    """A 2D texture and a matt material of the same name."""
    texture = spec.add_texture(name=name, type=mujoco.mjtTexture.mjTEXTURE_2D)
    texture.height, texture.width, texture.nchannel = image.shape
    texture.data = np.ascontiguousarray(image[::-1]).tobytes()


def add_material(
    spec: Any,
    name: str,
    texture: str = "",
    rgb: Rgb = (1.0, 1.0, 1.0),
    repeat: tuple[float, float] = (1.0, 1.0),
    gloss: float = 0.1,
) -> str:
    """A material, textured or plain; `repeat` counts texture copies."""
    material = spec.add_material(name=name, rgba=[*rgb, 1], specular=gloss, shininess=0.3)
    if texture:
        roles = [""] * mujoco.mjtTextureRole.mjNTEXROLE
        roles[mujoco.mjtTextureRole.mjTEXROLE_RGB] = texture
        material.textures = roles
        material.texrepeat = list(repeat)
    return name


def add_mesh(spec: Any, name: str, surface: Surface) -> None:
    """A mesh asset with its own normals and texture coordinates at every face corner."""
    mesh = spec.add_mesh(name=name, inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL)
    corners = np.arange(surface.faces.size).reshape(-1, 3)
    mesh.uservert, mesh.userface = surface.vertices.ravel().tolist(), surface.faces.ravel().tolist()
    mesh.usernormal = surface.normals.reshape(-1).tolist()
    mesh.userfacenormal = corners.ravel().tolist()
    mesh.usertexcoord = surface.uv.reshape(-1).tolist()
    mesh.userfacetexcoord = corners.ravel().tolist()


def add_room(spec: Any, rng: np.random.Generator) -> None:
    """Floor, walls with a window and pictures, table with legs."""
    tone = rng.uniform(0.9, 1.0)
    wall = tuple(np.array([0.80, 0.78, 0.72]) * tone * rng.uniform(0.92, 1.0, 3))
    oak: Rgb = tuple(np.array([0.52, 0.39, 0.27]) * rng.uniform(0.8, 1.1))
    add_texture(spec, "wood", textures.wood(rng, TEXTURE_SIZE, 6, oak))
    add_texture(spec, "tiles", textures.tiles(rng, TEXTURE_SIZE, 6, (0.55, 0.55, 0.53)))
    add_texture(spec, "plaster", textures.plaster(rng, TEXTURE_SIZE, wall))
    add_material(spec, "floor", "tiles", repeat=(3.0, 3.0))
    add_material(spec, "wall", "plaster", repeat=(1.0, 1.0))
    add_material(spec, "table", "wood", gloss=0.15)
    add_material(spec, "frame", rgb=(0.30, 0.22, 0.17))
    add_material(spec, "glass", rgb=(0.72, 0.82, 0.90))
    add_material(spec, "trim", rgb=(0.93, 0.92, 0.90))
    _box(spec, "floor", (0, 0, -0.02), (2.5, 2.5, 0.02))
    for sign in (-1, 1):
        _box(spec, "wall", (0, sign * 2.3, 1.25), (2.5, 0.05, 1.25))
        _box(spec, "wall", (sign * 2.3, 0, 1.25), (0.05, 2.5, 1.25))
        _box(spec, "trim", (0, sign * 2.24, 0.06), (2.5, 0.01, 0.06))
        _box(spec, "trim", (sign * 2.24, 0, 0.06), (0.01, 2.5, 0.06))
    _wall_things(spec, rng)
    _table(spec)


def _wall_things(spec: Any, rng: np.random.Generator) -> None:
    for wall_y, count in ((-2.24, 3), (2.24, 3)):
        for i in range(count):
            x, z = -1.3 + 1.3 * i + rng.uniform(-0.15, 0.15), rng.uniform(0.9, 1.4)
            half = rng.uniform(0.22, 0.42, 2)
            _box(spec, "frame", (x, wall_y, z), (half[0], 0.02, half[1]))
            kind = "glass" if rng.random() < 0.5 else "trim"
            for sx in (-1, 1):
                for sz in (-1, 1):
                    centre = (x + sx * (half[0] - 0.03) / 2, wall_y, z + sz * (half[1] - 0.03) / 2)
                    _box(spec, kind, centre, ((half[0] - 0.06) / 2, 0.03, (half[1] - 0.06) / 2))


def _table(spec: Any) -> None:
    middle = TABLE_FRONT + TABLE_HALF[1]
    _box(spec, "table", (0, middle, TABLE_TOP - 0.015), (*TABLE_HALF, 0.015), name="table")
    for sx in (-1, 1):
        for sy in (-1, 1):
            x, y = sx * (TABLE_HALF[0] - 0.05), middle + sy * (TABLE_HALF[1] - 0.05)
            _box(spec, "frame", (x, y, (TABLE_TOP - 0.03) / 2), (0.03, 0.03, (TABLE_TOP - 0.03) / 2))


def _box(spec: Any, material: str, pos: Vector, size: Vector, name: str = "") -> None:
    spec.worldbody.add_geom(
        name=name,
        type=mujoco.mjtGeom.mjGEOM_BOX,
        pos=pos,
        size=size,
        material=material,
        contype=0,
        conaffinity=0,
    )


def add_lights(spec: Any, rng: np.random.Generator) -> None:
    """One directional key light with shadows from above the camera's side, a fill without, and a head light."""
    aim = np.array([rng.uniform(-0.5, 0.5), rng.uniform(-0.55, -0.1), -1.0])
    key = rng.uniform(0.55, 0.65)
    directional = mujoco.mjtLightType.mjLIGHT_DIRECTIONAL
    spec.worldbody.add_light(
        type=directional, dir=aim / np.linalg.norm(aim), pos=-1.2 * aim + [0, 0, TABLE_TOP], castshadow=True,
        diffuse=[key] * 3, specular=[0.12] * 3, ambient=[0, 0, 0],
    )  # fmt: skip
    fill = np.array([-aim[0], 0.9, -0.6])
    spec.worldbody.add_light(
        type=directional, dir=fill / np.linalg.norm(fill), pos=[0, 0, 2.2], castshadow=False, diffuse=[0.18] * 3,
        specular=[0, 0, 0], ambient=[0, 0, 0],
    )  # fmt: skip
    head = spec.visual.headlight
    head.ambient, head.diffuse, head.specular = [0.34] * 3, [0.16] * 3, [0.02] * 3
    spec.stat.center, spec.stat.extent = [0, 0.0, TABLE_TOP], 0.62
    spec.visual.map.shadowclip = 1.0
