"""Rows of W doubles in vector registers: all of a kernel's arithmetic that LLVM is told by hand.

A `VectorRow` is a value like any other of numba's; kernels keep it in variables and loop in Python.
Its width goes by its type, so that one kernel serves every width: the argument ``like`` is a row
that tells it. Left alone, LLVM finds no vectors here, as it cannot know that rows do not overlap
(measured: a fifth of the speed). A product and a sum may become one instruction.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, models, register_model

# numba tells nothing of its own types, nor of what an intrinsic returns.
_types: Any = types
_models: Any = models
_intrinsic: Any = intrinsic
_register: Any = register_model
_FLAGS = ("reassoc", "contract", "nsz")
_DOUBLE, _INDEX, _LONG = ir.DoubleType(), ir.IntType(32), _types.int64


class VectorRow(_types.Type):  # type: ignore[misc] # of an untyped class
    """The type of a row of ``width`` doubles."""

    def __init__(self, width: int) -> None:
        self.width, self.vector = width, ir.VectorType(_DOUBLE, width)
        super().__init__(name=f"VectorRow({width})")

    def all(self, number: float) -> Any:
        """The constant row of equal numbers."""
        return ir.Constant(self.vector, [ir.Constant(_DOUBLE, number)] * self.width)


@_register(VectorRow)
class VectorRowModel(_models.PrimitiveModel):  # type: ignore[misc] # of an untyped class
    """Rows are vectors wherever they are."""

    def __init__(self, manager: Any, row: VectorRow) -> None:
        super().__init__(manager, row, row.vector)


def _operation(signature: Any, build: Callable[..., Any]) -> tuple[Any, Any]:
    def code(context: Any, builder: Any, _: Any, values: Any) -> Any:
        result = build(builder, *values)
        return context.get_dummy_value() if result is None else result

    return signature, code


def _place(builder: Any, row: VectorRow, pointer: Any, at: Any) -> Any:
    first = builder.gep(pointer, [builder.mul(at, ir.Constant(ir.IntType(64), row.width))])
    return builder.bitcast(first, row.vector.as_pointer())


def _load(_: Any, pointer: Any, at: Any, like: VectorRow) -> Any:  # noqa: ARG001
    def build(builder: Any, pointer: Any, at: Any, _: Any) -> Any:
        return builder.load(_place(builder, like, pointer, at), align=8)

    return _operation(like(pointer, _LONG, like), build)


def _store(_: Any, pointer: Any, at: Any, row: VectorRow) -> Any:  # noqa: ARG001
    def build(builder: Any, pointer: Any, at: Any, value: Any) -> None:
        builder.store(value, _place(builder, row, pointer, at), align=8)

    return _operation(_types.void(pointer, _LONG, row), build)


def _agree(_: Any, states: Any, state: Any, like: VectorRow) -> Any:  # noqa: ARG001
    """1 where an integer is negative or the one given, else 0."""

    def build(builder: Any, states: Any, state: Any, _: Any) -> Any:
        kind = ir.VectorType(ir.IntType(64), like.width)
        found = builder.load(builder.bitcast(states, kind.as_pointer()), align=8)
        one = builder.insert_element(ir.Constant(kind, None), state, ir.Constant(_INDEX, 0))
        mask = ir.Constant(ir.VectorType(_INDEX, like.width), [0] * like.width)
        wanted = builder.shuffle_vector(one, ir.Constant(kind, None), mask)
        open_ = builder.icmp_signed("<", found, ir.Constant(kind, None))
        same = builder.icmp_signed("==", found, wanted)
        return builder.select(builder.or_(open_, same), like.all(1.0), like.all(0.0))

    return _operation(like(states, _LONG, like), build)


def _spread(_: Any, number: Any, like: VectorRow) -> Any:  # noqa: ARG001
    def build(builder: Any, number: Any, _: Any) -> Any:
        one = builder.insert_element(like.all(0.0), number, ir.Constant(_INDEX, 0))
        mask = ir.Constant(ir.VectorType(_INDEX, like.width), [0] * like.width)
        return builder.shuffle_vector(one, like.all(0.0), mask)

    return _operation(like(_types.float64, like), build)


def _summed(_: Any, row: VectorRow) -> Any:
    def build(builder: Any, value: Any) -> Any:
        parts = [builder.extract_element(value, ir.Constant(_INDEX, i)) for i in range(row.width)]
        while len(parts) > 1:
            pairs = zip(parts[::2], parts[1::2], strict=True)
            parts = [builder.fadd(one, other, flags=_FLAGS) for one, other in pairs]
        return parts[0]

    return _operation(_types.float64(row), build)


def _binary(name: str) -> Any:
    def typed(_: Any, left: VectorRow, right: VectorRow) -> Any:
        return _operation(left(left, right), lambda b, x, y: getattr(b, name)(x, y, flags=_FLAGS))

    return _intrinsic(typed)


def _zeros(width: int) -> Any:
    row = VectorRow(width)
    return _intrinsic(lambda _: _operation(row(), lambda _builder: row.all(0.0)))


#: VectorRow ``at`` of a matrix at a pointer; writing it; a row of one number.
load, store, spread = _intrinsic(_load), _intrinsic(_store), _intrinsic(_spread)
#: Sum of a row of 2^k numbers.
summed: Callable[[Any], float] = _intrinsic(_summed)
#: Whether observed states leave a state open.
agree = _intrinsic(_agree)
times, plus, over = _binary("fmul"), _binary("fadd"), _binary("fdiv")
#: Rows of 1, 8 and 16 zeros.
zeros_of_1, zeros_of_8, zeros_of_16 = (_zeros(width) for width in (1, 8, 16))
