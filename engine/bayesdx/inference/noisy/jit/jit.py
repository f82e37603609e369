"""The one place that touches numba: a typed decorator and two instructions it lacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba
from numba import types
from numba.extending import intrinsic

Function = TypeVar("Function", bound=Callable[..., Any])

#: 64 bits as NumPy's uint64.
Word = Any

# numba's own types know neither all of its options nor what an intrinsic returns.
_njit: Any = numba.njit
_intrinsic: Any = intrinsic

#: Sums may be reassociated, which lets them be vectorised; NaN and infinity keep their meaning.
_OPTIONS = {"nogil": True, "error_model": "numpy", "fastmath": {"reassoc", "contract", "nsz"}}
_INNER = {"_nrt": False, "forceinline": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def compiled(function: Function) -> Function:
    """Compile a function that other compiled functions call."""
    # Such functions allocate nothing; without reference counts views cost as little as pointers.
    result: Function = _njit(**_INNER, **_OPTIONS)(function)
    return result


def compiled_and_kept(function: Function) -> Function:
    """Compile a function that Python calls; keep the machine code on disk where that is possible.

    numba keeps it in ``__pycache__`` beside the source or, in a read-only installation, in the
    user's cache folder. Where neither can be written it compiles anew in each process.
    """
    try:
        result: Function = _njit(cache=True, **_OPTIONS)(function)
    except RuntimeError:
        result = _njit(**_OPTIONS)(function)
    return result


def _lowest(typing_context: Any, word: Any) -> Any:  # noqa: ARG001
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        return builder.cttz(arguments[0], context.get_constant(types.boolean, True))

    return types.int64(types.uint64), code


def _ones(typing_context: Any, word: Any) -> Any:  # noqa: ARG001
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), code


#: Position of the lowest set bit of a word that is not 0.
lowest: Callable[[Word], int] = _intrinsic(_lowest)
#: How many bits of a word are set.
ones: Callable[[Word], int] = _intrinsic(_ones)
