"""Stage `toy`: a rendered clip with known truth, for the demo and for measuring. In: nothing but its config.

Out: what `reenact.toy.clip.make_clip` writes: `video.mp4` and `truth/`.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from reenact.pipeline.graph import Pipeline
from reenact.pipeline.item import Item
from reenact.pipeline.progress import Progress
from reenact.pipeline.run_item import run_item
from reenact.pipeline.stage import Stage, StageCall
from reenact.pipeline.store import ArtefactStore
from reenact.toy.clip import make_clip
from reenact.toy.config import ToyConfig

TRUTH = "truth"


def run(call: StageCall[ToyConfig]) -> None:
    """See the module's docstring."""
    made = call.out / "clip"
    make_clip(call.config, made)
    for path in made.iterdir():
        shutil.move(path, call.out / path.name)
    made.rmdir()


def toy_folder(config: ToyConfig, store: ArtefactStore, progress: Progress | None = None) -> Path:
    """The finished toy clip in the store, made now if it is not there. Named errors pass."""
    pipeline = Pipeline([Stage("toy", "1", config, (), run)], ())
    result = run_item(pipeline, Item("toy clip", {}), store, progress=progress)
    if result.failure is not None:
        raise RuntimeError(
            f"the toy clip could not be made: {result.failure.message}\n{result.failure.traceback}"
        )
    return store.folder("toy", result.keys["toy"])
