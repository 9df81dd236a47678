"""The command line: `python -m analysis COMMAND key=value ...`.

Exit codes as those of `python -m simulator`: 0 done; 1 some worlds failed; 2 wrong input or a disk that refuses; 130
stopped by Ctrl-C. Tables go to stdout, everything else to stderr.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from recommenders.command_line import WHERE, enter, read_arguments
from recommenders.contract.errors import RecommenderError
from recommenders.contract.names import unknown_name
from simulator import __version__
from simulator.errors import BeholderError, InputError

HELP = """\
Beholder's analysis: experiments with worlds as the unit, and what the logs of runs say.

usage:
  python -m analysis experiment scenario=NAME recommender=random,itemknn seed="range(20)" output=FOLDER
  python -m analysis experiment scenario=NAME treatments="as-it-is; hide=image" seed="range(10)"
  python -m analysis abtest scenario=NAME treatment="recommender=itemknn" control="recommender=popularity"
  python -m analysis compare scenarios=all recommenders=random,popularity,itemknn seed="range(3)"
  python -m analysis knockout scenario=NAME modality=image recommender=vbpr seed="range(10)"
  python -m analysis study size=small
  python -m analysis learnability RUN RUN ...
  python -m analysis counterfactual more_couriers,padded_eta seed="range(20)" output=FOLDER
  python -m analysis elasticity scenario=NAME modalities=image,price seed="range(5)"
  python -m analysis fidelity scenario=NAME seed="range(3)"
  python -m analysis calibrate scenario=NAME out=FILE.yaml
  python -m analysis hardness scenario=NAME policies=default,random
  python -m analysis validity scenario=NAME seed="range(50)"
  python -m analysis stability scenario=NAME designs=10

experiment: every recommender with every seed, one process per world, and the differences paired over seeds
  scenario       name of a scenario, or path of a scenario file
  recommender    recommenders by comma; parameters in brackets: "contentknn(modality=cover)"
  seed           seeds by comma or range (default: range(5))
  measures       measures of the tables, by comma (default: all of the scenario)
  baseline       what the others are compared with (default: the first recommender)
  treatments     what is done to the worlds, by semicolon: "as-it-is; hide=image; noise=image:0.5+serves=home"; each is
                 an arm of its own (with each recommender), the first one what the others are compared with:
                 hide=MODALITY@SURFACES, noise=MODALITY:0.5 (misreadings spread half as far again), features=-MODALITY
                 (the recommender does not use it), log_from=RUN, and any setting or path of the scenario
  factor.NAME    treatments of a further factor: its levels are crossed with all others
  design         of the factors: grid, or paired (each level alone, the others at their first) (default: grid)
  order.MEASURE  recommenders from the highest to the lowest: says whether each step of the order holds
  level          of the intervals (default: 0.95)
  workers        worlds at a time (default: as many as the cores hold)
  output         folder (default: runs/experiment-SCENARIO); one that is there is continued: finished worlds are reused
  any other setting of `python -m simulator` holds for all worlds: users=500 horizon=12h features.cover=shuffle
  written: experiment.csv (one row per world and measure), paired.csv, ordered.csv where an order is given, and
  effects.csv where there are treatments: effects of each factor, and differences of differences of each two

abtest: two recommenders dealt to the users of one platform, beside two worlds: both effects, and the gap between them
  scenario       name of a scenario, or path of a scenario file
  treatment      of the treated: recommender=NAME, parameters in brackets
  control        of all others, in the same form
  share          of users who are treated in the one platform (default: 0.5)
  seed           seeds by comma or range (default: range(10)); each world deals its users anew
  measures       EVENT_per_EVENT, EVENT_per_visit, EVENT_per_user, mean_EVENT, visits_per_user, satisfaction, late_share
                 (default: those of the scenario that can be told of a group of users)
  workers        worlds at a time (default: as many as the cores hold)
  output         folder (default: runs/abtest-SCENARIO); one that is there is continued
  users, items, horizon, first_fit and scenario.KEYS hold for all worlds, as those of `python -m simulator`
  written: abtest.csv: effects in one world and between two, and their gap, with 95 % intervals over seeds

compare: scenarios judged both ways, offline on a platform's log and by what users lived through, on one page
  scenarios      names or paths by comma, or all (default: all)
  recommenders   by comma (default: random,popularity,recentpopularity,itemknn,userknn,puresvd)
  seed           seeds by comma or range (default: range(3))
  share          of each scenario's own number of users (default: 0.5)
  logging        the recommender whose logs all are judged on offline (default: the first)
  split          of those logs: random, leave-one-out, temporal (default: random)
  lived          measure of what users lived through (default: satisfaction)
  workers        worlds at a time (default: as many as the cores hold)
  output         folder (default: runs/compare); one that is there is continued
  written: comparison.html, one file that needs nothing else

knockout: {users see a modality | do not} x {the recommender uses it | is handed it shuffled among items of a type} x
    {its log is of users who saw it | who did not}, in the same worlds, with a verdict for each effect
  scenario       name of a scenario, or path of a scenario file
  modality       one that some surface shows
  recommender    of the worlds that are served, by comma; parameters in brackets (default: vbpr); one family of verdicts
                 each; each has to read the modality's features, where it has any
  logging        of the worlds that leave the logs (default: the scenario's recommender)
  seed           seeds by comma or range (default: range(10)); fewer than ten give no verdict
  split          of the logs, for what is recalled offline: random, leave-one-out, temporal (default: random)
  tries          sets of settings that are tried per model on its log, the given ones first (default: 0, none)
  outer          draws of the scenario's estimates, each moved by 20 %, that all worlds are run in (default: 0, none);
                 with them draws are what is counted, at least ten for a verdict
  workers        worlds at a time (default: as many as the cores hold)
  output         folder (default: runs/knockout-SCENARIO-MODALITY); one that is there is continued
  users, items, horizon, label, serves and scenario.KEYS hold for all worlds (default: a small size of its own)
  written: effects.csv (every effect on every measure, and by group) and knockout.json (verdicts, and why)

study: knock-outs of many modalities, and the map of modalities and scenarios: verdict, effect on satisfaction with its
    interval, share of decisions that saw the modality
  size           small (minutes) or full (hours: every modality that any surface shows, in six scenarios)
  file           which knock-outs in worlds of which size (default: that of the size)
  only           scenarios, or scenario:modality, by comma (default: all of the file)
  workers        worlds at a time (default: as many as the cores hold)
  output         folder (default: runs/study-SIZE); one that is there is continued
  written: map.csv, map.md, and effects.csv, knockout.json and verdicts.txt of each knock-out in a folder of its own

counterfactual: the same worlds twice, with one thing changed, paired over seeds (all that are declared, unless named)
  seed           seeds by comma or range (default: range(20))
  file           where they are declared (default: those that come with Beholder)
  workers        worlds at a time (default: as many as the cores hold)
  output         folder (default: runs/counterfactual); one that is there is continued
  written: counterfactual.csv: means, difference with its 95 % interval, and whether what was expected holds

elasticity: each modality hidden everywhere, and read less exactly (errors half as large again), beside the same worlds
  scenario       name of a scenario, or path of a scenario file
  modalities     modalities by comma (default: all that some surface shows)
  seed           seeds by comma or range (default: range(5))
  recommender    of all worlds (default: popularity); parameters in brackets
  workers        worlds at a time (default: as many as the cores hold)
  output         folder (default: runs/elasticity-SCENARIO); one that is there is continued
  users, items, horizon and scenario.KEYS hold for all worlds, as those of `python -m simulator`
  written: elasticity.csv and elasticity.json: opens, decisions, satisfaction, utility of what was decided on, and
  correlation of belief with utility: both means, their ratio and difference, with paired 95 % intervals

fidelity: every target of a scenario beside what its worlds show, with a verdict
  scenario       name of a scenario, or path of a scenario file
  seed           seeds by comma or range, at least two (default: range(3))
  targets        targets by comma (default: all)
  recommender    of all worlds (default: the scenario's); parameters in brackets
  workers        worlds at a time (default: as many as the cores hold)
  output         folder (default: runs/fidelity-SCENARIO); one that is there is continued
  users, items, horizon and scenario.KEYS hold for all worlds, as those of `python -m simulator`
  written: fidelity.csv and fidelity.json: target, mean over seeds with its 95 % interval, distance and verdict

calibrate: numbers of a scenario moved until its fit targets, or readings of a platform's own log, are met
  scenario       name of a scenario, or path of a scenario file
  log            folder of a run, or of a public set (Olist, MIND, KuaiRand, Grubhub): its readings are what is met
  held_out       share of the log's users who are left out, and told of apart (default: none)
  parameters     paths of numbers by comma, in which * stands for anything; calibrated, or estimates for all of these
                 (default: calibrated, those of a target that steers)
  targets        targets that steer, by comma (default: all with role fit)
  seed           seeds by comma or range, of the worlds of every trial (default: range(3))
  trials         scenarios that are run at most (default: 60)
  minutes        after which no other is begun (default: 60)
  recommender    of all worlds (default: the scenario's, or the log's); parameters in brackets
  workers        worlds at a time (default: as many as the cores hold)
  output         folder (default: runs/calibrate-SCENARIO); one that is there is continued
  out            the scenario file to write, new or the scenario's own (default: in output)
  users, items, horizon and scenario.KEYS hold for all worlds, as those of `python -m simulator`
  written: the scenario with its numbers in place, calibration.md and calibration.json: what moved, how well it is
  told, what it cost, and targets before and after; trials.json

hardness: density and learnability of a scenario's platform log beside the matching real set of $BEHOLDER_DATA
  scenario       names or paths by comma, or all
  policies       recommenders by comma, parameters in brackets; default is the scenario's own (default: default,random)
  seed           seeds by comma or range, at least two (default: range(3))
  times          how many times the scenario's own number of users (default: 1)
  data           the real set: a folder or file (default: the one that belongs to the scenario)
  file           which real set belongs to which scenario (default: the list that comes with Beholder)
  workers        worlds at a time (default: as many as the cores hold)
  output         folder (default: runs/hardness-SCENARIO); one that is there is continued
  users, items, horizon and scenario.KEYS hold for all worlds, as those of `python -m simulator`
  written: hardness.csv and hardness.json: each measure of the real set and of the worlds, and whether it is near

validity: small worlds, in which the engine's models are fitted to the truth log, naive readings of the platform log
    are held against the truth, and a policy is valued from logged propensities and by running it
  scenario       name of a scenario, or path of a scenario file
  seed           seeds by comma or range, at least two (default: range(50))
  recommender    of the worlds that are fitted (default: popularity); parameters in brackets
  workers        worlds at a time (default: as many as the cores hold)
  output         folder (default: runs/validity-SCENARIO); one that is there is continued
  users, items, horizon, first_fit and scenario.KEYS hold for all worlds (default: a small size of the scenario's own)
  written: recovery.csv, bias.csv, off_policy.csv and validity.json: coverage, biases with p, off-policy coverage

stability: rankings of recommenders in worlds of other seeds, and with every estimate of the scenario moved by 20 %
  scenario       name of a scenario, or path of a scenario file
  recommenders   at least three by comma, parameters in brackets (default: eight that come with Beholder)
  seed           seeds by comma or range, at least two (default: range(5))
  designs        how often all estimates are moved, each up or down by chance (default: 10)
  lived          measure of what users lived through (default: satisfaction)
  logging        the recommender on whose logs all are judged offline (default: popularity)
  workers        worlds at a time (default: as many as the cores hold)
  output         folder (default: runs/stability-SCENARIO); one that is there is continued
  users, items, horizon, first_fit and scenario.KEYS hold for all worlds (default: a small size of the scenario's own)
  written: taus.csv, pairs.csv and stability.json: mean Kendall's tau by what is lived and offline, and pairs that flip

learnability: density of the platform logs' positives, and Recall@20 of popularity and item-kNN on them
  label          what counts as a positive (default: the scenario's)
  seed           of the held-out split (default: 0)
  output         a CSV file to write, new

flags:
  -h, --help     this text
  --debug        on an error, the whole trace
  --version      the version
"""

FLAGS = {"-h": "help", "--help": "help", "--debug": "debug", "--version": "version"}
COMMANDS = (
    "experiment",
    "abtest",
    "compare",
    "learnability",
    "knockout",
    "study",
    "counterfactual",
    "elasticity",
    "fidelity",
    "calibrate",
    "hardness",
    "validity",
    "stability",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    return enter(argv, _dispatch, (BeholderError, RecommenderError))


def _dispatch(words: Sequence[str]) -> int:
    given = read_arguments(words, FLAGS, COMMANDS, InputError)
    if "help" in given.flags:
        sys.stdout.write(HELP)
        return 0
    if "version" in given.flags:
        sys.stdout.write(f"beholder {__version__}\n")
        return 0
    if given.command is None:
        if not given.operands:
            raise InputError(WHERE, "no command is given", f"expected {' or '.join(COMMANDS)}; --help shows all")
        raise InputError(WHERE, *unknown_name("command", given.operands[0], COMMANDS))
    from analysis import commands  # nothing heavy at its top either, but --help needs none of it

    run: Callable[[Sequence[str]], int] = getattr(commands, given.command)
    try:
        return run(given.operands)
    except commands.Unfinished as error:
        if "debug" in given.flags and error.__cause__ is not None:
            raise error.__cause__ from None
        return error.code


if __name__ == "__main__":
    sys.exit(main())
