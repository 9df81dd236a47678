"""Groups of tables, which kernels get by one address.

Numba hands over a named tuple array by array and each array number by number: the groups of the engine come to six
hundred numbers, which every function between the first and the last would pass on, and which cost more time to compile
than the functions themselves. A group lies in one place on the stack of whoever called the first kernel; what is passed
on is where.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, TypeVar

from llvmlite import ir

from simulator.engine.jit.compile import numba

_C = TypeVar("_C", bound=type)
_cgutils, _models = numba.core.cgutils, numba.extending.models
_templates = numba.core.typing.templates


def short_name(of: Any, members: tuple[Any, ...]) -> str:
    """Return the name of a type of these members: it is part of the name of every function that gets one."""
    return f"{of.__name__}_{hashlib.sha256(repr(members).encode()).hexdigest()[:16]}"


class GroupType(numba.types.Type):
    """The type of a group: its class, and the types of its tables."""

    def __init__(self, of: Any, members: tuple[Any, ...]) -> None:
        self.of, self.members = of, members
        super().__init__(short_name(of, members))

    def place_of(self, field: str) -> int:
        """Return the number of a field; -1 where there is none of that name."""
        fields: tuple[str, ...] = self.of._fields
        return fields.index(field) if field in fields else -1


@numba.extending.register_model(GroupType)
class _GroupModel(_models.PrimitiveModel):
    """An address, of a place on the stack of the function that made the group or got it from another."""

    def __init__(self, manager: Any, of: GroupType) -> None:
        self.tables = ir.LiteralStructType([manager.lookup(member).get_value_type() for member in of.members])
        super().__init__(manager, of, self.tables.as_pointer())

    def get_return_type(self) -> Any:
        if any(isinstance(member, GroupType) for member in self.fe_type.members):
            raise TypeError(f"{self.fe_type} has groups in it, so it cannot be returned")
        return self.tables

    def as_return(self, builder: Any, value: Any) -> Any:
        return builder.load(value)  # the place ends with the function, so what lies there is handed back

    def from_return(self, builder: Any, value: Any) -> Any:
        place = _cgutils.alloca_once(builder, self.tables)
        builder.store(value, place)
        return place


@_templates.infer_getattr
class _Fields(_templates.AttributeTemplate):
    key = GroupType

    def generic_resolve(self, group: GroupType, field: str) -> Any:  # type: ignore[override]
        place = group.place_of(field)
        return group.members[place] if place >= 0 else None


@numba.core.imputils.lower_getattr_generic(GroupType)
def _field(context: Any, builder: Any, group: GroupType, value: Any, field: str) -> Any:
    return builder.load(_cgutils.gep_inbounds(builder, value, 0, group.place_of(field)))


def _room(context: Any, builder: Any, group: GroupType) -> Any:
    return _cgutils.alloca_once(builder, context.data_model_manager[group].tables)


@numba.extending.unbox(GroupType)
def _unboxed(group: GroupType, value: Any, c: Any) -> Any:
    if c.context.enable_nrt:
        raise TypeError(f"{group} is handed to a function that counts references; only `kernel`s take groups")
    place = _room(c.context, c.builder, group)
    wrong = _cgutils.alloca_once_value(c.builder, _cgutils.false_bit)
    for k, member in enumerate(group.members):
        native = c.unbox(member, c.pyapi.tuple_getitem(value, k))
        c.builder.store(native.value, _cgutils.gep_inbounds(c.builder, place, 0, k))
        with c.builder.if_then(native.is_error, likely=False):
            c.builder.store(_cgutils.true_bit, wrong)
    return numba.extending.NativeValue(place, is_error=c.builder.load(wrong))


class _Known(type):
    """The type of the classes of groups, by which Numba tells them from other named tuples."""


@numba.extending.typeof_impl.register(_Known)
def _maker(of: Any, c: Any) -> Any:
    return of.maker


def group(of: _C) -> _C:
    """Make kernels take named tuples of this class by address, those that they make themselves too.

    Fields are arrays and other groups. A group within a group is an address as well, so one that has any cannot be what
    a function returns: the places that they lie in would be gone.
    """
    kept = ("__module__", "__doc__", "__annotations__")
    names = {name: getattr(of, name) for name in kept}
    known: Any = _Known(of.__name__, (of,), {**names, "__qualname__": of.__qualname__, "__slots__": ()})

    @numba.extending.typeof_impl.register(known)
    def typed(value: Any, c: Any) -> GroupType:
        return GroupType(known, tuple(numba.typeof(member) for member in value))

    class Made(_templates.AbstractTemplate):
        key = known

        def generic(self, arguments: Any, named: Any) -> Any:
            if named or len(arguments) != len(known._fields):
                return None
            return _templates.signature(GroupType(known, tuple(arguments)), *arguments)

    known.maker = numba.types.Function(Made)
    lower: Callable[[Any], Any] = numba.extending.lower_builtin(known, numba.types.VarArg(numba.types.Any))

    @lower
    def made(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _room(context, builder, signature.return_type)
        for k, table in enumerate(arguments):
            builder.store(table, _cgutils.gep_inbounds(builder, place, 0, k))
        return place

    result: _C = known
    return result
