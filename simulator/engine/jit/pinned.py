"""Groups of tables that stay where they are: written down once, and handed to kernels by one address.

Taking a named tuple of tables apart costs more than a user's step, and the code that does it takes a second to compile.
`Pinned` writes groups into a buffer, laid out as kernels lay them out on their stack (`simulator.engine.jit.structs`),
and a kernel that gets the buffer's address finds each group by its name. A name that is not there, and tables of other
types than a kernel was compiled for, are found when the kernel is compiled or bound, not when it reads them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from llvmlite import ir

from simulator.engine.jit.compile import numba
from simulator.engine.jit.function_pointers import likeness
from simulator.engine.jit.structs import GroupType, short_name

_cgutils, _models, _types = numba.core.cgutils, numba.extending.models, numba.types
_templates = numba.core.typing.templates
_FIELDS = numba.core.datamodel.default_manager[_types.Array(_types.int64, 1, "C")]._fields
_WORD = np.dtype(np.intp)


class Pinned:
    """Groups of tables in one place. It keeps their arrays alive; a kernel reads it as it would read `groups`.

    A copy of it is pinned anew, with the arrays of the copy.

    Args:
        groups: a named tuple of groups, see `simulator.engine.jit.structs.group`.

    Raises:
        ValueError: an array is not in one piece.
    """

    __slots__ = ("_words", "address", "groups")

    def __init__(self, groups: Any) -> None:
        self.groups = groups
        self._words = np.array([word for group in groups for array in group for word in _words_of(array)], dtype=_WORD)
        self.address = self._words.ctypes.data

    def __reduce__(self) -> tuple[type[Pinned], tuple[Any]]:
        return Pinned, (self.groups,)


def _words_of(array: Any) -> list[int]:
    """Return an array as Numba keeps it, word by word. It names no owner: kernels count no references."""
    if not array.flags.c_contiguous:
        raise ValueError(f"an array of shape {array.shape} is not in one piece")
    parts = {
        "meminfo": (0,), "parent": (0,), "nitems": (array.size,), "itemsize": (array.itemsize,),
        "data": (array.ctypes.data,), "shape": array.shape, "strides": array.strides,
    }  # fmt: skip
    return [word for field in _FIELDS for word in parts[field]]


def bound(kernel: Any, *pinned: Pinned, numbers: int) -> Callable[..., Any]:
    """Return a kernel with its first arguments given; called with the others, it does not look at types any more.

    Args:
        kernel: takes pinned groups, then whole numbers.
        pinned: its first arguments. The result keeps them.
        numbers: how many whole numbers follow.
    """
    key = (kernel, numbers, *(likeness((type(each.groups), *each.groups)) for each in pinned))
    if key not in _KNOWN:
        _KNOWN[key] = kernel.compile((*map(numba.typeof, pinned), *[_types.int64] * numbers))
    return partial(_KNOWN[key], *pinned)


_KNOWN: dict[Any, Callable[..., Any]] = {}


class _PinnedType(_types.Type):
    """The type of pinned groups: the class of the named tuple, and the types of its groups."""

    def __init__(self, of: Any, members: tuple[GroupType, ...]) -> None:
        self.of, self.members = of, members
        super().__init__("Pinned_" + short_name(of, members))


@numba.extending.typeof_impl.register(Pinned)
def _type_of(pinned: Pinned, c: Any) -> _PinnedType:
    return _PinnedType(type(pinned.groups), tuple(map(numba.typeof, pinned.groups)))


@numba.extending.register_model(_PinnedType)
class _PinnedModel(_models.PrimitiveModel):
    """The address of the groups, one behind the other."""

    def __init__(self, manager: Any, of: _PinnedType) -> None:
        self.groups = ir.LiteralStructType([manager.lookup(member).tables for member in of.members])
        super().__init__(manager, of, self.groups.as_pointer())


@_templates.infer_getattr
class _Names(_templates.AttributeTemplate):
    key = _PinnedType

    def generic_resolve(self, pinned: _PinnedType, name: str) -> Any:  # type: ignore[override]
        names = pinned.of._fields
        return pinned.members[names.index(name)] if name in names else None


@numba.core.imputils.lower_getattr_generic(_PinnedType)
def _group(context: Any, builder: Any, pinned: _PinnedType, value: Any, name: str) -> Any:
    return _cgutils.gep_inbounds(builder, value, 0, pinned.of._fields.index(name))


@numba.extending.unbox(_PinnedType)
def _unboxed(pinned: _PinnedType, value: Any, c: Any) -> Any:
    groups = c.context.data_model_manager[pinned].groups
    words = sum(len(_FIELDS) - 2 + 2 * table.ndim for group in pinned.members for table in group.members)
    if c.context.get_abi_sizeof(groups) != words * _WORD.itemsize:
        raise TypeError(f"kernels do not lay {pinned} out as it was written")
    address = c.pyapi.object_getattr_string(value, "address")
    place = c.builder.inttoptr(c.pyapi.long_as_longlong(address), groups.as_pointer())
    c.pyapi.decref(address)
    return numba.extending.NativeValue(place, is_error=c.pyapi.c_api_error())
