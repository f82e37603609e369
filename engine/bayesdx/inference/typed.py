"""The one place that touches numba: a decorator, pointers, and two instructions it lacks.

Compiled code reads and writes through *plain pointers*. An array costs a compiled function eight or
more machine words and its bounds; a pointer costs one, which is what makes the kernels compile in
seconds. The price is that nothing is checked: memory is laid out in `bound`, in one place.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, TypeVar

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.extending import intrinsic

from bayesdx.inference.arrays import IntArray

Function = TypeVar("Function", bound=Callable[..., Any])
Fields = TypeVar("Fields", bound=NamedTuple)

#: Pointers to float64, int64, int32, uint64 and int8; 64 bits as NumPy's uint64.
Floats: TypeAlias = Any
Integers: TypeAlias = Any
Indices: TypeAlias = Any
Words: TypeAlias = Any
#: Where an array of numbers begins, as a number.
Address: TypeAlias = Any
Bytes: TypeAlias = Any
Word: TypeAlias = Any

_types: Any = types
_KINDS: dict[str, Any] = {
    "Floats": _types.CPointer(types.float64),
    "Integers": _types.CPointer(types.int64),
    "Indices": _types.CPointer(types.int32),
    "Words": _types.CPointer(types.uint64),
    "Bytes": _types.CPointer(types.int8),
    "Address": types.int64,
    "int": types.int64,
}
# numba's own types know neither all of its options nor what an intrinsic returns.
_njit: Any = numba.njit
_intrinsic: Any = intrinsic


class _Linked(JITCodeLibrary):
    """Code of a function that is only ever linked into that of another one.

    numba optimises every function, with all that it calls, down to machine code, once in each
    function around it. Here that is done once, in the entry.
    """

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        library: Any = super()
        library._finalize_dynamic_globals()
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:  # noqa: ARG002
        library: Any = super()
        library._ensure_finalized()
        return 0

    @property
    def codegen(self) -> _Linked:
        """Of no use to it."""
        return self

    def set_env(self, name: str, environment: object) -> None:
        """Do nothing: no machine code, and no exception that needs an environment."""


class _LinkedCompiler(Compiler):
    def compile_extra(self, function: Any) -> Any:
        library: Any = _Linked
        self.state.library = library(self.state.targetctx.codegen(), function.__qualname__)
        compile_extra: Any = super().compile_extra
        return compile_extra(function)


#: Sums may be reassociated, which lets them be vectorised; NaN and infinity keep their meaning.
_OPTIONS = {"nogil": True, "error_model": "numpy", "fastmath": {"reassoc", "contract", "nsz"}}
_INNER: dict[str, Any] = {
    "_nrt": False,
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}


# Without these, a numba to come compiles every function for itself again, with the same answers.
if all(
    hasattr(JITCodeLibrary, name)
    for name in ("_optimize_final_module", "_finalize_final_module", "_finalize_dynamic_globals")
):
    _INNER["pipeline_class"] = _LinkedCompiler


def compiled(function: Function) -> Function:
    """Compile a function that other compiled functions call, as one of its own."""
    # Without this it would inherit the choice of the function that is compiled around it.
    result: Function = _for_any_number(_njit(forceinline=False, **_INNER, **_OPTIONS)(function))
    return result


def inlined(function: Function) -> Function:
    """Compile a small function into those that call it."""
    result: Function = _for_any_number(_njit(forceinline=True, **_INNER, **_OPTIONS)(function))
    return result


def _for_any_number(dispatcher: Any) -> Any:
    """Compile once for all integers; numba would compile anew for each constant that is passed."""
    of_types = dispatcher.get_call_template
    dispatcher.get_call_template = lambda types_, names: of_types(
        [_types.unliteral(one) for one in types_], names
    )
    return dispatcher


def kept(function: Function) -> Function:
    """Prepare a function of Python to be compiled, and kept on disk where that is possible.

    numba keeps it in ``__pycache__`` beside the source or, in a read-only installation, in the
    user's cache folder. Where neither can be written it compiles anew in each process. For changes
    it looks into the file of the function and at what the function encloses: let that be the
    `sources_digest` of all other files.
    """
    try:
        result: Function = _njit(cache=True, _nrt=False, **_OPTIONS)(function)
    except RuntimeError:
        result = _njit(_nrt=False, **_OPTIONS)(function)
    return result


def sources_digest(folder: Path, *further: str) -> str:
    """Digest of compiled sources: of a folder, of others beside it by path, and of this file."""
    sources = [Path(__file__), *sorted(folder.glob("*.py")), *(folder / path for path in further)]
    return sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()


def compile_ahead(entry: Any) -> None:
    """Compile a kept function, which takes where `addresses` lie and a range of rows.

    By the types of its arguments, as a call does: numba would keep what it compiled for a whole
    signature under another key, where no call finds it.
    """
    entry.compile((types.int64, types.int64, types.int64))


def addresses(*parts: NamedTuple) -> IntArray:
    """Where the arrays of some structures lie, field after field, and their numbers as they are.

    The arrays must be kept alive, and contiguous, as long as the result is used.
    """
    values = [
        field.__array_interface__["data"][0] if isinstance(field, np.ndarray) else field
        for part in parts
        for field in part
    ]
    return np.array(values, dtype=np.int64)


def bind(fields: type[Fields], first: int) -> Callable[[Integers], Fields]:
    """Return a compiled function that reads a structure from `addresses`, ``first`` places on."""
    kinds = [_KINDS[kind.__forward_arg__] for kind in fields.__annotations__.values()]
    bound = _types.NamedTuple(kinds, fields)

    def typed(typing_context: Any, at: Any) -> Any:  # noqa: ARG001
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
            values = []
            for i, kind in enumerate(kinds):
                place = builder.gep(arguments[0], [context.get_constant(types.intp, first + i)])
                value = builder.load(place)
                if kind is not types.int64:
                    value = builder.inttoptr(value, context.get_value_type(kind))
                values.append(value)
            return context.make_tuple(builder, bound, values)

        return bound(_KINDS["Integers"]), code

    result: Callable[[Integers], Fields] = _intrinsic(typed)
    return result


def _apart(typing_context: Any) -> Any:  # noqa: ARG001
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        builder.function.attributes.add("noinline")
        return context.get_dummy_value()

    return types.void(), code


def _pointer_at(kind: str) -> Any:
    pointer = _KINDS[kind]

    def typed(typing_context: Any, address: Any) -> Any:  # noqa: ARG001
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
            return builder.inttoptr(arguments[0], context.get_value_type(pointer))

        return pointer(types.int64), code

    return _intrinsic(typed)


def _called(typing_context: Any, address: Any, argument: Any) -> Any:  # noqa: ARG001
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        number = context.get_value_type(types.int32)
        function = builder.inttoptr(arguments[0], ir.FunctionType(number, [number]).as_pointer())
        return builder.sext(
            builder.call(function, [builder.trunc(arguments[1], number)]),
            context.get_value_type(types.int64),
        )

    return types.int64(types.int64, types.int64), code


def _moved(typing_context: Any, pointer: Any, by: Any) -> Any:  # noqa: ARG001
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        return builder.gep(arguments[0], [arguments[1]])

    return pointer(pointer, types.int64), code


def _lowest(typing_context: Any, word: Any) -> Any:  # noqa: ARG001
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        return builder.cttz(arguments[0], context.get_constant(types.boolean, True))

    return types.int64(types.uint64), code


def _ones(typing_context: Any, word: Any) -> Any:  # noqa: ARG001
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), code


#: Called by a function that is to stay one of its own: code that is inlined is compiled again with
#: each function around it.
apart: Callable[[], None] = _intrinsic(_apart)
#: Pointers to an address.
integers_at: Callable[[int], Integers] = _pointer_at("Integers")
floats_at: Callable[[int], Floats] = _pointer_at("Floats")
#: What the C function ``int (int)`` at an address returns.
called: Callable[[int, int], int] = _intrinsic(_called)
#: A pointer so many entries further on.
moved: Callable[[Any, int], Any] = _intrinsic(_moved)
#: Position of the lowest set bit of a word that is not 0.
lowest: Callable[[Word], int] = _intrinsic(_lowest)
#: How many bits of a word are set.
ones: Callable[[Word], int] = _intrinsic(_ones)
