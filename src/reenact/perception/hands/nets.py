"""The two nets as plain functions on uint8 images, run by LiteRT or, where that is absent, by OpenCV.

The only file that imports ``ai_edge_litert``.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Float, UInt8

from reenact.errors import SetupError

RunnerName: TypeAlias = Literal["auto", "litert", "opencv"]
Runner: TypeAlias = Callable[[UInt8[np.ndarray, "h w 3"]], list[np.ndarray]]
PalmNet: TypeAlias = Callable[[UInt8[np.ndarray, "192 192 3"]], tuple[np.ndarray, np.ndarray]]

LANDMARK_INPUT_PX = 224
_PALM_OUTPUTS = ("Identity", "Identity_1")
_LANDMARK_OUTPUTS = ("Identity", "Identity_1", "Identity_2", "Identity_3")


class RunnerMissing(SetupError):
    """The asked-for net runner is not installed."""


class RawHand(NamedTuple):
    """The landmark net's four outputs for one crop."""

    points: Float[np.ndarray, "21 3"]
    """x, y in crop pixels; z in the same unit, relative."""
    presence: float
    raw_handedness: float
    """> 0.5 = "Left" in the sense of a mirrored (selfie) picture, so a right hand in an ordinary one."""
    world: Float[np.ndarray, "21 3"]
    """Metres, axes of the crop."""


LandmarkNet: TypeAlias = Callable[[UInt8[np.ndarray, "224 224 3"]], RawHand]


def choose_runner(name: RunnerName) -> Literal["litert", "opencv"]:
    """Resolve ``auto``: LiteRT if installed, else OpenCV's classic dnn engine (six to nine times slower in OpenCV 5).

    Raises:
        RunnerMissing: LiteRT was asked for by name and is not installed.
    """
    has_litert = importlib.util.find_spec("ai_edge_litert") is not None
    if name == "litert" and not has_litert:
        raise RunnerMissing(
            "the hand nets were asked to run on LiteRT, but ai-edge-litert is not installed",
            hint="pip install 'reenact[hands]', or set runner='opencv' (slower, nothing to install)",
        )
    if name == "auto":
        return "litert" if has_litert else "opencv"
    return name


def load_palm_net(path: Path, runner: RunnerName, threads: int) -> PalmNet:
    """Palm net: image 192x192 -> raw boxes (2016, 18) and score logits (2016,)."""
    run = _load(path, _PALM_OUTPUTS, runner, threads)

    def palm_net(image: UInt8[np.ndarray, "192 192 3"]) -> tuple[np.ndarray, np.ndarray]:
        boxes, logits = run(image)
        return boxes.reshape(-1, 18), logits.reshape(-1)

    return palm_net


def load_landmark_net(path: Path, runner: RunnerName, threads: int) -> LandmarkNet:
    """Landmark net: crop 224x224 -> :class:`RawHand`."""
    run = _load(path, _LANDMARK_OUTPUTS, runner, threads)

    def landmark_net(crop: UInt8[np.ndarray, "224 224 3"]) -> RawHand:
        points, presence, handedness, world = run(crop)
        return RawHand(
            points.reshape(21, 3).astype(np.float64),
            float(presence.reshape(-1)[0]),
            float(handedness.reshape(-1)[0]),
            world.reshape(21, 3).astype(np.float64),
        )

    return landmark_net


def _load(path: Path, outputs: tuple[str, ...], runner: RunnerName, threads: int) -> Runner:
    if choose_runner(runner) == "litert":
        return _litert_runner(path, outputs, threads)
    return _opencv_runner(path, outputs)


def _litert_runner(path: Path, outputs: tuple[str, ...], threads: int) -> Runner:
    from ai_edge_litert.interpreter import Interpreter

    interpreter: Any = Interpreter(str(path), num_threads=threads)
    interpreter.allocate_tensors()
    input_view = interpreter.tensor(interpreter.get_input_details()[0]["index"])
    by_name = {detail["name"]: detail["index"] for detail in interpreter.get_output_details()}
    output_idx = [by_name[name] for name in outputs]

    def run(image: UInt8[np.ndarray, "h w 3"]) -> list[np.ndarray]:
        np.multiply(image, np.float32(1 / 255), out=input_view()[0], casting="unsafe")
        interpreter.invoke()
        return [interpreter.get_tensor(idx) for idx in output_idx]

    return run


def _opencv_runner(path: Path, outputs: tuple[str, ...]) -> Runner:
    import cv2

    dnn: Any = cv2.dnn
    # OpenCV 5's default engine gives only one of the outputs without a word; the classic one gives all.
    engine = getattr(dnn, "ENGINE_CLASSIC", None)
    net = dnn.readNetFromTFLite(str(path)) if engine is None else dnn.readNetFromTFLite(str(path), engine)

    def run(image: UInt8[np.ndarray, "h w 3"]) -> list[np.ndarray]:
        net.setInput(dnn.blobFromImage(image, 1 / 255, swapRB=False))
        return list(net.forward(list(outputs)))

    return run
