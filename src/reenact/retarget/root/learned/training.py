"""Trains root weights for one robot, purely in simulation. Imports torch.

Every step draws fresh clips (the published code reuses one batch for 20 steps). All randomness comes from
(seed, step), so a run that was cut short goes on exactly where its last checkpoint was.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from reenact.records.files import atomic_file
from reenact.retarget.root.contract import RobotArms
from reenact.retarget.root.learned.augment import seen_by_cameras
from reenact.retarget.root.learned.config import TrainRootConfig
from reenact.retarget.root.learned.errors import NothingToTrain
from reenact.retarget.root.learned.estimator import RootEstimator, scale_tensors
from reenact.retarget.root.learned.flow import (
    CentreScale,
    FlowPairs,
    centre_in_base,
    flow_pairs,
    nearest_sample_errors,
)
from reenact.retarget.root.learned.motions import MotionSource
from reenact.retarget.root.learned.network import ClipTensors, RootFlowNet
from reenact.retarget.root.learned.weights import arms_words, save_root_weights
from reenact.retarget.root.learned.windows import Windows

VALIDATION_SEED = 990_001
"""Held-out clips: no training step uses this stream."""
WARM_STEPS = 12
"""Steps timed (after two more) to turn minutes into steps."""


@dataclass(frozen=True)
class TrainRequest:
    """What to train and where to put it."""

    robot_name: str
    sheet_hash: str
    arms: RobotArms
    seed: int
    out: Path
    """Weights file; its card and, until done, a checkpoint lie beside it."""
    command: str
    """Written into the card."""
    commit: str
    steps: int | None = None
    minutes: float | None = None
    """Turned into steps by timing a few, when `steps` is None."""


class RootTrainer:
    """The training loop with its state."""

    def __init__(self, request: TrainRequest, config: TrainRootConfig) -> None:
        self.request, self.config = request, config
        self.source = MotionSource(request.arms, config.motion, config.window, request.seed)
        self.scale = self._centre_scale()
        torch.manual_seed(request.seed)
        self.net = RootFlowNet(config.net)
        self.average = {k: v.clone() for k, v in self.net.state_dict().items()}
        self.optimizer = torch.optim.AdamW(
            self.net.parameters(), lr=config.rate, weight_decay=config.decay, betas=(0.9, 0.99)
        )
        self.step, self.steps, self.seconds = 0, 0, 0.0
        self.curve: list[dict[str, float]] = []
        self._held_out = self._clips(VALIDATION_SEED, config.validation)

    # --- data ---

    def _clips(self, stream: int, count: int) -> tuple[Windows, np.ndarray, np.random.Generator]:
        rng = np.random.default_rng([self.request.seed, stream])
        motions = self.source.draw(count, rng)
        windows, T = seen_by_cameras(motions, self.config.augment, self.config.window, rng)
        return windows, T, rng

    def _centre_scale(self) -> CentreScale:
        rng = np.random.default_rng([self.request.seed, VALIDATION_SEED + 1])
        motions = self.source.draw(1024, rng)
        windows, T = seen_by_cameras(motions, self.config.augment, self.config.window, rng)
        y = centre_in_base(T, windows.centre())
        return CentreScale(y.mean(axis=0), y.std(axis=0))

    def _pairs(
        self, windows: Windows, T: np.ndarray, draws: int, rng: np.random.Generator
    ) -> tuple[ClipTensors, FlowPairs]:
        pairs = flow_pairs(windows, T, self.scale, draws, self.config.flow, rng)
        return ClipTensors.of(windows, self.config.net), pairs

    # --- one step ---

    def _loss(self, clip: ClipTensors, pairs: FlowPairs) -> torch.Tensor:
        R, y, t, spin, drift = (
            torch.from_numpy(x).float() for x in (pairs.R, pairs.y, pairs.time, pairs.spin, pairs.drift)
        )
        encoded = self.net.encode(clip) if self.config.net.root_enters == "head" else None
        said = self.net.velocity(clip, encoded, R, y, t, scale_tensors(self.scale, torch.float32))
        return ((said[0].float() - spin) ** 2).mean() + ((said[1].float() - drift) ** 2).mean()

    def _autocast(self) -> torch.autocast:
        return torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.config.precision == "bfloat16")

    def _rate(self) -> float:
        config, share = self.config, self.step / max(self.steps, 1)
        cosine = config.rate_end + 0.5 * (config.rate - config.rate_end) * (1 + np.cos(np.pi * share))
        return float(min(1.0, (self.step + 1) / config.warmup) * cosine)

    def one_step(self) -> float:
        """Fresh clips, one AdamW step; returns the loss."""
        windows, T, rng = self._clips(self.step, self.config.batch)
        clip, pairs = self._pairs(windows, T, self.config.draws, rng)
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate()
        self.net.train()
        self.optimizer.zero_grad(set_to_none=True)
        with self._autocast():
            loss = self._loss(clip, pairs)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), self.config.clip)
        self.optimizer.step()
        keep = min(self.config.average, (1.0 + self.step) / (10.0 + self.step))
        with torch.no_grad():
            for name, value in self.net.state_dict().items():
                self.average[name].lerp_(value, 1.0 - keep)
        self.step += 1
        return float(loss.detach())

    # --- the loop ---

    def run(self, report: Callable[[dict[str, Any]], None]) -> Path:
        """Trains to the end; reports lines, writes checkpoints and at last the weights. Returns the weights file."""
        if self._resume():
            report({"event": "resumed", "step": self.step, "of": self.steps})
        else:
            self.steps = self.request.steps or self._steps_for(self.request.minutes or 20.0)
            if self.steps < 1:
                raise NothingToTrain(
                    f"{self.steps} steps asked for", hint="give --steps or --minutes above 0"
                )
        every = max(1, self.steps // self.config.curve_points)
        losses: list[float] = []
        started = time.perf_counter()
        while self.step < self.steps:
            losses.append(self.one_step())
            if self.step % every == 0 or self.step == self.steps:
                now = time.perf_counter()
                self.seconds, started = self.seconds + now - started, now
                self.curve.append(self._measured(float(np.mean(losses))))
                losses = []
                self._checkpoint()
                report({"event": "progress", "of": self.steps, **self.curve[-1]})
        path = self._save(self.request.out)
        for part in _checkpoint_files(self.request.out):
            part.unlink(missing_ok=True)
        return path

    def _steps_for(self, minutes: float) -> int:
        """Steps that fit, less a twelfth for the curve."""
        state = {k: v.clone() for k, v in self.net.state_dict().items()}
        for k in range(2 + WARM_STEPS):
            if k == 2:
                started = time.perf_counter()
            windows, T, rng = self._clips(VALIDATION_SEED + 2 + k, self.config.batch)
            clip, pairs = self._pairs(windows, T, self.config.draws, rng)
            with self._autocast():
                loss = self._loss(clip, pairs)
            loss.backward()
        each = (time.perf_counter() - started) / WARM_STEPS * 1.05
        self.net.load_state_dict(state)
        self.net.zero_grad(set_to_none=True)
        return int(minutes * 60.0 / each * 11 / 12)

    def _measured(self, loss: float) -> dict[str, float]:
        """Loss since the last point, and on held-out clips: loss and errors of samples of the averaged weights."""
        windows, T, _ = self._held_out
        rng = np.random.default_rng([self.request.seed, VALIDATION_SEED, 1])
        current = {k: v.clone() for k, v in self.net.state_dict().items()}
        self.net.load_state_dict(self.average)
        with torch.no_grad():
            held_out = float(self._loss(*self._pairs(windows, T, 16, rng)))
        estimator = RootEstimator(self.net, self.scale, self.config.flow)
        samples = estimator.sample(windows, 5, rng)
        self.net.load_state_dict(current)
        errors = nearest_sample_errors(samples, T, windows.centre())
        point = {
            "step": self.step,
            "seconds": round(self.seconds, 1),
            "loss": loss,
            "held_out_loss": held_out,
        }
        point |= {f"{k}_median": float(np.median(v)) for k, v in errors.items()}
        return {k: round(v, 5) for k, v in point.items()}

    # --- files ---

    def _identity(self) -> str:
        words = [dataclasses.asdict(self.config), self.request.seed, self.request.robot_name]
        return json.dumps([*words, self.request.sheet_hash], sort_keys=True)

    def _checkpoint(self) -> None:
        tensors, words = _checkpoint_files(self.request.out)[:2]
        state: dict[str, torch.Tensor] = {f"net.{k}": v for k, v in self.net.state_dict().items()}
        state |= {f"average.{k}": v for k, v in self.average.items()}
        for i, moments in self.optimizer.state_dict()["state"].items():
            state |= {f"adam.{i}.{k}": torch.as_tensor(v) for k, v in moments.items()}
        with atomic_file(tensors) as beside:
            save_file({k: v.contiguous().clone() for k, v in state.items()}, beside, {"step": str(self.step)})
        keep = {"identity": self._identity(), "step": self.step, "steps": self.steps, "seconds": self.seconds}
        with atomic_file(words) as beside:
            beside.write_text(json.dumps({**keep, "curve": self.curve}), encoding="utf-8")
        self._save(self.request.out.with_name(f"{self.request.out.stem}.partial.safetensors"))

    def _resume(self) -> bool:
        """Takes up a checkpoint of the same robot, settings and seed; False if there is none."""
        tensors, words = _checkpoint_files(self.request.out)[:2]
        if not (tensors.is_file() and words.is_file()):
            return False
        kept = json.loads(words.read_text(encoding="utf-8"))
        if kept["identity"] != self._identity() or self.request.steps not in (None, kept["steps"]):
            return False
        state = load_file(tensors)
        self.net.load_state_dict(_below(state, "net."))
        self.average = _below(state, "average.")
        whole = self.optimizer.state_dict()
        whole["state"] = {}
        for name, value in _below(state, "adam.").items():
            index, key = name.split(".", 1)
            whole["state"].setdefault(int(index), {})[key] = value
        self.optimizer.load_state_dict(whole)
        self.step, self.steps = int(kept["step"]), int(kept["steps"])
        self.seconds, self.curve = float(kept["seconds"]), kept["curve"]
        return True

    def _save(self, path: Path) -> Path:
        request = self.request
        card = {
            "robot": request.robot_name,
            "sheet_hash": request.sheet_hash,
            "arms": arms_words(request.arms.chains),
            "command": f"{request.command} --steps {self.steps}",
            "commit": request.commit,
            "seed": request.seed,
            "steps": self.step,
            "steps_planned": self.steps,
            "clips_seen": self.step * self.config.batch,
            "seconds": round(self.seconds, 1),
            "torch": torch.__version__,
            "threads": torch.get_num_threads(),
            "parameters": sum(p.numel() for p in self.net.parameters()),
            "centre": {"mean": self.scale.mean.tolist(), "sigma": self.scale.sigma.tolist()},
            "config": dataclasses.asdict(self.config),
            "curve": self.curve,
        }
        return save_root_weights(path, {k: v.numpy() for k, v in self.average.items()}, card)


def _below(state: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}


def _checkpoint_files(out: Path) -> tuple[Path, Path, Path, Path]:
    """Tensors and words to go on from; weights and card so far."""
    partial = f"{out.stem}.partial"
    return (
        out.with_name(f"{out.stem}.checkpoint.safetensors"),
        out.with_name(f"{out.stem}.checkpoint.json"),
        out.with_name(f"{partial}.safetensors"),
        out.with_name(f"{partial}.json"),
    )
