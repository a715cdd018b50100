"""HoloAssist (HoloLens 2): `Export_py` with `Hands/{Left,Right}_sync.txt`, `Video/Pose_sync.txt`, `Video/Intrinsics.txt`.

Source: metres, one 30 Hz clock (first column, seconds); world of psi: x forward, y left, z up, fixed by gravity.
`Pose_sync` is camera-to-world of a body whose axes are forward, left, up too: they are turned to OpenCV's. Hands: 26
joints, each a row-major 4 x 4, then 26 valid and 26 tracked flags; line = 2 times, 1 active, 416 numbers, 52 flags.
Older exports have other prefix widths and are refused. Joints valid but not tracked are the device's inference: they
stay valid with half confidence. Intrinsics: 3 x 3 row-major, last two numbers width and height of the full video; the
compressed video is smaller, so scale before use.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from reenact.datasets.readers.episode import HumanEpisode, Images, PartialHands, Provenance
from reenact.datasets.readers.errors import DamagedSource
from reenact.datasets.readers.frames import T_FLU_OPENCV, rate_of, rigid, rigid_or_missing
from reenact.datasets.readers.licences import HOLOASSIST
from reenact.datasets.readers.orders import HOLOLENS_TO_OPENPOSE
from reenact.datasets.readers.tracks import camera_track, hand_tracks, pinhole_params
from reenact.hands.joints import WRIST

_JOINTS = 26
_COLUMNS = 3 + _JOINTS * 16 + 2 * _JOINTS
_UNTRACKED_CONFIDENCE = 0.5


def export_folder(path: Path) -> Path:
    """`Export_py` itself, or below a session folder."""
    return path / "Export_py" if (path / "Export_py").is_dir() else path


def sniff(path: Path) -> bool:
    """A session or its `Export_py`."""
    folder = export_folder(path)
    return (folder / "Hands" / "Left_sync.txt").is_file() and (folder / "Video" / "Pose_sync.txt").is_file()


def read(path: Path) -> Iterator[HumanEpisode]:
    """The one session; raises `DamagedSource`, `LensUnsure`, `UnitUnsure`."""
    folder = export_folder(path)
    poses = _table(folder / "Video" / "Pose_sync.txt", 18)
    t_ns = np.rint((poses[:, 0] - poses[0, 0]) * 1e9).astype(np.int64)
    T_flu, camera_seen = rigid_or_missing(poses[:, 2:].reshape(-1, 4, 4))
    pairs = [_hand(folder / "Hands" / f"{name}_sync.txt", len(poses)) for name in ("Left", "Right")]
    T = np.stack([p[0] for p in pairs], 1)
    seen, tracked = np.stack([p[1] for p in pairs], 1), np.stack([p[2] for p in pairs], 1)
    numbers = np.array((folder / "Video" / "Intrinsics.txt").read_text().split(), np.float64)
    width, height = (int(v) for v in numbers[-2:])
    joint_confidence = np.where(seen, np.where(tracked, 1.0, _UNTRACKED_CONFIDENCE), 0.0)
    valid = np.asarray(seen.all(-1))
    session = folder.parent.name if folder.name == "Export_py" else folder.name
    yield HumanEpisode(
        episode_id=session,
        t_ns=t_ns,
        time_source="recorded",
        fps_hz=rate_of(t_ns),
        world_frame="world",
        provenance=Provenance(
            format="holoassist", source=session, version="Export_py sync text, 2-column prefix", licence=HOLOASSIST,
            joint_order="HoloLens-26 (palm, wrist, thumb 4, fingers 5)", fingertips="HoloLens tip joints",
            translated=("world forward-left-up kept (z up)", "camera body axes turned to OpenCV",
                        "palm and four metacarpal bases left out"),
            unknown=("objects", "task in words (annotation file apart)"),
        ),
        camera=camera_track(T_flu @ T_FLU_OPENCV, model="pinhole", params=pinhole_params(numbers[:9].reshape(3, 3)),
                            width_px=width, height_px=height, world_frame="world", truth=False, valid=camera_seen),
        hands=hand_tracks(T[..., :3, 3], valid, world_frame="world", truth=False,
                          confidence=joint_confidence.mean(-1)),
        partial=PartialHands(
            joints_world=np.where(seen[..., None], T[..., :3, 3], 0.0), joint_valid=seen,
            joint_confidence=joint_confidence, T_world_wrist=T[:, :, WRIST], wrist_valid=seen[:, :, WRIST],
            wrist_frame="HoloLens wrist, forward-left-up"),
        images=tuple(Images(n, width, height) for n in ("Video.mp4", "Video_compress.mp4")
                     if (folder / n).is_file()),
    )  # fmt: skip


def _hand(path: Path, frames: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Joints [t 21 4 4] in our order, valid and tracked [t 21]."""
    rows = _table(path, _COLUMNS)
    if len(rows) != frames:
        raise DamagedSource(f"{path.name} has {len(rows)} lines, the camera {frames}")
    flags = rows[:, -2 * _JOINTS :].reshape(-1, 2, _JOINTS)
    if not np.isin(flags, (0, 1)).all():
        raise DamagedSource(f"{path.name} ends in other than 52 flags", hint="another export version?")
    order = list(HOLOLENS_TO_OPENPOSE)
    M = rows[:, 3 : 3 + 16 * _JOINTS].reshape(-1, _JOINTS, 4, 4)[:, order]
    valid = (flags[:, 0, order] == 1) & (rows[:, 2, None] == 1)
    T = np.tile(np.eye(4), (*valid.shape, 1, 1))
    if valid.any():
        T[valid] = rigid(M[valid], tolerance=1e-2)
    return T, valid, flags[:, 1, order] == 1


def _table(path: Path, width: int) -> np.ndarray:
    rows = [line.split() for line in path.read_text().splitlines() if line.strip()]
    bad = next((i for i, row in enumerate(rows) if len(row) != width), None)
    if not rows or bad is not None:
        raise DamagedSource(
            f"{path.name} line {(bad or 0) + 1} has {len(rows[bad]) if bad is not None else 0} columns",
            hint=f"{width}; other export versions are refused",
        )
    return np.array(rows, np.float64)
