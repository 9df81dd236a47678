"""The command line: `python -m simulator key=value ...`.

Exit codes: 0 done; 1 a run of a sweep failed, or the doctor found something in the way; 2 wrong input or a disk that
refuses; 130 stopped by Ctrl-C. Results go to stdout, everything else to stderr.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from recommenders.command_line import WHERE, Arguments, enter
from recommenders.contract.errors import RecommenderError
from simulator import __version__
from simulator.cli.arguments import read_arguments
from simulator.errors import BeholderError, InputError

EXIT_FAILED = 1


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    return enter(argv, lambda words: _dispatch(read_arguments(words)), (BeholderError, RecommenderError))


def _dispatch(arguments: Arguments) -> int:
    if "help" in arguments.flags:
        from simulator.cli.listing import help_text

        return _say(help_text())
    if "version" in arguments.flags:
        return _say(f"beholder {__version__}")
    if "list" in arguments.flags:
        from simulator.cli.listing import list_text

        return _say(list_text())
    if arguments.command is not None:
        return _command(arguments.command, arguments.operands)
    if not any(key in ("scenario", "resume") for key, _ in arguments.pairs):
        from simulator.cli.listing import list_text

        sys.stderr.write(f"{list_text()}\n\n")
        raise InputError(WHERE, "no scenario is given", "expected scenario=NAME; --help shows all settings")
    from simulator.cli import run as launch

    if "show" in arguments.flags:
        return _say(launch.show(arguments))
    return launch.sweep(arguments) if "multirun" in arguments.flags else launch.single(arguments)


def _command(command: str, operands: Sequence[str]) -> int:
    if command == "check":
        if len(operands) != 1:
            raise InputError(WHERE, f"check was given {len(operands)} files", "expected one: check FILE")
        from simulator.cli.listing import check_text

        return _say(check_text(operands[0]))
    if operands:
        raise InputError(WHERE, f"{command} takes no argument, got {' '.join(operands)}")
    if command == "schema":
        from simulator.cli.listing import schema_text

        return _say(schema_text())
    from simulator.cli import doctor

    findings = doctor.examine()
    _say(doctor.report(findings))
    return 0 if all(finding.works for finding in findings) else EXIT_FAILED


def _say(text: str) -> int:
    sys.stdout.write(text.rstrip("\n") + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
