"""Chunks: at each instant, the next H steps as actions, all in the frame of the camera that saw that instant.

A policy sees one picture and answers with H steps; it cannot know where its camera will be. So the wrists of later
steps are carried into the ego frame of the chunk's own instant (`frame="start"`), by the camera slots or because the
camera stands still; EggHand (4.1) fixes its frame in the same way. Relative actions say the same in differences from
the state, and `to_absolute` undoes `to_relative`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float64, Int64

from reenact.actions.errors import BadActions, CameraUnknown
from reenact.actions.slots import ActionSpec
from reenact.actions.vector import ActionVector
from reenact.geometry.rotations import matrix_from_rot6d_cols, rot6d_cols_from_matrix
from reenact.geometry.transforms import inverse
from reenact.records import Record

Reference = Literal["absolute", "wrist", "ego"]


@dataclass(frozen=True)
class ChunkConfig:
    """Shape and frame of chunks."""

    horizon: int = 30
    """Steps per chunk (H); METIS: 30, one second at 30 Hz."""
    first: int = 1
    """Offset of the first step: 1 when states become actions (the next state is the action), 0 for recorded actions."""
    stride: int = 1
    """Instants from one chunk to the next."""
    frame: Literal["start", "each"] = "start"
    """Wrists in the ego camera of the chunk's instant, or each in that of its own."""
    still_camera: bool = False
    """The ego camera does not move against the scene, so ``start`` needs no camera slots."""


@dataclass(frozen=True, kw_only=True)
class ActionChunks(Record):
    """n chunks of h steps with the state each starts from. Steps beyond the end of the motion are masked."""

    SCHEMA = "reenact.action_chunks"
    VERSION = 1

    slots: tuple[tuple[str, ...], ...]
    """`ActionSpec.to_rows`."""
    reference: str
    """``absolute``; ``wrist`` (pose deltas in the wrist's own frame) or ``ego`` (deltas along the ego camera's axes)."""
    frame: str
    """``start`` or ``each``, as in `ChunkConfig`."""
    t_ns: Int64[np.ndarray, " n"]
    """Instant of each chunk."""
    state: Float64[np.ndarray, "n a"]
    """The space at that instant, always absolute."""
    state_mask: Bool[np.ndarray, "n k"]
    values: Float64[np.ndarray, "n h a"]
    mask: Bool[np.ndarray, "n h k"]
    """Per slot: True where known."""

    def check(self) -> None:
        self.require_choice("reference", ("absolute", "wrist", "ego"))
        self.require_choice("frame", ("start", "each"))
        self.require(self.values.shape[2] == self.spec.width, "values", f"has {self.values.shape[2]} columns",
                     f"the slots have {self.spec.width}")  # fmt: skip

    @cached_property
    def spec(self) -> ActionSpec:
        """The declaration of the slots."""
        return ActionSpec.from_rows(self.slots)

    @property
    def mask_columns(self) -> Bool[np.ndarray, "n h a"]:
        """The mask per number."""
        return self.mask[..., list(self.spec.slot_of_column)]


def make_chunks(vector: ActionVector, config: ChunkConfig | None = None) -> ActionChunks:
    """Every `stride`-th instant with the H steps that follow; absolute.

    Raises:
        CameraUnknown: ``frame="start"`` without camera slots and without ``still_camera``.
        BadActions: a horizon or stride below one.
    """
    config = config or ChunkConfig()
    if config.horizon < 1 or config.stride < 1 or config.first < 0:
        raise BadActions(f"{config} has no steps", hint="horizon and stride at least 1, first at least 0")
    start = np.arange(0, len(vector), config.stride)
    steps = start[:, None] + config.first + np.arange(config.horizon)
    inside, steps = steps < len(vector), np.minimum(steps, len(vector) - 1)
    values, mask = vector.values[steps].copy(), vector.mask[steps] & inside[..., None]
    if config.frame == "start":
        _carry_to_start(vector, start, steps, values, mask, config.still_camera)
    spec = vector.spec
    return ActionChunks(
        slots=vector.slots,
        reference="absolute",
        frame=config.frame,
        t_ns=vector.t_ns[start],
        state=vector.values[start],
        state_mask=vector.mask[start],
        values=_masked_off(spec, values, mask),
        mask=mask,
    )


def _carry_to_start(
    vector: ActionVector,
    start: np.ndarray,
    steps: np.ndarray,
    values: np.ndarray,
    mask: np.ndarray,
    still: bool,
) -> None:
    """Every slot of frame ``ego`` from its own instant's camera to the chunk's."""
    spec = vector.spec
    moved = [slot for slot in spec.slots if slot.frame == "ego"]
    if still or not moved:
        return
    if not spec.has("camera_position", "camera_rotation"):
        raise CameraUnknown("this space has no camera slots, so later wrists cannot be put in the first camera's frame",
                            hint="encode with the camera, or set still_camera=True if it truly does not move")  # fmt: skip
    T_world_ego, placed = vector.pose("camera")
    T_start_each = inverse(T_world_ego[start])[:, None] @ T_world_ego[steps]
    both = placed[start][:, None] & placed[steps]
    R, p = T_start_each[..., :3, :3], T_start_each[..., :3, 3]
    for slot in moved:
        columns = spec.columns(slot.name)
        mask[..., spec.index(slot.name)] &= both
        v = values[..., columns]
        if slot.kind == "rotation":
            values[..., columns] = rot6d_cols_from_matrix(R @ matrix_from_rot6d_cols(v))
        else:
            turned = (R @ v[..., None])[..., 0]
            values[..., columns] = turned if slot.kind == "direction" else turned + p


def to_relative(chunks: ActionChunks, reference: Literal["wrist", "ego"] = "wrist") -> ActionChunks:
    """Steps as differences from the chunk's state; a step is known where both are.

    ``wrist``: `T_state^-1 T_step`, the pose of the later wrist in the present one. ``ego``: difference of positions and
    `R_step R_state^T`, along the camera's axes. Fingertips and joints are differences either way; grippers, gaze and
    camera stay as they are.

    Raises:
        BadActions: already relative, or steps in cameras of their own (their difference would mix in the camera's).
    """
    if chunks.reference != "absolute":
        raise BadActions(f"these chunks are relative already ({chunks.reference})")
    if chunks.frame != "start":
        raise BadActions("steps are each in their own camera's frame", hint='make them with frame="start"')
    return _rewrite(chunks, reference, forward=True)


def to_absolute(chunks: ActionChunks) -> ActionChunks:
    """The mirror of `to_relative`."""
    if chunks.reference == "absolute":
        return chunks
    return _rewrite(chunks, chunks.reference, forward=False)


def _rewrite(chunks: ActionChunks, reference: str, *, forward: bool) -> ActionChunks:
    spec, state = chunks.spec, chunks.state[:, None]
    values, mask = chunks.values.copy(), chunks.mask.copy()
    for slot in spec.slots:
        k, columns = spec.index(slot.name), spec.columns(slot.name)
        if slot.delta == "keep":
            continue
        mask[..., k] &= chunks.state_mask[:, None, k]
        if slot.delta == "difference":
            values[..., columns] += -state[..., columns] if forward else state[..., columns]
        elif slot.kind == "rotation":
            R_state, R = (
                matrix_from_rot6d_cols(state[..., columns]),
                matrix_from_rot6d_cols(chunks.values[..., columns]),
            )
            values[..., columns] = rot6d_cols_from_matrix(_turn(R_state, R, reference, forward))
        else:
            rotation = spec.columns(f"{slot.body}_rotation")
            if reference == "wrist":
                mask[..., k] &= chunks.state_mask[:, None, spec.index(f"{slot.body}_rotation")]
            R_state = matrix_from_rot6d_cols(state[..., rotation]) if reference == "wrist" else np.eye(3)
            p, p_state = chunks.values[..., columns], state[..., columns]
            values[..., columns] = (
                _times(np.swapaxes(R_state, -1, -2), p - p_state) if forward else _times(R_state, p) + p_state
            )
    return replace(
        chunks,
        reference=reference if forward else "absolute",
        values=_masked_off(spec, values, mask),
        mask=mask,
    )


def _turn(R_state: np.ndarray, R: np.ndarray, reference: str, forward: bool) -> np.ndarray:
    """The delta of a rotation (forward), or the rotation that a delta leads to."""
    R_back = np.swapaxes(R_state, -1, -2)
    if reference == "wrist":
        return R_back @ R if forward else R_state @ R
    return R @ R_back if forward else R @ R_state


def _times(R: np.ndarray, v: np.ndarray) -> np.ndarray:
    return (R @ v[..., None])[..., 0]


def _masked_off(spec: ActionSpec, values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return np.where(mask[..., list(spec.slot_of_column)], values, spec.filler())
