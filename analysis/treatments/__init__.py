"""What is done to worlds: one grammar of treatments, factors with levels, and designs with their contrasts."""

from analysis.treatments.clauses import AS_IT_IS as AS_IT_IS, Clause as Clause, read_clauses as read_clauses
from analysis.treatments.designs import (
    Contrast as Contrast,
    Design as Design,
    DesignWorld as DesignWorld,
    Factor as Factor,
)
from analysis.treatments.grammar import (
    BLINDINGS as BLINDINGS,
    Level as Level,
    compile_treatment as compile_treatment,
    joined as joined,
)
from analysis.treatments.modalities import (
    HIDDEN as HIDDEN,
    NOISE as NOISE,
    NOISIER as NOISIER,
    Treatment as Treatment,
    check_shown as check_shown,
    hidden as hidden,
    left as left,
    noisier as noisier,
    shown as shown,
    surfaces_with as surfaces_with,
    treatments as treatments,
)
