"""One peer, run by the peers' own interpreter: a job (JSON + arrays in one .npz) in, joint positions and CPU seconds out.

Knows nothing of this project; started by `peers.py`. Solvers: dex (dex-retargeting), mink (plain loop), pk_batched and
pk_sequential (damped least squares on pytorch-kinematics with EgoInfinity's settings).
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np


def dex(job: dict[str, Any], data: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Frame by frame, as its own example does."""
    import torch
    from dex_retargeting.retargeting_config import RetargetingConfig

    torch.set_num_threads(1)
    seq = RetargetingConfig.from_dict(job["config"]).build()
    origin, task = (np.array(seq.optimizer.target_link_human_indices)[k] for k in (0, 1))
    joints = data["joints"].astype(np.float32)
    started = time.process_time()
    q = np.stack([seq.retarget(frame[task] - frame[origin]) for frame in joints])
    seconds = time.process_time() - started
    return {"q": q, "seconds": np.array(seconds), "names": np.array(seq.optimizer.robot.dof_joint_names)}


def mink(job: dict[str, Any], data: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A frame task per wrist, a weak posture task, joint limits; steps until near enough or `iterations`."""
    import mink as m
    import mujoco

    model = mujoco.MjModel.from_binary_path(job["model"])
    configuration = m.Configuration(model)
    configuration.update(data["home"])
    tasks = [
        m.FrameTask(name, "body", position_cost=1.0, orientation_cost=1.0, lm_damping=1e-4)
        for name in job["frames"]
    ]
    posture = m.PostureTask(model, cost=1e-3)
    posture.set_target(data["home"])
    limits = [m.ConfigurationLimit(model)]
    targets = data["targets"]
    goals = [[m.SE3.from_matrix(T) for T in row] for row in targets]
    q, used = np.empty((len(targets), model.nq)), 0
    started = time.process_time()
    for t, row in enumerate(goals):
        for task, goal in zip(tasks, row, strict=True):
            task.set_target(goal)
        for _ in range(job["iterations"] if t else 200):
            errors = [task.compute_error(configuration) for task in tasks]
            if (
                max(np.abs(e[:3]).max() for e in errors) < 1e-3
                and max(np.abs(e[3:]).max() for e in errors) < 1e-2
            ):
                break
            velocity = m.solve_ik(
                configuration, [*tasks, posture], 1.0, job["solver"], damping=1e-6, limits=limits
            )
            configuration.integrate_inplace(velocity, 1.0)
            used += 1
        q[t] = configuration.q
    return {"q": q, "seconds": np.array(time.process_time() - started), "steps": np.array(used)}


def _chains(job: dict[str, Any]) -> Any:
    import pytorch_kinematics as pk
    import torch

    torch.set_num_threads(1)
    return [pk.build_serial_chain_from_urdf(open(path, "rb").read(), "hand", "root") for path in job["urdfs"]]


def _pose_error(target: Any, now: Any) -> Any:
    """Position and rotation vector from the short way round."""
    import pytorch_kinematics as pk
    import torch

    quat = pk.matrix_to_quaternion(target[:, :3, :3] @ now[:, :3, :3].transpose(1, 2))
    quat = torch.where(quat[:, :1] < 0, -quat, quat)
    length = quat[:, 1:].norm(dim=1, keepdim=True).clamp_min(1e-9)
    turn = 2 * torch.atan2(length, quat[:, :1]) * quat[:, 1:] / length
    return torch.cat([target[:, :3, 3] - now[:, :3, 3], turn], dim=1)


def _damped(chain: Any, q: Any, target: Any, job: dict[str, Any]) -> Any:
    """Damped least squares of a batch until all are near enough or `iterations`; joints clamped at every step."""
    import torch

    low, high = (torch.as_tensor(v, dtype=q.dtype) for v in chain.get_joint_limits())
    eye = job["damping"] * torch.eye(6, dtype=q.dtype)
    todo = torch.ones(len(q), dtype=torch.bool)
    for _ in range(job["iterations"]):
        error = _pose_error(target[todo], chain.forward_kinematics(q[todo]).get_matrix())
        near = (error[:, :3].norm(dim=1) < job["position"]) & (error[:, 3:].norm(dim=1) < job["rotation"])
        index = todo.nonzero()[:, 0]
        todo[index[near]] = False
        if not todo.any():
            break
        part = q[todo]
        J = chain.jacobian(part)
        step = J.transpose(1, 2) @ torch.linalg.solve(J @ J.transpose(1, 2) + eye, error[~near][..., None])
        q[todo] = torch.clamp(part + step[..., 0], low, high)
    return q


def pk_batched(job: dict[str, Any], data: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """All frames at once, each from the home pose (EgoInfinity: no warm start)."""
    import torch

    chains = _chains(job)
    started, out = time.process_time(), []
    for k, chain in enumerate(chains):
        target = torch.as_tensor(data["targets"][:, k], dtype=torch.float32)
        q = torch.as_tensor(data[f"home_{k}"], dtype=torch.float32).repeat(len(target), 1)
        out.append(_damped(chain, q, target, job).numpy())
    return {
        "q": np.concatenate(out, axis=1).astype(float),
        "seconds": np.array(time.process_time() - started),
    }


def pk_sequential(job: dict[str, Any], data: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Frame by frame, each from the home pose, as the published code runs it."""
    import torch

    chains = _chains(job)
    started, out = time.process_time(), []
    for k, chain in enumerate(chains):
        rows = []
        for T in data["targets"][:, k]:
            q = torch.as_tensor(data[f"home_{k}"], dtype=torch.float32)[None].clone()
            rows.append(_damped(chain, q, torch.as_tensor(T, dtype=torch.float32)[None], job).numpy()[0])
        out.append(np.stack(rows))
    return {
        "q": np.concatenate(out, axis=1).astype(float),
        "seconds": np.array(time.process_time() - started),
    }


def main() -> None:
    with np.load(sys.argv[1], allow_pickle=False) as file:
        data = {key: file[key] for key in file.files}
    job = json.loads(str(data.pop("job")))
    solvers = {"dex": dex, "mink": mink, "pk_batched": pk_batched, "pk_sequential": pk_sequential}
    best: dict[str, np.ndarray] = {}
    for _ in range(job.get("repeats", 1)):
        result = solvers[job["solver_name"]](json.loads(json.dumps(job)), data)
        if not best or result["seconds"] < best["seconds"]:
            best = result
    np.savez(sys.argv[2], **best)


if __name__ == "__main__":
    main()
