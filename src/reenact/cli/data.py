"""`reenact data ACTION ...`: datasets in, out, together, measured, checked, looked at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reenact.cli.data_options import (
    DataValidateOptions,
    DataViewOptions,
    ExportOptions,
    ImportOptions,
    MergeOptions,
    StatsOptions,
)
from reenact.cli.output import Actions, emit, run_action
from reenact.errors import InputError

DESCRIPTION = """usage: reenact data ACTION [options]

  import    a published set (EgoDex, HOT3D, TACO, ... or LeRobot) as a LeRobot dataset
  export    a dataset as LeRobot v3.0, or v2.1 with modality.json for GR00T, with a mapping for openpi
  merge     several datasets as one
  stats     statistics of each dataset and of all together
  validate  say in plain words what would hurt a trainer; --fix repairs what is certain
  view      one HTML page with frames and curves of every episode

`reenact data ACTION --help` lists its options."""
BROKEN = 6


def run(args: Sequence[str]) -> int:
    """Pick the action, parse, do it, print."""
    return run_action("data", DESCRIPTION, ACTIONS, args)


def _import(options: ImportOptions) -> int:
    from reenact import __version__
    from reenact.datasets.lerobot.convert import append_episodes, write_dataset
    from reenact.datasets.lerobot.episode import EpisodeConfig
    from reenact.datasets.lerobot.from_reader import ImportConfig, episode_from_reader
    from reenact.datasets.lerobot.layout import DatasetConfig
    from reenact.datasets.readers.registry import open_dataset

    size = EpisodeConfig(options.fps or None, options.width, options.height)
    config = ImportConfig(size, options.objects, options.policy, options.ego)
    robots: set[str] = set()

    def episodes() -> Any:
        for path in options.paths:
            for found in open_dataset(path, options.reader or None):
                robots.add(getattr(found, "robot_type", "human"))
                root = options.pictures or (path if path.is_dir() else path.parent)
                yield episode_from_reader(found, root, config)

    stream = _peeked(episodes())
    if options.append:
        return _report(append_episodes(options.out, stream), options.out, options.json)
    info = write_dataset(
        options.out,
        stream,
        version=options.version,
        robot_type=sorted(robots)[0] if robots else None,
        provenance={"made_by": f"reenact {__version__}", "units": "SI", "quaternions": "qw, qx, qy, qz"},
        config=DatasetConfig(codec=options.codec),
    )
    return _report(info, options.out, options.json)


def _peeked(stream: Any) -> Any:
    """The same stream, its first item already asked for."""
    import itertools

    first = list(itertools.islice(stream, 1))
    return itertools.chain(first, stream)


def _export(options: ExportOptions) -> int:
    import dataclasses

    from reenact.datasets.lerobot.convert import coding_config, convert_dataset
    from reenact.datasets.lerobot.folder import LeRobotFolder

    config = None
    if options.codec != "keep":
        config = dataclasses.replace(
            coding_config(LeRobotFolder(options.dataset)), codec=options.codec, crf=None
        )
    info = convert_dataset(
        options.dataset,
        options.out,
        options.to,
        config=config,
        openpi=options.openpi,
        only=options.episodes or None,
    )
    return _report(info, options.out, options.json)


def _merge(options: MergeOptions) -> int:
    from reenact.datasets.lerobot.convert import merge_datasets

    if len(options.datasets) < 2:
        raise InputError("merging needs two datasets or more", hint="reenact data merge A B --out C")
    return _report(merge_datasets(options.datasets, options.out, options.to), options.out, options.json)


def _report(info: dict[str, Any], out: Path, as_json: bool) -> int:
    words = {k: info[k] for k in ("codebase_version", "robot_type", "total_episodes", "total_frames", "fps")}
    line = f"{out}: {words['total_episodes']} episodes, {words['total_frames']} frames, {words['codebase_version']}"
    emit(words | {"out": str(out)}, [line], as_json)
    return 0


def _stats(options: StatsOptions) -> int:
    from reenact.datasets.lerobot.set_statistics import batches_of, merge_statistics, set_statistics

    per_source = {str(p): set_statistics(batches_of(p), options.columns) for p in options.datasets}
    if len(per_source) > 1:
        per_source["all together"] = merge_statistics(per_source.values())
    words: dict[str, Any] = {}
    lines: list[str] = []
    for source, columns in per_source.items():
        lines.append(source)
        words[source] = {}
        for name, running in columns.items():
            result = running.result()
            words[source][name] = {k: v.tolist() for k, v in result.items()} | {
                "quantile_rank_error": running.sketch.rank_error
            }
            lines.append(
                f"  {name}: {running.count} rows, quantiles within {running.sketch.rank_error:.2%} of rank"
            )
            for k in range(len(result["mean"])):
                row = "".join(
                    f"{q} {result[q][k]:>9.4f}  " for q in ("mean", "std", "min", "q01", "q50", "q99", "max")
                )
                lines.append(f"    {k:>3}  {row}")
    emit(words, lines, options.json)
    return 0


def _validate(options: DataValidateOptions) -> int:
    from reenact.datasets.checks.repair import repair_dataset
    from reenact.datasets.checks.validate import validate_dataset

    words: dict[str, Any] = {}
    lines: list[str] = []
    is_broken = False
    for path in options.datasets:
        repaired: list[str] = []
        if options.fix:
            before, found = repair_dataset(path)
            left = {(f.code, f.text) for f in found}
            repaired = [f.text for f in before if (f.code, f.text) not in left]
        else:
            found = validate_dataset(path, videos=options.videos)
        errors = [f for f in found if f.level == "error"]
        is_broken = is_broken or bool(errors)
        words[str(path)] = {"findings": [vars(f) for f in found], "repaired": repaired}
        lines.append(f"{'BROKEN' if errors else 'ok    '} {path}")
        lines += [f"       repaired: {text}" for text in repaired]
        lines += [
            f"       {f.level}: {f.text} [{f.code}]{' (--fix repairs it)' if f.is_fixable else ''}"
            for f in found
        ]
    emit({"sound": not is_broken, "checked": words}, lines, options.json)
    return BROKEN if is_broken else 0


def _view(options: DataViewOptions) -> int:
    from reenact.datasets.lerobot.sheet import write_sheet

    count = write_sheet(options.dataset, options.out, most=options.most)
    emit({"page": str(options.out), "episodes": count}, [f"{options.out}: {count} episodes"], options.json)
    return 0


ACTIONS: Actions = {
    "import": (ImportOptions, _import),
    "export": (ExportOptions, _export),
    "merge": (MergeOptions, _merge),
    "stats": (StatsOptions, _stats),
    "validate": (DataValidateOptions, _validate),
    "view": (DataViewOptions, _view),
}
