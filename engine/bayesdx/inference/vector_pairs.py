"""Rows of numbers of 106 bits: sums of two doubles, the second below the digits of the first.

Products and sums are those of double-double arithmetic (Dekker 1971; Hida, Li and Bailey 2001),
with one fused multiply-add for what a product of doubles leaves. A product errs by a few 2^-105 of
itself, a sum by as much of what is added: all the digits that a difference loses are lost here
too, but twice as many are there to begin with.

A pair is a tuple of two `vector_rows.VectorRow`. Its instructions have one flag, of no effect here:
those without any would get the ones that let compiled code change the order of sums.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from bayesdx.inference.vector_rows import VectorRow

# numba tells nothing of its own types, nor of what an intrinsic returns.
_types: Any = types
_cgutils: Any = cgutils
_intrinsic: Any = intrinsic
_AS_WRITTEN = ("nsz",)
_INDEX = ir.IntType(32)

Two = tuple[Any, Any]


def _plus(builder: Any, x: Any, y: Any) -> Any:
    return builder.fadd(x, y, flags=_AS_WRITTEN)


def _minus(builder: Any, x: Any, y: Any) -> Any:
    return builder.fsub(x, y, flags=_AS_WRITTEN)


def _fused(builder: Any, x: Any, y: Any, z: Any) -> Any:
    """Return x y + z, rounded once."""
    width, row = x.type.count, x.type
    kind = ir.FunctionType(row, [row] * 3)
    function = _cgutils.get_or_insert_function(builder.module, kind, f"llvm.fma.v{width}f64")
    return builder.call(function, [x, y, z])


def _normal(builder: Any, high: Any, low: Any) -> Two:
    """Return the same sum, its second part below the digits of the first."""
    total = _plus(builder, high, low)
    return total, _minus(builder, low, _minus(builder, total, high))


def _product(builder: Any, one: Two, other: Two) -> Two:
    (a, a_low), (b, b_low) = one, other
    high = builder.fmul(a, b, flags=_AS_WRITTEN)
    low = _fused(builder, a, b, builder.fneg(high))
    low = _fused(builder, a, b_low, low)
    return _normal(builder, high, _fused(builder, a_low, b, low))


def _sum(builder: Any, one: Two, other: Two) -> Two:
    (a, a_low), (b, b_low) = one, other
    high = _plus(builder, a, b)
    part = _minus(builder, high, a)
    rest = _minus(builder, a, _minus(builder, high, part))
    low = _plus(builder, rest, _minus(builder, b, part))
    return _normal(builder, high, _plus(builder, low, _plus(builder, a_low, b_low)))


def _parts(builder: Any, pair: Any) -> Two:
    return builder.extract_value(pair, 0), builder.extract_value(pair, 1)


def _binary(build: Callable[[Any, Two, Two], Two]) -> Any:
    def typed(_: Any, left: Any, right: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            one, other = (_parts(builder, value) for value in values)
            return context.make_tuple(builder, signature.return_type, build(builder, one, other))

        return left(left, right), code

    return _intrinsic(typed)


def _summed(_: Any, pair: Any) -> Any:
    row: VectorRow = pair[0]
    numbers = _types.UniTuple(_types.float64, 2)

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        high, low = _parts(builder, values[0])
        places = [ir.Constant(_INDEX, i) for i in range(row.width)]
        parts = [
            (builder.extract_element(high, i), builder.extract_element(low, i)) for i in places
        ]
        while len(parts) > 1:
            pairs = zip(parts[::2], parts[1::2], strict=True)
            parts = [_sum(builder, one, other) for one, other in pairs]
        return context.make_tuple(builder, signature.return_type, parts[0])

    return numbers(pair), code


#: Of two pairs of rows; of two pairs of numbers, their sum too.
product, total = _binary(_product), _binary(_sum)
#: Sum of a pair of rows of 2^k numbers, a pair of numbers.
summed: Callable[[Any], tuple[float, float]] = _intrinsic(_summed)
