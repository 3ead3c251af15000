"""Syntax tree -> Python closures: compile once, evaluate many times.

In: a checked tree.  Out: a function from a `Frame` to the value.
Must not know: where the variables come from, how a value becomes text. expr-lang: compiler/compiler.go, vm/vm.go.

Every node becomes one closure over the closures of its parts. An error gets the place of the node that raised it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import signature
from typing import Any, NoReturn

from argo_yaml_provider.expr import nodes as n
from argo_yaml_provider.expr import operators
from argo_yaml_provider.expr.calls import call_value
from argo_yaml_provider.expr.errors import Panic
from argo_yaml_provider.expr.functions import BUILTINS, GET
from argo_yaml_provider.expr.limits import SLOW, Budget
from argo_yaml_provider.expr.loops import LOOPS, loop_code, truth
from argo_yaml_provider.expr.signatures import Builtin
from argo_yaml_provider.expr.values import Ints, is_nil, wrap

BROKEN = object()
"""What a chain's links return once a `?.` has met nil."""


class Frame:
    """Where one evaluation stands: the variables, the loop it is in, the budget."""

    __slots__ = ("acc", "budget", "depth", "env", "index", "item", "variables")

    def __init__(self, env: dict[str, Any]) -> None:
        self.env, self.budget = env, Budget()
        self.variables: dict[str, Any] = {}
        self.item: Any = None
        self.index = 0
        self.acc: Any = None
        self.depth = 0


Code = Callable[[Frame], Any]


def compile_node(node: n.Node) -> Code:
    """The closure for a node."""
    return _COMPILERS[type(node)](node)


def weight(node: n.Node) -> int:
    """How many nodes a tree has: what one turn of a loop costs."""
    return sum(1 for _ in n.walk(node))


def _literal(node: n.Literal) -> Code:
    value = node.value
    return lambda _frame: value


def _identifier(node: n.Identifier) -> Code:
    name = node.name
    if name == "$env":
        return lambda frame: frame.env

    def identifier(frame: Frame) -> Any:
        env = frame.env
        return env[name] if name in env else frame.variables.get(name)

    return identifier


def _placed(code: Code, node: n.Node) -> Code:
    """The closure, with this node as the place of what goes wrong in it."""
    offset, length = node.offset, node.length

    def placed(frame: Frame) -> Any:
        try:
            return code(frame)
        except Panic as error:
            raise error.placed(offset, length) from None

    return placed


def _unary(node: n.Unary) -> Code:
    operand = compile_node(node.operand)
    if node.operator == "+":
        return operand
    if node.operator == "-":
        return _placed(lambda frame: operators.negate(operand(frame)), node)
    return _placed(lambda frame: not truth(operand(frame)), node)


def _binary(node: n.Binary) -> Code:
    left, right = compile_node(node.left), compile_node(node.right)
    build = _BINARY.get(node.operator)
    return _placed(build(left, right), node) if build else _operation(node, left, right)


def _operation(node: n.Binary, left: Code, right: Code) -> Code:
    """An operator over two values. It places its errors itself: one call less for what is done most."""
    operation, offset, length = operators.BINARY[node.operator], node.offset, node.length

    def apply(frame: Frame) -> Any:
        try:
            first, second = left(frame), right(frame)
            if type(first) in _LARGE or type(second) in _LARGE:
                frame.budget.weigh_pair(first, second)
            return operation(first, second)
        except Panic as error:
            raise error.placed(offset, length) from None

    return apply


_LARGE = frozenset({str, bytes, list, dict})
"""Types whose values may take long to read; the others of many elements are rare, and their elements small."""


def _and(left: Code, right: Code) -> Code:
    return lambda frame: right(frame) if truth(left(frame)) else False


def _or(left: Code, right: Code) -> Code:
    return lambda frame: True if truth(left(frame)) else right(frame)


def _coalesce(left: Code, right: Code) -> Code:
    def coalesce(frame: Frame) -> Any:
        value = left(frame)
        return right(frame) if is_nil(value) else value

    return coalesce


def _range(left: Code, right: Code) -> Code:
    def between(frame: Frame) -> Ints:
        low, high = operators.to_int(left(frame)), operators.to_int(right(frame))
        size = max(wrap(high - low + 1), 0)
        frame.budget.allocate(size)
        return Ints(range(low, low + size))

    return between


_BINARY: dict[str, Callable[[Code, Code], Code]] = {
    "and": _and,
    "&&": _and,
    "or": _or,
    "||": _or,
    "??": _coalesce,
    "..": _range,
}


def _chain(node: n.Chain) -> Code:
    body = compile_node(node.body)

    def chain(frame: Frame) -> Any:
        value = body(frame)
        return None if value is BROKEN or is_nil(value) else value

    return chain


def _member(node: n.Member) -> Code:
    if isinstance(node.key, n.Literal) and type(node.key.value) is str and not node.optional:
        return _field(node, node.key.value)
    base, key = compile_node(node.base), compile_node(node.key)
    optional = node.optional

    def member(frame: Frame) -> Any:
        container = base(frame)
        if container is BROKEN or (optional and is_nil(container)):
            return BROKEN
        return operators.fetch(container, key(frame))

    return _placed(member, node)


def _field(node: n.Member, name: str) -> Code:
    """`base.name`, which is nearly always a key of a plain map."""
    base, offset, length = compile_node(node.base), node.offset, node.length

    def field(frame: Frame) -> Any:
        container = base(frame)
        if type(container) is dict:
            return container.get(name)
        if container is BROKEN:
            return BROKEN
        try:
            return operators.fetch(container, name)
        except Panic as error:
            raise error.placed(offset, length) from None

    return field


def _slice(node: n.Slice) -> Code:
    base = compile_node(node.base)
    start = compile_node(node.start) if node.start else None
    stop = compile_node(node.stop) if node.stop else None

    def part(frame: Frame) -> Any:
        value = base(frame)
        high = operators.to_int(stop(frame)) if stop else None
        return operators.cut(value, operators.to_int(start(frame)) if start else None, high)

    return _placed(part, node)


def _call(node: n.Call) -> Code:
    """Arguments first, then the function; a method gets what it was taken from."""
    arguments = [compile_node(argument) for argument in node.arguments]
    if isinstance(node.callee, n.Member):
        return _method_call(node, arguments)
    callee = compile_node(node.callee)
    return _placed(lambda frame: call_value(callee(frame), _values(arguments, frame), frame), node)


def _method_call(node: n.Call, arguments: Sequence[Code]) -> Code:
    member = node.callee
    assert isinstance(member, n.Member)
    base, key, optional = compile_node(member.base), compile_node(member.key), member.optional

    def call(frame: Frame) -> Any:
        given = _values(arguments, frame)
        owner = base(frame)
        if owner is BROKEN or (optional and is_nil(owner)):
            return BROKEN
        function = operators.fetch(owner, key(frame))
        return call_value(function, given, frame, owner=owner)

    return _placed(call, node)


def _values(codes: Sequence[Code], frame: Frame) -> list[Any]:
    return [code(frame) for code in codes]


def _builtin(node: n.Builtin) -> Code:
    if node.name in LOOPS:
        collection = compile_node(node.arguments[0])
        rest = [compile_node(argument) for argument in node.arguments[1:]]
        cost = weight(node.arguments[1]) if len(node.arguments) > 1 else 1
        return _placed(loop_code(node.name, collection, rest, cost), node)
    arguments = [compile_node(argument) for argument in node.arguments]
    builtin = BUILTINS.get(node.name)
    function = builtin.call if builtin else GET
    if not _takes(function, len(arguments) + bool(builtin and builtin.needs_budget)):
        problem = f"invalid number of arguments for {node.name} (got {len(arguments)})"
        return _placed(lambda frame: _refuse(problem, _values(arguments, frame)), node)
    if builtin is None or builtin.free:
        return _placed(lambda frame: function(*_values(arguments, frame)), node)
    return _placed(_weighed(builtin, arguments), node)


def _weighed(builtin: Builtin, arguments: Sequence[Code]) -> Code:
    """A call that is paid for by the size of what it reads."""
    call, needs_budget, price = builtin.call, builtin.needs_budget, SLOW if builtin.slow else 0

    def weighed(frame: Frame) -> Any:
        values = [code(frame) for code in arguments]
        frame.budget.step(price)
        frame.budget.weigh(values)
        return call(frame.budget, *values) if needs_budget else call(*values)

    return weighed


def _takes(function: Callable[..., Any], count: int) -> bool:
    """Whether a function can be called so: arguments of an unknown function are not checked before, as in expr-lang."""
    try:
        signature(function).bind(*[None] * count)
    except TypeError:
        return False
    return True


def _refuse(problem: str, _values: Sequence[Any]) -> NoReturn:
    raise Panic(problem)


def _predicate(node: n.Predicate) -> Code:
    return compile_node(node.body)


def _pointer(node: n.Pointer) -> Code:
    if node.name == "index":
        return lambda frame: frame.index
    if node.name == "acc":
        return lambda frame: frame.acc
    return lambda frame: frame.item


def _let(node: n.Let) -> Code:
    name, value, body = node.name, compile_node(node.value), compile_node(node.body)

    def let(frame: Frame) -> Any:
        frame.variables[name] = value(frame)
        try:
            return body(frame)
        finally:
            del frame.variables[name]

    return let


def _sequence(node: n.Sequence) -> Code:
    items = [compile_node(item) for item in node.items]

    def sequence(frame: Frame) -> Any:
        return _values(items, frame)[-1]

    return sequence


def _conditional(node: n.Conditional) -> Code:
    test, yes, no = compile_node(node.test), compile_node(node.yes), compile_node(node.no)
    return _placed(lambda frame: yes(frame) if truth(test(frame)) else no(frame), node)


def _array(node: n.Array) -> Code:
    items = [compile_node(item) for item in node.items]

    def array(frame: Frame) -> list[Any]:
        frame.budget.allocate(len(items))
        return [item(frame) for item in items]

    return _placed(array, node)


def _map(node: n.Map) -> Code:
    pairs = [(compile_node(key), compile_node(value)) for key, value in node.pairs]

    def build(frame: Frame) -> dict[str, Any]:
        frame.budget.allocate(len(pairs))
        items = [(key(frame), value(frame)) for key, value in pairs]
        return {operators.as_string(key): value for key, value in reversed(items)}

    return _placed(build, node)


_COMPILERS: dict[type[n.Node], Callable[[Any], Code]] = {
    n.Literal: _literal,
    n.Identifier: _identifier,
    n.Unary: _unary,
    n.Binary: _binary,
    n.Chain: _chain,
    n.Member: _member,
    n.Slice: _slice,
    n.Call: _call,
    n.Builtin: _builtin,
    n.Predicate: _predicate,
    n.Pointer: _pointer,
    n.Let: _let,
    n.Sequence: _sequence,
    n.Conditional: _conditional,
    n.Array: _array,
    n.Map: _map,
}
