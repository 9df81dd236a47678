"""The command line: ``python -m recommenders list``, or ``evaluate``, ``export``, ``inspect`` with ``key=value`` words.

Exit codes: 0 done, 2 wrong input, 130 stopped by Ctrl-C. Results go to stdout, everything else to stderr.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

# One thread unless the environment says otherwise, and before numpy looks: times then compare, results do not depend on
# how many cores there are, and libraries' waiting threads do not slow down whoever shares the machine.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

from recommenders.command_line import WHERE, enter, read_arguments  # noqa: E402
from recommenders.contract.errors import RecommenderError  # noqa: E402

FLAGS = {"-h": "help", "--help": "help", "--list": "list", "--debug": "debug"}
COMMANDS = ("help", "list", "evaluate", "export", "inspect")

HELP = """\
python -m recommenders list                     what recommenders there are; list NAME one, list multimodal those
python -m recommenders evaluate data=FOLDER recommender=NAME [key=value ...]
python -m recommenders export data=FOLDER output=FILE.inter [key=value ...]     the positives, as RecBole reads them
python -m recommenders inspect data=FOLDER [key=value ...]     what would be read, and what is left out and why

  data           folder or file: interactions or ratings (.parquet, .csv, .tsv, .jsonl), *.inter, a usual public set, or
                 a run with its platform log; docs/data.md says how they are read
  recommender    a registered name, or an import path like my_package.module:MyRecommender; several by comma
  recommender.X  a setting of it
  split          random (8:1:1), leave-one-out, temporal, given                      (default: random)
  negatives      rank among so many sampled negatives, e.g. 99: the weaker protocol  (default: the whole catalog)
  cutoffs        lengths of lists to measure at, by comma                            (default: 10,20)
  search         sets of settings to try on validation                               (default: 0)
  select         measure that the search goes by                                     (default: recall@20)
  at_least       lowest rating that counts as a positive                             (default: all count)
  events         events that count, by comma; in a layout with flags, columns     (default: as the layout says, or all)
  layout         how the tables lie: a set by name (docs/data.md), or a .yaml       (default: as above)
  columns.ROLE   which column is the user, item, rating, time, split, event; none if no column is
  columns.time.unit   s, ms, us, ns, min, h, d, day-first, month-first               (default: found out, and said)
  sep            of text files: tab, comma, semicolon, bar, ::, blanks, a character  (default: found out)
  header, quote  whether the first line names the columns, fields stand in quotes    (default: found out)
  names          the columns of a file that does not name them, by comma
  missing        drop leaves rows out that lack a user, an item or a time            (default: refuse)
  test_labels, validation_labels   of split=given, where the labels are others than train, validation, test
  seed           of splits, searches and training                                    (default: 0)
  output         folder for results.json and users.parquet, new

--debug shows where an error came from.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    return enter(argv, _dispatch, (RecommenderError,))


def _dispatch(words: Sequence[str]) -> int:
    given = read_arguments(words, FLAGS, COMMANDS, RecommenderError)
    if not words or given.command == "help" or "help" in given.flags:
        sys.stdout.write(HELP)
        return 0
    if given.command == "list" or "list" in given.flags:
        from recommenders.cli.listing import list_text

        sys.stdout.write(list_text(given.operands[0] if given.operands else None))
        return 0
    if given.command is None:
        right = "expected list, evaluate, export or inspect; see --help"
        raise RecommenderError(WHERE, f"{' '.join(given.operands)!r} is no command", right)
    from recommenders.cli.commands import evaluate, export, inspect

    return {"evaluate": evaluate, "export": export, "inspect": inspect}[given.command](given.operands)


if __name__ == "__main__":
    sys.exit(main())
