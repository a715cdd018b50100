"""Entry point of `reenact`: picks the command, loads its module, turns errors into messages and exit codes."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Sequence

from reenact import __version__
from reenact.errors import ReenactError

COMMANDS = {
    "demo": "make a toy clip with known truth, find its hands, move a robot, write the report",
    "run": "turn videos into metric hands, robot motion, a dataset and a report",
    "retarget": "make robots follow the hands of a scene, a toy clip or a published set; export the motion",
    "reframe": "see a scene from the person's eyes: virtual camera, video, everything in its frame",
    "filter": "pass 1: which parts of a corpus are worth reconstructing, and why",
    "robots": "list the known robots, show one, check a sheet of your own",
    "train": "train the small networks of a robot in simulation: finger inverse kinematics, root frames",
    "validate": "check a run folder, a scene or a dataset and say what is wrong",
    "data": "datasets: import, export, merge, stats, validate, view",
    "view": "open the report of a run, or make the page of any scene folder",
    "doctor": "what this machine has, what is missing, how to get it",
}

EXIT_CODES = """exit codes:
  0  done; every clip gave a result
  1  an unexpected error: please report it
  2  the command line was not understood
  3  bad input: no such file, not a video, unknown robot, damaged record
  4  the machine lacks something: an extra, GL, disk space, a model file
  5  the input holds nothing to work on: no hands found, no segment kept
  6  a record that may not exist
  7  some clips failed and some did not: see quarantine.jsonl in the run folder
  130 interrupted; the next run goes on where this one stopped"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    args = list(sys.argv[1:] if argv is None else argv)
    if not args or args[0] in ("-h", "--help", "help"):
        print(_help())
        return 0 if args else 2
    if args[0] in ("-V", "--version"):
        print(f"reenact {__version__}")
        return 0
    if args[0] not in COMMANDS:
        return _unknown(args[0])
    return _call(args[0], args[1:])


def _call(command: str, args: list[str]) -> int:
    as_json = "--json" in args
    try:
        module = importlib.import_module(f"reenact.cli.{command}")
        return int(module.run(args))
    except ReenactError as error:
        _complain(error, as_json)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted; run the same command again to go on", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 0


def _complain(error: ReenactError, as_json: bool) -> None:
    if as_json:
        name = type(error).__name__
        print(
            json.dumps(
                {"error": name, "message": error.message, "hint": error.hint, "exit_code": error.exit_code}
            )
        )
        return
    print(f"reenact: {error.message}", file=sys.stderr)
    if error.hint:
        print(f"  -> {error.hint}", file=sys.stderr)


def _help() -> str:
    width = max(map(len, COMMANDS))
    rows = "\n".join(f"  {name:<{width}}  {text}" for name, text in COMMANDS.items())
    return (
        f"usage: reenact COMMAND [options]\n\nOrdinary videos of hands, turned into robot action data.\n\n{rows}\n\n"
        f"`reenact COMMAND --help` lists its options. Start with: reenact demo\n\n{EXIT_CODES}"
    )


def _unknown(name: str) -> int:
    import difflib

    close = difflib.get_close_matches(name, COMMANDS, n=1)
    guess = f"; did you mean {close[0]!r}?" if close else ""
    print(f"reenact: no command {name!r}{guess}\n  -> one of {', '.join(COMMANDS)}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
