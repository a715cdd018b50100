"""One clock for all streams: resampling, joining streams of different rates, and the delay between two of them.

METIS (appendix F) brings 30 Hz images and 60 Hz joints to 30 Hz. Positions go along straight lines between the two
samples around an instant, rotations along the shortest turn; an instant that has a sample takes it unchanged. Nothing
filters and nothing is held beyond its last sample, so nothing moves in time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from reenact.actions.errors import BadActions
from reenact.actions.slots import ActionSpec, Slot
from reenact.actions.vector import ActionVector, Known
from reenact.geometry.arrays import normalized
from reenact.geometry.filters import time_shift
from reenact.geometry.rotations import matrix_from_rot6d_cols, rot6d_cols_from_matrix
from reenact.geometry.timegrid import NS_PER_S, resample_linear, resample_rotations, resample_valid


@dataclass(frozen=True)
class TimingConfig:
    """How far apart samples may lie."""

    max_gap_s: float = 0.12
    """Longest distance between two samples that is bridged (s); longer gaps are masked. Four frames at 30 Hz."""


def resample(
    vector: ActionVector, t_ns: Int64[np.ndarray, " m"], config: TimingConfig | None = None, delay_ns: int = 0
) -> ActionVector:
    """The same motion at other instants.

    Args:
        vector: the motion.
        t_ns: instants wanted, on the clock of whoever asks.
        config: longest gap.
        delay_ns: how much later the motion's clock shows the same moment (see `delay_between`).

    A slot is masked outside its stream, in gaps longer than `max_gap_s`, and where either sample it needs is masked.
    """
    config = config or TimingConfig()
    t_ns = np.asarray(t_ns, np.int64)
    want, known = t_ns + np.int64(delay_ns), {}
    for slot in vector.spec.slots:
        values, mask = vector.read(slot.name)
        ok = resample_valid(vector.t_ns, mask, want, int(config.max_gap_s * NS_PER_S))
        known[slot.name] = (_between(slot, vector.t_ns, values, want), ok)
    return ActionVector.assemble(vector.spec, t_ns, known)


def _between(slot: Slot, t_from: np.ndarray, values: np.ndarray, t_to: np.ndarray) -> np.ndarray:
    if slot.kind == "rotation":
        return rot6d_cols_from_matrix(resample_rotations(t_from, matrix_from_rot6d_cols(values), t_to))
    moved = resample_linear(t_from, values, t_to)
    return normalized(moved) if slot.kind == "direction" else moved


def join(
    t_ns: Int64[np.ndarray, " m"],
    *streams: ActionVector,
    config: TimingConfig | None = None,
    delays_ns: tuple[int, ...] = (),
) -> ActionVector:
    """Streams of different rates and different slots, at the same instants (those of the images, say).

    Args:
        t_ns: instants wanted.
        streams: each with slots of its own.
        config: longest gap.
        delays_ns: per stream, as in `resample`; none when left out.

    Raises:
        BadActions: two streams have the same slot, or the number of delays differs.
    """
    delays = delays_ns or (0,) * len(streams)
    if len(delays) != len(streams):
        raise BadActions(f"{len(delays)} delays for {len(streams)} streams")
    known: dict[str, Known] = {}
    for stream, delay in zip(streams, delays, strict=True):
        if twice := set(known) & set(stream.spec.names):
            raise BadActions(
                f"two streams hold {sorted(twice)}", hint="take the slot from one of them (onto)"
            )
        at = resample(stream, t_ns, config, delay)
        known |= {name: at.read(name) for name in at.spec.names}
    spec = ActionSpec(tuple(slot for stream in streams for slot in stream.spec.slots))
    return ActionVector.assemble(spec, np.asarray(t_ns, np.int64), known)


def delay_between(first: ActionVector, second: ActionVector, slot: str, max_shift_s: float = 0.5) -> int:
    """Nanoseconds by which `second` shows the motion of a slot later than `first`, by correlation of speeds.

    Use it as `delay_ns` when `second` is brought onto `first`'s clock. Both must know the slot throughout.

    Raises:
        MaskedSlot: they do not.
        BadActions: they overlap for less than twice the longest shift.
    """
    streams = [(stream.t_ns, stream.get(slot)) for stream in (first, second)]
    start, end = max(t[0] for t, _ in streams), min(t[-1] for t, _ in streams)
    step = int(min(np.median(np.diff(t)) for t, _ in streams))
    if end - start < 2 * max_shift_s * NS_PER_S:
        raise BadActions(
            f"the streams overlap for {(end - start) / NS_PER_S:.2f} s", hint="at least twice max_shift_s"
        )
    t = np.arange(start, end, step, dtype=np.int64)
    speeds = [np.gradient(resample_linear(t_from, v, t), axis=0) for t_from, v in streams]
    return round(time_shift(speeds[0], speeds[1], (t - start) / NS_PER_S, max_shift_s) * NS_PER_S)
