"""What is compiled apart: a part of a kernel that becomes machine code of its own, and is called at its address.

The two parts of the visits' kernel can so be compiled at the same time, each on a processor of its own, and a kernel
that has one of them in it does not compile the other once more.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.engine.jit.compile import numba

_types = numba.types


def address_of(part: Any, *arguments: Any) -> int:
    """Return where the machine code of a `part` lies that takes such arguments; compile it where it is not cached."""
    key = (part, *map(likeness, arguments))
    if key not in _KNOWN:
        signature = tuple(map(numba.typeof, arguments))
        part.compile(signature)
        compiled = part.get_compile_result(_types.int64(*signature))
        _KNOWN[key] = compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name)
    return _KNOWN[key]


_KNOWN: dict[Any, int] = {}


def likeness(argument: Any) -> Any:
    """Return what Numba's type of an argument follows from; to work out the type takes a hundred times as long."""
    if isinstance(argument, tuple):
        return (type(argument), *map(likeness, argument))
    if isinstance(argument, np.ndarray):
        return (argument.dtype, argument.ndim, argument.flags.num)
    return type(argument)


@numba.extending.intrinsic
def call_pointer(typing: Any, address: Any, at: Any, active: Any, end: Any, n: Any, learnable: Any, tables: Any) -> Any:
    """Return the typing and code of a call of the part at `address`, with the arguments of `visit.batch_steps`."""
    given = (_types.int64, at, _types.int64, _types.float64, _types.int64, _types.uint32, tables)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        convention, given = context.call_conv, signature.args[1:]
        kind = convention.get_function_type(signature.return_type, given)
        place = builder.inttoptr(arguments[0], kind.as_pointer())
        status, result = convention.call_function(builder, place, signature.return_type, given, arguments[1:])
        with builder.if_then(status.is_error, likely=False):
            convention.return_status_propagate(builder, status)
        return result

    return _types.int64(*given), generate
