"""The row of a case: the decision that a visit leaves, and where its consequences stand."""

from __future__ import annotations

import numpy as np

from simulator.engine.tables.codes import MOST_PICKS

CASE = np.dtype(
    [
        # what the decision was
        ("created", "f8"),  # s
        ("user", "u4"),
        ("item", "u4"),
        ("case", "u4"),  # number within the user
        ("parent_case", "u4"),
        ("visit", "u4"),
        ("request", "u4"),
        ("position", "u4"),
        ("policy", "u4"),
        ("attended", "u4"),
        ("propensity", "f4"),
        ("belief", "f4"),
        ("belief_sd", "f4"),
        ("expected", "f4"),
        ("utility", "f4"),
        ("paid", "f4"),
        ("amount", "u4"),  # units of the item
        ("picks", "u4"),  # items of a basket
        ("basket", "u4", (MOST_PICKS,)),  # which, and what was read of each, bits
        ("basket_attended", "u4", (MOST_PICKS,)),
        # where it stands
        ("key", "u8"),  # of its draws
        ("promised", "f8"),  # when the fulfilment was promised to end, s; NaN: nothing was promised
        ("promise", "i4"),  # which promise that was, -1 none
        ("entered", "f8"),  # its stage, s
        ("heard", "f8"),  # last word of it: it entered its stage, or a step ended with an event, s
        ("arrived", "f8"),  # in the line of a resource, s
        ("fulfilled", "f8"),  # when it was in the user's hands, s; NaN: not yet
        ("judged", "f8"),  # by a chooser
        ("lived", "f4"),
        ("satisfaction", "f4"),
        ("stars", "f4"),
        ("generation", "u4"),  # rows of the heap that carry another are stale
        ("held", "u4"),  # resources whose server the case keeps, bits
        ("taken", "u4"),  # resources of which it has units that come back if it fails, bits
        ("server", "i4"),  # number of a server with a place of its own, -1 none
        ("before", "i4"),  # neighbours in a line, -1 none
        ("behind", "i4"),
        ("step", "i4"),
        ("pending", "i4"),  # responses that are still to come
        ("stage", "u1"),
        ("surface", "u1"),
        ("device", "u1"),
        ("open", "u1"),
        ("waiting", "u1"),  # 1 in a line, 2 in a review batch
        ("outcome", "u1"),
        ("used", "u1"),
    ],
    align=True,
)
"""An order, an application: one row while it is open."""
