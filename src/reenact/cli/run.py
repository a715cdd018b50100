"""`reenact run VIDEO... --robot R`: the whole spine over one or many videos.

Options are parsed before anything heavy is loaded, so that `--help` and a mistyped flag answer at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from reenact.cli.output import emit, parse
from reenact.errors import InputError, NoResultError

if TYPE_CHECKING:
    from reenact.stages.placing import PlacingConfig
    from reenact.stages.plan import RunConfig
    from reenact.stages.run import ClipSource, RunOutcome

DESCRIPTION = """Turn videos into metric hands, robot motion, a LeRobot dataset and a report.

Running it again goes on where it stopped: finished stages are found, not repeated."""


class NoSegmentKept(NoResultError):
    """Pass 1 rejected everything."""


@dataclass(frozen=True)
class RunOptions:
    """Options of `reenact run`."""

    videos: tyro.conf.Positional[tuple[Path, ...]]
    """Video files, folders of videos, or folders of pictures."""
    robot: Annotated[tuple[str, ...], tyro.conf.arg(aliases=["-r"])] = ("unitree_g1_dex3",)
    """Robots by name (`reenact robots`) or sheet file."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("runs/run")
    """Run folder; may hold earlier runs."""
    hand_length: float | None = None
    """The person's hand, wrist to middle fingertip in metres; an adult's is assumed otherwise."""
    fov_deg: float | None = None
    """Horizontal field of view of the camera in degrees, when known."""
    intrinsics: tuple[float, float, float, float] | None = None
    """fx fy cx cy of the video's full size in pixels, when known; wins over everything."""
    fisheye: tuple[float, float, float, float] | None = None
    """k1 k2 k3 k4 of a fisheye (as in cv2.fisheye); with --intrinsics or --fov-deg."""
    pitch_deg: float | None = None
    """Angle of the camera above the horizon in degrees (looking down: negative), when known."""
    mirrored: bool = False
    """The video is a selfie view: left and right are exchanged."""
    objects: Literal["auto", "none"] | None = None
    """auto: find what the hands move, outline it and follow points on it; a box or click below implies it."""
    object_box: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = ()
    """FRAME,X0,Y0,X1,Y1[,LABEL]: a box around an object in that frame, pixels of the video; may be repeated."""
    object_click: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = ()
    """FRAME,X,Y[,LABEL]: a point on an object in that frame; may be repeated."""
    object_label: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = ()
    """Name for an object that is found automatically ("red cup"); may be repeated."""
    object_mesh: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = ()
    """LABEL=FILE[@mm]: mesh of the objects with that name ("*": of any), OBJ, STL, PLY or GLB; may be repeated."""
    object_size: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = ()
    """LABEL=X,Y,Z[,cylinder]: size in metres (z up) of the objects with that name; may be repeated."""
    depth: Path | None = None
    """Folder of depth pictures, one per frame (16-bit PNG in millimetres), of a stereo pair, or of a net's depth in chunks
    (.npz or .h5, any scale; see docs/metric_scale.md); with several videos, a folder with one such folder per clip."""
    start: float | None = None
    """Second of the video at which the clip starts."""
    end: float | None = None
    """Second at which it ends."""
    filter: bool = False
    """Pass 1 first: make a clip of each stretch that it keeps, and leave the rest out (see `reenact filter`)."""
    task: str = "Reproduce the hand motion of the clip."
    """What the person does, in words; the task text of the dataset."""
    jobs: int = 1
    """Clips worked on at the same time."""
    video: bool = True
    """Render the robot videos."""
    ego: bool = False
    """Make a virtual camera at the person's eyes, and the video seen from there."""
    dataset: bool = True
    """Write the LeRobot dataset."""
    force: tuple[str, ...] = ()
    """Stages to repeat although they are finished (clip, camera, landmarks, hands, trajectory_<robot>, ...)."""
    set: tuple[str, ...] = ()
    """Any setting of any stage: --set hands.hand_length=0.18 clip.max_fps_hz=60 (see --settings)."""
    settings: bool = False
    """Print every setting with its value and stop."""
    json: bool = False
    """Print one JSON object instead of words."""


def run(args: Sequence[str]) -> int:
    """Parse, run, print."""
    options = parse(RunOptions, "run", args, DESCRIPTION)
    from reenact.cli.settings import setting_lines
    from reenact.pipeline.progress import progress_for
    from reenact.stages.run import RunRequest, run_clips, summary_words
    from reenact.stages.trajectory import RobotChoice

    config = resolve(options)
    if options.settings:
        print(*setting_lines(config), sep="\n")
        return 0
    sources = _with_depth(_sources(options), options.depth)
    request = RunRequest(
        sources=sources,
        robots=[RobotChoice.of(name) for name in options.robot],
        out=options.out,
        config=config,
        with_video=options.video,
        with_dataset=options.dataset,
        with_ego=options.ego,
        jobs=options.jobs,
        force=frozenset(options.force),
    )
    outcome = run_clips(request, progress_for())
    emit(summary_words(outcome), outcome_lines(outcome), options.json)
    return outcome.summary.exit_code


def resolve(options: RunOptions) -> RunConfig:
    """The full config: defaults, then `--set`, then the short options, which win."""
    from reenact.cli.settings import apply_settings
    from reenact.stages.plan import RunConfig

    config = apply_settings(RunConfig(), options.set)
    classical, mediapipe = config.camera.classical, config.landmarks.mediapipe
    user = classical.user
    if options.intrinsics is not None and options.fov_deg is not None:
        raise InputError("both --intrinsics and --fov-deg are given", hint="give one of them")
    if options.intrinsics is not None:
        fx, fy, cx, cy = options.intrinsics
        user = replace(user, fx=fx, fy=fy, cx=cx, cy=cy, kb4=options.fisheye)
    elif options.fov_deg is not None:
        user = replace(user, horizontal_fov_deg=options.fov_deg, kb4=options.fisheye)
    elif options.fisheye is not None:
        raise InputError("--fisheye without --intrinsics or --fov-deg", hint="the focal length is needed too")
    if options.pitch_deg is not None:
        user = replace(user, pitch_deg=options.pitch_deg)
    hands = config.hands
    if options.hand_length is not None:
        hands = replace(hands, hand_length=options.hand_length)
    selfie = options.mirrored or mediapipe.mirrored
    config = _with_objects(config, options)
    return replace(
        config,
        camera=replace(config.camera, classical=replace(classical, user=user)),
        landmarks=replace(config.landmarks, mediapipe=replace(mediapipe, mirrored=selfie)),
        hands=hands,
        episode=replace(config.episode, task=options.task),
    )


def _with_objects(config: RunConfig, options: RunOptions) -> RunConfig:
    """The user's objects put where the stage `found` looks."""
    hinted = bool(options.object_box or options.object_click or options.object_label)
    shaped = bool(options.object_mesh or options.object_size)
    if options.objects is None and not hinted and not shaped and options.depth is None:
        return config
    from reenact.perception.discover.hints import ObjectBox, ObjectClick

    if options.objects == "none" and hinted:
        raise InputError("--objects none with a box, click or label", hint="leave out one of them")
    finder = config.seeing.found.automatic
    finder = replace(
        finder,
        boxes=finder.boxes + tuple(ObjectBox.parse(text) for text in options.object_box),
        clicks=finder.clicks + tuple(ObjectClick.parse(text) for text in options.object_click),
        labels=finder.labels + options.object_label,
    )
    found = replace(config.seeing.found, automatic=finder)
    return replace(
        config,
        objects=options.objects or "auto",
        seeing=replace(config.seeing, found=found),
        placing=_with_shapes(config.placing, options),
    )


def _with_shapes(placing: PlacingConfig, options: RunOptions) -> PlacingConfig:
    """The user's meshes and sizes put where the stage `objects` looks."""
    from reenact.stages.objects import NamedMesh, NamedSize

    objects = replace(
        placing.objects,
        meshes=placing.objects.meshes + tuple(NamedMesh.parse(text) for text in options.object_mesh),
        sizes=placing.objects.sizes + tuple(NamedSize.parse(text) for text in options.object_size),
    )
    return replace(placing, objects=objects)


def _with_depth(sources: list[ClipSource], folder: Path | None) -> list[ClipSource]:
    """Each clip with its folder of depth pictures."""
    if folder is None:
        return sources
    if len(sources) == 1:
        return [replace(sources[0], depth=folder)]
    return [replace(source, depth=folder / source.segment.clip_id) for source in sources]


def _sources(options: RunOptions) -> list[ClipSource]:
    """What is to be made: whole videos, a stretch of each, or what pass 1 keeps."""
    from reenact.cli.sources import find_videos
    from reenact.pipeline.progress import progress_for
    from reenact.stages.filter_run import filter_videos
    from reenact.stages.filtering import FilterStageConfig
    from reenact.stages.run import whole

    videos = find_videos(options.videos)
    if not options.filter:
        return whole(videos, _ns(options.start), _ns(options.end))
    outcome = filter_videos(videos, options.out, FilterStageConfig(), options.jobs, progress_for())
    if not outcome.sources:
        why = "; ".join(f"{name}: {text}" for name, text in outcome.failed.items())
        raise NoSegmentKept(
            f"pass 1 kept nothing of {len(videos)} video(s) {why}".strip(), hint="`reenact filter` says why"
        )
    return list(outcome.sources)


def _ns(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1e9)


def outcome_lines(outcome: RunOutcome) -> list[str]:
    """The outcome for people: what to open, what failed, where the time went."""
    lines = outcome.summary.lines()
    lines += [f"report   {path}" for path in outcome.reports.values()]
    lines += [f"dataset  {path}" for path in outcome.datasets.values()]
    return lines
