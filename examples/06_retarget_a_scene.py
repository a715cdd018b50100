"""A scene that exists already (a run's, a toy clip's, a published set's) to robots: objects and contacts weigh in.

    python examples/06_retarget_a_scene.py [SCENE] [ROBOT] [OUT]

SCENE as for `reenact retarget`: a scene folder, a toy clip, a clip of a run, or `taco:PATH`. Without one, the truth of
a toy pick-and-place is used, not even filmed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from reenact.quality.retarget import measure_retarget
from reenact.retarget.retarget import RetargetConfig, retarget
from reenact.robots.limit_facts import limit_facts
from reenact.robots.registry import load_robot
from reenact.robots.ros2 import write_ros2_yaml
from reenact.robots.trajectory import write_npz
from reenact.stages.scene_source import find_scenes
from reenact.toy.config import ToyConfig
from reenact.toy.unfilmed import unfilmed_scene


def main(source: str, robot_name: str, out: Path, config: RetargetConfig | None = None) -> None:
    out.mkdir(parents=True, exist_ok=True)
    if not source:
        source = str(out / "scene")
        unfilmed_scene(ToyConfig(activity="pick_place", seed=6, fps_hz=10.0)).save(Path(source))
    robot = load_robot(robot_name)
    for scene in find_scenes(source):
        result = retarget(
            scene.hands, scene.t_ns, robot, config, objects=scene.objects, contacts=scene.contacts
        )
        quality = measure_retarget(result.trajectory, robot)
        print(f"{scene.name} with {robot.name}: {quality.stated_rate:.1%} within {quality.stated_tolerance}")
        facts = limit_facts(result.trajectory, robot)
        for sentence in (*result.report.notes, *facts.sentences()):
            print(f"- {sentence}")
        write_npz(result.trajectory, out / f"{scene.name}.npz")
        write_ros2_yaml(result.trajectory, out / f"{scene.name}.yaml", facts)


if __name__ == "__main__":
    source, robot, out = [*sys.argv[1:], *("", "dual_fr3_leap", "runs/scene")[len(sys.argv) - 1 :]][:3]
    main(source, robot, Path(out))
