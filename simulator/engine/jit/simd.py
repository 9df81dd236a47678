"""The dot product of the hot loops, in eight explicit lanes.

A loop over floats may not be vectorised by the compiler, because adding in another order changes the last bits. Here
the order is part of the definition (eight lanes, added in one fixed tree), so it can be written in vector instructions
and gives the same bits on every machine.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir

from simulator.engine.jit.compile import inlined, numba

LANES = 8
"""Widths of facets are multiples of this."""

_VECTOR = ir.VectorType(ir.FloatType(), LANES)


def _address(context: Any, builder: Any, array_type: Any, array: Any, row: Any, column: Any) -> Any:
    """Return the pointer to array[row, column] of a C-contiguous float32 matrix."""
    structure = context.make_array(array_type)(context, builder, array)
    _, width = numba.core.cgutils.unpack_tuple(builder, structure.shape, 2)
    place = builder.add(builder.mul(row, width), column)
    return builder.gep(structure.data, [place])


def _places(lanes: range) -> Any:
    """Mask of a shuffle that takes these lanes."""
    return ir.Constant(ir.VectorType(ir.IntType(32), len(lanes)), list(lanes))


@numba.extending.intrinsic
def _lanes(typing: Any, a: Any, i: Any, p: Any, b: Any, j: Any, q: Any, width: Any) -> Any:
    """Return the typing and code of `dot`; all integers are int64."""
    integer = numba.types.int64
    signature = numba.types.float64(a, integer, integer, b, integer, integer, integer)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        a_value, i_value, p_value, b_value, j_value, q_value, width_value = arguments
        left = _address(context, builder, signature.args[0], a_value, i_value, p_value)
        right = _address(context, builder, signature.args[3], b_value, j_value, q_value)

        def product(step: Any) -> Any:
            """Return the products of the lanes of one step of eight."""
            offset = builder.mul(step, ir.Constant(step.type, LANES))
            vectors = []
            for pointer in (left, right):
                place = builder.bitcast(builder.gep(pointer, [offset]), _VECTOR.as_pointer())
                loaded = builder.load(place)
                loaded.align = 4
                vectors.append(loaded)
            return builder.fmul(*vectors)

        # The first two steps are written out: facets are rarely wider, and a loop would be unrolled into code that
        # takes longer to enter than to run.
        one = ir.Constant(width_value.type, 1)
        sums = numba.core.cgutils.alloca_once_value(builder, product(ir.Constant(width_value.type, 0)))
        steps = builder.udiv(width_value, ir.Constant(width_value.type, LANES))
        with builder.if_then(builder.icmp_unsigned(">", steps, one)):
            builder.store(builder.fadd(builder.load(sums), product(one)), sums)
            two = ir.Constant(width_value.type, 2)
            with (
                builder.if_then(builder.icmp_unsigned(">", steps, two), likely=False),
                numba.core.cgutils.for_range(builder, builder.sub(steps, two)) as loop,
            ):
                builder.store(builder.fadd(builder.load(sums), product(builder.add(loop.index, two))), sums)
        total = builder.load(sums)
        half = LANES
        while half > 1:
            half //= 2
            nothing = ir.Constant(total.type, ir.Undefined)
            parts = [builder.shuffle_vector(total, nothing, _places(range(first, first + half))) for first in (0, half)]
            total = builder.fadd(*parts)
        return builder.fpext(builder.extract_element(total, ir.Constant(ir.IntType(32), 0)), ir.DoubleType())

    return signature, generate


@inlined
def dot(a: npt.NDArray[np.float32], i: int, p: int, b: npt.NDArray[np.float32], j: int, q: int, width: int) -> float:
    """Return the dot product of a[i, p:p+width] and b[j, q:q+width]; `width` is a multiple of 8.

    Lane k adds the products of elements k, k + 8, ... in float32; the lanes are added as ((0+4)+(2+6)) + ((1+5)+(3+7)).
    """
    return _lanes(a, np.int64(i), np.int64(p), b, np.int64(j), np.int64(q), np.int64(width))


@numba.extending.intrinsic
def _prefetch(typing: Any, matrix: Any, row: Any) -> Any:
    """Return the typing and code of `fetch_ahead`."""
    signature = numba.types.void(matrix, numba.types.int64)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        structure = context.make_array(signature.args[0])(context, builder, arguments[0])
        stride = numba.core.cgutils.unpack_tuple(builder, structure.strides, signature.args[0].ndim)[0]
        byte = ir.IntType(8)
        start = builder.gep(builder.bitcast(structure.data, byte.as_pointer()), [builder.mul(arguments[1], stride)])
        word = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte.as_pointer(), word, word, word])
        hint = numba.core.cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        lines = builder.udiv(builder.add(stride, ir.Constant(stride.type, 63)), ir.Constant(stride.type, 64))
        with numba.core.cgutils.for_range(builder, lines) as loop:
            line = builder.gep(start, [builder.mul(loop.index, ir.Constant(loop.index.type, 64))])
            builder.call(hint, [line, ir.Constant(word, 0), ir.Constant(word, 3), ir.Constant(word, 1)])
        return context.get_dummy_value()

    return signature, generate


@inlined
def fetch_ahead(matrix: npt.NDArray[np.generic], row: int) -> None:
    """Ask the memory for a row that will be needed soon; changes nothing but time."""
    _prefetch(matrix, np.int64(row))


@inlined
def fetch_word(words: npt.NDArray[np.generic], place: int) -> None:
    """Ask the memory for the line of words[place], of a flat array; changes nothing but time."""
    _prefetch(words, np.int64(place))


@numba.extending.intrinsic
def _leading_zeros(typing: Any, word: Any) -> Any:
    """Return the typing and code of `leading_zeros`."""
    signature = numba.types.int64(numba.types.uint64)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctlz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return signature, generate


@inlined
def leading_zeros(word: np.uint64) -> np.int64:
    """Return how many zero bits are above the highest one of a 64-bit word (64 for 0)."""
    return _leading_zeros(np.uint64(word))
