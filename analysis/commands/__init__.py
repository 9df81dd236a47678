"""Commands of the command line: each reads the settings, runs, prints the tables, and writes them as CSV."""

from analysis.commands.abtests import AbtestSettings as AbtestSettings, abtest as abtest
from analysis.commands.calibration import CalibrateSettings as CalibrateSettings, calibrate as calibrate
from analysis.commands.experiments import (
    CompareSettings as CompareSettings,
    ExperimentSettings as ExperimentSettings,
    compare as compare,
    experiment as experiment,
)
from analysis.commands.held_against import (
    CounterfactualSettings as CounterfactualSettings,
    ElasticitySettings as ElasticitySettings,
    FidelitySettings as FidelitySettings,
    LearnabilitySettings as LearnabilitySettings,
    counterfactual as counterfactual,
    elasticity as elasticity,
    fidelity as fidelity,
    learnability as learnability,
)
from analysis.commands.holding import (
    HardnessSettings as HardnessSettings,
    StabilitySettings as StabilitySettings,
    ValiditySettings as ValiditySettings,
    hardness as hardness,
    stability as stability,
    validity as validity,
)
from analysis.commands.knocking_out import (
    KnockoutSettings as KnockoutSettings,
    StudySettings as StudySettings,
    knockout as knockout,
    study as study,
)
from analysis.commands.words import Unfinished as Unfinished
