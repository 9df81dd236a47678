"""Commands of the command line: each reads the settings, runs, prints the tables, and writes them as CSV."""

from analysis.commands.experiments import compare as compare, experiment as experiment
from analysis.commands.held_against import (
    counterfactual as counterfactual,
    elasticity as elasticity,
    fidelity as fidelity,
    learnability as learnability,
)
