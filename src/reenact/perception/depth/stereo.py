"""Depth from rectified stereo pairs: OpenCV's semi-global matching, checked from right to left.

z = focal x baseline / disparity, with the focal length of the *rectified* pictures.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from reenact.perception.depth.contract import DepthImage, DepthMismatch


@dataclass(frozen=True)
class StereoCalibration:
    """A rectified pair: same lens, rows aligned, the right camera `baseline` to the right of the left one."""

    focal_px: float
    baseline: float
    """Metres."""
    width_px: int
    height_px: int
    offset_px: float = 0.0
    """Principal point of the left minus that of the right picture: disparity at infinity."""

    @staticmethod
    def from_edex(path: Path) -> StereoCalibration:
        """Of the first two cameras of a `stereo.edex`.

        Raises:
            DepthMismatch: lenses that differ or are not rectified.
        """
        left, right = json.loads(path.read_text(encoding="utf-8"))[0]["cameras"][:2]
        a, b = left["intrinsics"], right["intrinsics"]
        if a["distortion_model"] != "pinhole" or a["focal"] != b["focal"] or a["size"] != b["size"]:
            raise DepthMismatch(
                f"{path.name} is not of a rectified pair", hint="same pinhole for both cameras"
            )
        shift = np.array(right["transform"], float)[:, 3] - np.array(left["transform"], float)[:, 3]
        return StereoCalibration(
            focal_px=float(a["focal"][0]),
            baseline=float(np.linalg.norm(shift)),
            width_px=int(a["size"][0]),
            height_px=int(a["size"][1]),
            offset_px=float(a["principal"][0] - b["principal"][0]),
        )


@dataclass(frozen=True)
class StereoConfig:
    """Settings of the matcher."""

    max_width_px: int = 960
    """Pictures are shrunk to this width before matching."""
    nearest: float = 0.25
    """Nearest thing that can be measured (m); sets the number of disparities."""
    block_px: int = 5
    """Side of the matched patch."""
    disparity_sigma_px: float = 0.4
    """One-sigma of a matched disparity."""
    check_px: float = 1.5
    """Left-to-right and right-to-left disparities must agree this well."""
    speckle_px: int = 120
    """Islands smaller than this are dropped."""


class StereoPairs:
    """Pairs of picture files in the order of the clip's frames."""

    name = "stereo_sgbm"
    licence = "none"
    kind = "depth_metric"
    scale_source = "stereo"

    def __init__(
        self,
        left: Sequence[Path],
        right: Sequence[Path],
        calibration: StereoCalibration,
        config: StereoConfig | None = None,
    ) -> None:
        if len(left) != len(right):
            raise DepthMismatch(f"{len(left)} left and {len(right)} right pictures")
        self._pairs = list(zip(left, right, strict=True))
        self._calibration, self.config = calibration, config or StereoConfig()

    @property
    def diagnostics(self) -> Mapping[str, Any]:
        """Calibration used."""
        return {
            "pairs": len(self._pairs),
            "baseline": self._calibration.baseline,
            "focal_px": self._calibration.focal_px,
        }

    def frame(self, frame: int) -> DepthImage | None:
        """See the contract."""
        left, right = (cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in self._pairs[frame])
        if left is None or right is None or left.shape != right.shape:
            raise DepthMismatch(f"the pair {self._pairs[frame][0].name} cannot be read")
        values = stereo_depth(left, right, self._calibration, self.config)
        known = values > 0
        if not known.any():
            return None
        scale = values.shape[1] / self._calibration.width_px
        reach = self._calibration.focal_px * scale * self._calibration.baseline
        sigma = self.config.disparity_sigma_px * float(np.median(values[known])) / reach
        return DepthImage(values, sigma, float(min(1.0, 0.3 + known.mean())))


def stereo_depth(
    left: UInt8[np.ndarray, "h w"],
    right: UInt8[np.ndarray, "h w"],
    calibration: StereoCalibration,
    config: StereoConfig,
) -> Float32[np.ndarray, "h2 w2"]:
    """Metres in the left camera, 0 where no match is trusted."""
    scale = min(1.0, config.max_width_px / left.shape[1])
    if scale < 1:
        size = (round(left.shape[1] * scale), round(left.shape[0] * scale))
        left, right = (cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in (left, right))
    focal = calibration.focal_px * left.shape[1] / calibration.width_px
    count = int(np.ceil(focal * calibration.baseline / config.nearest / 16) * 16)
    disparity = _match(left, right, count, config)
    back = _match(np.ascontiguousarray(right[:, ::-1]), np.ascontiguousarray(left[:, ::-1]), count, config)[
        :, ::-1
    ]
    columns = np.arange(left.shape[1])
    partner = np.clip(np.rint(columns - disparity), 0, left.shape[1] - 1).astype(int)
    agrees = np.abs(np.take_along_axis(back, partner, 1) - disparity) < config.check_px
    true = disparity - calibration.offset_px * left.shape[1] / calibration.width_px
    ok = (disparity > 0) & agrees & (true > 0.5)
    return np.where(ok, focal * calibration.baseline / np.where(ok, true, 1.0), 0).astype(np.float32)


def _match(left: np.ndarray, right: np.ndarray, count: int, config: StereoConfig) -> np.ndarray:
    """Disparity in pixels; the columns that have no partner are padded before matching."""
    block = config.block_px
    matcher = cv2.StereoSGBM.create(
        minDisparity=0, numDisparities=count, blockSize=block, P1=8 * block * block, P2=32 * block * block,
        disp12MaxDiff=1, preFilterCap=31, uniquenessRatio=8, speckleWindowSize=config.speckle_px, speckleRange=2,
        mode=cv2.STEREO_SGBM_MODE_SGBM_3WAY,
    )  # fmt: skip
    wide = [cv2.copyMakeBorder(p, 0, 0, count, 0, cv2.BORDER_REPLICATE) for p in (left, right)]
    return np.asarray(matcher.compute(*wide)[:, count:].astype(np.float32) / 16.0)
