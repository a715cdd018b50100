"""The skin of each known hand, frame by frame, from its 21 joints."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from reenact.hands.joints import SIDES, wrist_transform
from reenact.hands.mesh import HandMesh
from reenact.hands.skeleton import HandSkeleton
from reenact.scene import HandTracks


@dataclass(frozen=True)
class HandSkins:
    """Vertices of both hands' meshes; the meshes are `HandMesh.load(side)`."""

    angles: tuple[np.ndarray, ...]
    """Per side [n 20], the frames in which it is known, one after the other."""
    T_world_wrist: tuple[np.ndarray, ...]
    skeletons: tuple[HandSkeleton, ...]
    row: np.ndarray
    """[t 2]: row in the lists above; meaningless where the hand is not known."""

    @staticmethod
    def of(hands: HandTracks) -> HandSkins:
        """Fit the skeleton to the joints."""
        angles, wrists, skeletons = [], [], []
        for side in range(len(SIDES)):
            joints = hands.joints_world[hands.valid[:, side], side]
            skeleton = HandSkeleton.adult(side, float(hands.hand_length[side]))
            T = wrist_transform(joints, side) if len(joints) else np.zeros((0, 4, 4))
            local = (joints - T[:, None, :3, 3]) @ T[:, :3, :3]
            angles.append(skeleton.fit_angles(local) if len(joints) else np.zeros((0, 20)))
            wrists.append(T)
            skeletons.append(skeleton)
        row = np.cumsum(hands.valid, axis=0) - 1
        return HandSkins(tuple(angles), tuple(wrists), tuple(skeletons), row)

    def vertices(self, frame: int, side: int) -> Float64[np.ndarray, "v 3"]:
        """The skin in the scene's frame; the hand must be known in this frame."""
        k = int(self.row[frame, side])
        mesh = HandMesh.load(side)
        return mesh.pose(self.skeletons[side], self.angles[side][k], self.T_world_wrist[side][k])
