"""Calling a function value as Go's reflection does: the types must fit, nothing is converted.

In: the function, the values.  Out: what it returns.
Must not know: what the functions do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from argo_yaml_provider.expr.errors import Panic
from argo_yaml_provider.expr.limits import HEAVY
from argo_yaml_provider.expr.values import GoFunction, NilMap, go_type

if TYPE_CHECKING:
    from argo_yaml_provider.expr.compiler import Frame

ANY = "interface {}"
_ZERO: dict[str, Any] = {"string": "", "int": 0, "bool": False, "float64": 0.0, "uint32": 0, "int64": 0}
_NILABLE = ("[]", "*", "interface", "func")


def call_value(function: Any, arguments: list[Any], frame: Frame, *, owner: Any = None) -> Any:
    """The value of `function(arguments)`; a method gets its owner first."""
    if function is None:
        raise Panic("invalid operation: cannot call nil")
    if not isinstance(function, GoFunction):
        raise Panic(f"invalid operation: cannot call non-function of type {go_type(function)}")
    if function.price:
        frame.budget.step(function.price)
    if function.costly:
        _pay(function, frame)
    given = fitted(function, arguments)
    if not function.free:
        frame.budget.weigh(arguments, HEAVY if function.heavy else 1)
    if function.needs_budget:
        given.insert(0, frame.budget)
    return function.call(owner, *given) if function.method else function.call(*given)


def _pay(function: GoFunction, frame: Frame) -> None:
    frame.budget.costly -= 1
    if frame.depth or frame.budget.costly < 0:
        raise Panic(f"{function.name} is slow on purpose: call it outside of loops, and only once or twice in an expression")


def fitted(function: GoFunction, arguments: list[Any]) -> list[Any]:
    """The arguments, after the checks of reflect.Value.Call."""
    parameters = function.parameters
    variadic = bool(parameters) and parameters[-1].startswith("...")
    fixed = len(parameters) - variadic
    if len(arguments) < fixed or (len(arguments) > fixed and not variadic):
        expected = f"at least {fixed}" if variadic else str(fixed)
        raise Panic(f"invalid number of arguments: expected {expected}, got {len(arguments)}")
    values = [_fit(value, wanted) for value, wanted in zip(arguments[:fixed], parameters, strict=False)]
    return values + [_fit(value, parameters[-1][3:], rest=True) for value in arguments[fixed:]]


def _zero(wanted: str) -> Any:
    """What Go puts in the place of nil where the type knows none."""
    if wanted == "map[string]interface {}":
        return NilMap()
    if wanted == "time.Time":
        from argo_yaml_provider.expr.clock import SECOND, ZERO_TIME_SECOND, Time

        return Time(ZERO_TIME_SECOND * SECOND)
    return _ZERO.get(wanted)


def _fit(value: Any, wanted: str, *, rest: bool = False) -> Any:
    if wanted == ANY:
        return value
    if value is None:
        return None if wanted.startswith(_NILABLE) else _zero(wanted)
    given = go_type(value)
    if given != wanted:
        words = f"cannot use {given} as type {wanted} in Call" if rest else f"Call using {given} as type {wanted}"
        raise Panic(f"reflect: {words}")
    return value
