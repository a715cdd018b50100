"""Runs a peer's solver in the peers' interpreter (see `worker.py`), or says why it cannot."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

WORKER = Path(__file__).with_name("worker.py")
NEEDS = {
    "dex": "dex_retargeting",
    "mink": "mink, daqp, qpsolvers",
    "pk_batched": "pytorch_kinematics",
    "pk_sequential": "pytorch_kinematics",
}
"""Modules each solver imports."""


class NoPeer(Exception):
    """A peer that cannot run here."""


def run_peer(
    python: Path | None, solver: str, job: dict[str, Any], data: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """One job; raises `NoPeer` with the reason."""
    if python is None:
        raise NoPeer(f"{solver}: no --peers PYTHON given (it needs {NEEDS[solver]})")
    with tempfile.TemporaryDirectory() as folder:
        job_path, out = Path(folder) / "job.npz", Path(folder) / "out.npz"
        np.savez(job_path, job=np.array(json.dumps(job | {"solver_name": solver})), **data)
        one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        done = subprocess.run(
            [str(python), str(WORKER), str(job_path), str(out)],
            capture_output=True,
            text=True,
            env=os.environ | one,
        )
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise NoPeer(f"{solver}: {reason}")
        with np.load(out, allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
