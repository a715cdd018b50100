"""The MuJoCo model of a toy clip and its pose per frame: room, person, hands, props.

In: config, script, arms and a seed. Out: a model whose mocap bodies and hand skins are placed frame by frame, and the
table that says which surface is which label.
"""

from __future__ import annotations

from typing import Any

import mujoco
import numpy as np
from jaxtyping import Float64

from reenact.geometry.rotations import quat_from_matrix
from reenact.hands.mesh import HandMesh
from reenact.hands.skeleton import HandSkeleton
from reenact.scene.masks import MaskLabel
from reenact.toy import textures
from reenact.toy.arms import Arms
from reenact.toy.config import ToyConfig
from reenact.toy.hand_geometry import HandSkin, hand_skin_xml
from reenact.toy.person import add_person, forearm_turns, pose_person
from reenact.toy.props import Prop
from reenact.toy.rooms import add_lights, add_material, add_mesh, add_room, add_texture
from reenact.toy.script import Performance


class ToyWorld:
    """Builds the model once; `pose` puts it into one frame of the performance."""

    def __init__(
        self,
        config: ToyConfig,
        props: tuple[Prop, ...],
        performance: Performance,
        arms: Arms,
        rng: np.random.Generator,
    ) -> None:
        self._performance, self._arms = performance, arms
        self._props = props
        self.sides = [s for s in (0, 1) if performance.present[s]]
        """Sides of the hands that are there."""
        self.model = _build(config, props, self.sides, rng)
        self.data = mujoco.MjData(self.model)
        self._skins = {s: HandSkin(self.model, s) for s in self.sides}
        self._skeletons = {s: HandSkeleton.adult(s, config.hand_length) for s in self.sides}
        self._turns = forearm_turns(arms, performance.T_world_wrist)
        self.geom_label = self._label_geoms()

    @property
    def skin_side(self) -> dict[int, int]:
        """Side of each hand skin, by its index in the model."""
        return {skin.skin_idx: side for side, skin in self._skins.items()}

    def pose(self, frame: int) -> None:
        """Everything where it is in this frame."""
        pose_person(self.model, self.data, self._arms, frame)
        for o in range(len(self._props)):
            T = self._performance.T_world_object[frame, o]
            slot = self.model.body_mocapid[self.model.body(f"prop_{o}").id]
            self.data.mocap_pos[slot], self.data.mocap_quat[slot] = T[:3, 3], quat_from_matrix(T[:3, :3])
        for side in self.sides:
            self._skins[side].show(self.hand_vertices(frame, side))
        mujoco.mj_forward(self.model, self.data)

    def hand_vertices(self, frame: int, side: int) -> Float64[np.ndarray, "v 3"]:
        """Skin of one hand in the world."""
        return HandMesh.load(side).pose(
            self._skeletons[side],
            self._performance.angles[frame, side],
            self._performance.T_world_wrist[frame, side],
            self._turns[frame, side],
        )

    def _label_geoms(self) -> np.ndarray:
        label = np.zeros(self.model.ngeom, np.uint8)
        for geom in range(self.model.ngeom):
            body = self.model.body(self.model.geom_bodyid[geom]).name
            if body.startswith("prop_"):
                label[geom] = MaskLabel.FIRST_OBJECT + int(body.removeprefix("prop_"))
            elif body == "torso":
                label[geom] = MaskLabel.BODY
            elif body.startswith(("upper_arm_", "forearm_")):
                label[geom] = MaskLabel.ARM_LEFT + int(body[-1])
            elif self.model.geom(geom).name == "table":
                label[geom] = MaskLabel.TABLE
        return label


def _build(config: ToyConfig, props: tuple[Prop, ...], sides: list[int], rng: np.random.Generator) -> Any:
    pieces = [hand_skin_xml(side) for side in sides]
    xml = (
        f"<mujoco><asset>{''.join(p.asset for p in pieces)}</asset><worldbody/>"
        f"<deformable>{''.join(p.deformable for p in pieces)}</deformable></mujoco>"
    )
    files = {name: data for piece in pieces for name, data in piece.files.items()}
    spec = mujoco.MjSpec.from_string(xml, assets=files)
    add_room(spec, rng)
    add_lights(spec, rng)
    present = (0 in sides, 1 in sides)
    add_person(spec, rng, present, head=config.view != "ego")
    for o, prop in enumerate(props):
        _add_prop(spec, o, prop, rng)
    return spec.compile()


def _add_prop(spec: Any, object_idx: int, prop: Prop, rng: np.random.Generator) -> None:
    body = spec.worldbody.add_body(name=f"prop_{object_idx}", mocap=True)
    for i, surface in enumerate(prop.shape.surfaces()):
        name = f"prop_{object_idx}_{i}"
        ground, ink = prop.colours[i]
        image = textures.cloth(rng, 128, ground) if prop.plain[i] else textures.label(rng, 256, ground, ink)
        add_texture(spec, name, image)
        add_material(spec, name, name, gloss=0.2)
        add_mesh(spec, name, surface)
        body.add_geom(
            type=mujoco.mjtGeom.mjGEOM_MESH, meshname=name, material=name, contype=0, conaffinity=0, density=0
        )
