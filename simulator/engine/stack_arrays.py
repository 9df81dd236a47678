"""Short columns that live on a kernel's stack: one number for each of the rows that are advanced side by side.

Nothing else can point into them, which the compiler knows: so plain loops over them are put into vector instructions,
table look-ups included, without a change of any bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir

from simulator.engine.jit.compile import inlined, numba
from simulator.engine.tables.tables import MAX_FACETS

SIDE_BY_SIDE = 32
"""Rows that are advanced together."""

_FEW = 6


@inlined
def padded(rows: npt.NDArray[np.int64], m: int) -> int:
    """Return the places that loops over columns of `m` rows go through: where they are more than a few, all places.

    Vector instructions take several places at a time, and what is left over would be done one by one. The places from
    `m` on repeat the first row: whatever is worked out there is correct, and nobody looks at it.
    """
    if m <= _FEW:
        return m
    for k in range(m, SIDE_BY_SIDE):
        rows[k] = rows[0]
    return SIDE_BY_SIDE


def _column(kind: Any, count: int) -> Any:
    """Return an intrinsic that gives an array of `count` numbers of a kind; what is in it at first is undefined."""
    array_type = numba.types.Array(kind, 1, "C")

    @numba.extending.intrinsic
    def column(typing: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            element = context.get_data_type(kind)
            place = numba.core.cgutils.alloca_once(builder, ir.ArrayType(element, count))
            array = context.make_array(array_type)(context, builder)
            width = context.get_abi_sizeof(element)
            numba.np.arrayobj.populate_array(
                array,
                data=builder.bitcast(place, element.as_pointer()),
                shape=[context.get_constant(numba.types.intp, count)],
                strides=[context.get_constant(numba.types.intp, width)],
                itemsize=context.get_constant(numba.types.intp, width),
                meminfo=None,
            )
            return array._getvalue()

        return array_type(), generate

    return column


float_buffer = _column(numba.types.float64, SIDE_BY_SIDE)
"""A column of real numbers."""

key_buffer = _column(numba.types.uint64, SIDE_BY_SIDE)
"""A column of keys, lucks or masks."""

int_buffer = _column(numba.types.int64, SIDE_BY_SIDE)
"""A column of numbers of rows, items, types ..."""

facet_numbers = _column(numba.types.float64, MAX_FACETS)
"""A number for each facet."""

facet_buffer = _column(numba.types.float64, SIDE_BY_SIDE * MAX_FACETS)
"""A column for each facet, one after the other."""
