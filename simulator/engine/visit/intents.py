"""What a visit is for, and what its user therefore demands of an item at each stage."""

from __future__ import annotations

from simulator.engine.jit.compile import inlined, internal
from simulator.engine.primitives import decision_key
from simulator.engine.randomness import uniform
from simulator.engine.tables.tables import Array, Draw, Plan


@internal
def begin_intent(v: Array, u: Array, plan: Plan) -> None:
    """Draw the intent of a visit; first visits have shares of their own, and so may groups of users."""
    shares = plan.intents[u.segment, 0 if v.visit == 0 else 1]
    draw = uniform(decision_key(v.decisions, 0, 0, Draw.INTENT))
    v.intent = 0
    while v.intent < shares.shape[0] - 1 and draw >= shares[v.intent]:
        v.intent += 1


@inlined
def demanded(v: Array, stage: int, plan: Plan) -> float:
    """Return the utility that the visit `v` demands of an item at a stage; of one more, where its basket holds some.

    It is what searching on is worth, or a fixed number, and what the visit's intent adds to that.
    """
    more = 1 if v.taken > 0 else 0
    return plan.demands[stage, v.device, more] + plan.reluctance[v.intent, stage]
