"""How fast expressions are: closures, which the package uses, against a plain walk over the tree.

    python bench/expressions.py [VECTORS.json]

Prints, over the recorded expressions: what reading and compiling one costs, what one evaluation costs either way, and the
ratios. The walk looks at every node's kind each time; everything else (operators, functions, budget) is the same.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from argo_yaml_provider.expr import nodes as n
from argo_yaml_provider.expr import operators
from argo_yaml_provider.expr.calls import call_value
from argo_yaml_provider.expr.checker import Checker
from argo_yaml_provider.expr.compiler import BROKEN, Code, Frame, compile_node, weight
from argo_yaml_provider.expr.environment import nested, root_names, with_functions
from argo_yaml_provider.expr.errors import ExprError, Panic
from argo_yaml_provider.expr.functions import BUILTINS, GET
from argo_yaml_provider.expr.loops import LOOPS, loop_code, truth
from argo_yaml_provider.expr.natures import of_value
from argo_yaml_provider.expr.optimizer import optimize
from argo_yaml_provider.expr.parser import parse
from argo_yaml_provider.expr.values import Ints, is_nil

RECORDED = Path(__file__).parents[1].parent / "shared" / "parity" / "expressions" / "expr.public.json"
ROUNDS = 200


def walk(node: n.Node, frame: Frame) -> Any:
    """The value of a node, found by looking at what it is."""
    try:
        return _WALKS[type(node)](node, frame)
    except Panic as error:
        raise error.placed(node.offset, node.length) from None


def _identifier(node: n.Identifier, frame: Frame) -> Any:
    if node.name == "$env":
        return frame.env
    return frame.variables[node.name] if node.name in frame.variables else frame.env.get(node.name)


def _unary(node: n.Unary, frame: Frame) -> Any:
    value = walk(node.operand, frame)
    if node.operator == "+":
        return value
    return operators.negate(value) if node.operator == "-" else not truth(value)


def _binary(node: n.Binary, frame: Frame) -> Any:
    left = walk(node.left, frame)
    if node.operator in ("and", "&&"):
        return walk(node.right, frame) if truth(left) else False
    if node.operator in ("or", "||"):
        return True if truth(left) else walk(node.right, frame)
    if node.operator == "??":
        return walk(node.right, frame) if is_nil(left) else left
    right = walk(node.right, frame)
    if node.operator == "..":
        low, high = operators.to_int(left), operators.to_int(right)
        frame.budget.allocate(max(high - low + 1, 0))
        return Ints(range(low, high + 1))
    if isinstance(left, (str, bytes, list, dict)) or isinstance(right, (str, bytes, list, dict)):
        frame.budget.weigh((left, right))
    return operators.BINARY[node.operator](left, right)


def _chain(node: n.Chain, frame: Frame) -> Any:
    value = walk(node.body, frame)
    return None if value is BROKEN or is_nil(value) else value


def _member(node: n.Member, frame: Frame) -> Any:
    base = walk(node.base, frame)
    if base is BROKEN or (node.optional and is_nil(base)):
        return BROKEN
    return operators.fetch(base, walk(node.key, frame))


def _slice(node: n.Slice, frame: Frame) -> Any:
    base = walk(node.base, frame)
    bounds = (operators.to_int(walk(bound, frame)) if bound else None for bound in (node.start, node.stop))
    return operators.cut(base, *bounds)


def _call(node: n.Call, frame: Frame) -> Any:
    arguments = [walk(argument, frame) for argument in node.arguments]
    if not isinstance(node.callee, n.Member):
        return call_value(walk(node.callee, frame), arguments, frame)
    owner = walk(node.callee.base, frame)
    if owner is BROKEN or (node.callee.optional and is_nil(owner)):
        return BROKEN
    return call_value(operators.fetch(owner, walk(node.callee.key, frame)), arguments, frame, owner=owner)


def _walker(node: n.Node) -> Code:
    return lambda frame: walk(node, frame)


def _builtin(node: n.Builtin, frame: Frame) -> Any:
    if node.name in LOOPS:
        collection, *rest = map(_walker, node.arguments)
        cost = weight(node.arguments[1]) if len(node.arguments) > 1 else 1
        return loop_code(node.name, collection, rest, cost)(frame)
    values = [walk(argument, frame) for argument in node.arguments]
    builtin = BUILTINS.get(node.name)
    if builtin is None:
        return GET(*values)
    if not builtin.free:
        frame.budget.weigh(values)
    return builtin.call(frame.budget, *values) if builtin.needs_budget else builtin.call(*values)


def _pointer(node: n.Pointer, frame: Frame) -> Any:
    return {"index": frame.index, "acc": frame.acc}.get(node.name, frame.item)


def _let(node: n.Let, frame: Frame) -> Any:
    frame.variables[node.name] = walk(node.value, frame)
    try:
        return walk(node.body, frame)
    finally:
        del frame.variables[node.name]


def _array(node: n.Array, frame: Frame) -> list[Any]:
    frame.budget.allocate(len(node.items))
    return [walk(item, frame) for item in node.items]


def _map(node: n.Map, frame: Frame) -> dict[str, Any]:
    frame.budget.allocate(len(node.pairs))
    return {operators.as_string(walk(key, frame)): walk(value, frame) for key, value in node.pairs}


_WALKS: dict[type[n.Node], Callable[[Any, Frame], Any]] = {
    n.Literal: lambda node, _frame: node.value,
    n.Identifier: _identifier,
    n.Unary: _unary,
    n.Binary: _binary,
    n.Chain: _chain,
    n.Member: _member,
    n.Slice: _slice,
    n.Call: _call,
    n.Builtin: _builtin,
    n.Predicate: lambda node, frame: walk(node.body, frame),
    n.Pointer: _pointer,
    n.Let: _let,
    n.Sequence: lambda node, frame: [walk(item, frame) for item in node.items][-1],
    n.Conditional: lambda node, frame: walk(node.yes if truth(walk(node.test, frame)) else node.no, frame),
    n.Array: _array,
    n.Map: _map,
}


def microseconds(work: Callable[[], object], rounds: int) -> float:
    """The best of five: what it costs when nobody else is on the machine."""
    best = float("inf")
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(rounds):
            work()
        best = min(best, (time.perf_counter() - began) / rounds)
    return best * 1e6


def measured(vector: dict[str, Any]) -> tuple[float, float, float, float] | None:
    """Reading, compiling, closures and walk, in microseconds; None if the expression is an error."""
    text = vector["expr"]
    try:
        tree = parse(text)
        roots = root_names(tree)
        variables = with_functions(nested(vector["env"], roots), roots)

        def checked() -> n.Node:
            checker = Checker({name: of_value(value) for name, value in variables.items()})
            checker.check(tree)
            return optimize(tree, checker.natures)

        better = checked()
        code = compile_node(better)
        if not operators.deep_equal(code(Frame(variables)), walk(better, Frame(variables))):
            print(f"differs: {text}")
    except ExprError:
        return None
    return (
        microseconds(lambda: parse(text), ROUNDS // 10),
        microseconds(lambda: compile_node(checked()), ROUNDS // 10),
        microseconds(lambda: code(Frame(variables)), ROUNDS),
        microseconds(lambda: walk(better, Frame(variables)), ROUNDS),
    )


def main() -> None:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else RECORDED
    vectors = [vector for vector in json.loads(path.read_text(encoding="utf-8")) if not vector.get("error")]
    rows = [row for row in map(measured, vectors) if row]
    reading, compiling, closures, walks = (statistics.median(column) for column in zip(*rows, strict=True))
    ratios = sorted(walk_time / closure_time for _, _, closure_time, walk_time in rows)
    print(f"{len(rows)} expressions; medians in microseconds")
    print(f"  read      {reading:8.1f}")
    print(f"  compile   {compiling:8.1f}")
    print(f"  closures  {closures:8.2f} an evaluation")
    print(f"  tree walk {walks:8.2f} an evaluation")
    total = sum(row[3] for row in rows) / sum(row[2] for row in rows)
    print(
        f"tree walk / closures: median {statistics.median(ratios):.2f}, all together {total:.2f}, "
        f"from {ratios[0]:.2f} to {ratios[-1]:.2f}"
    )


if __name__ == "__main__":
    main()
