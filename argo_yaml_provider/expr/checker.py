"""What expr-lang refuses before it runs anything: unknown names, types that do not go together.

In: a tree, and the natures of the variables.  Out: the nature of every node looked at; an ExprError at the first that is wrong.
Must not know: values. expr-lang: checker/checker.go.

The arguments of a function that is not known before it runs (all of `sprig`) are not looked at: `sprig.default('x', missing)`
is no error, as it is none in Argo.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

from argo_yaml_provider.expr import nodes as n
from argo_yaml_provider.expr.errors import ExprError, Panic
from argo_yaml_provider.expr.functions import BUILTINS
from argo_yaml_provider.expr.natures import (
    BOOL,
    FLOAT,
    INT,
    LIST,
    MAP,
    NIL,
    STRING,
    UNKNOWN,
    Nature,
    list_of,
    methods_of,
    of_type,
)
from argo_yaml_provider.expr.operations import check_binary, check_unary
from argo_yaml_provider.expr.parser import FUNCTIONS, PREDICATE_ARGUMENTS
from argo_yaml_provider.expr.signatures import ArgumentMismatch, Signature, check_arguments

MAX_NAMES = 8
_OF_LITERALS: dict[type, Nature] = {type(None): NIL, bool: BOOL, int: INT, float: FLOAT, str: STRING, bytes: of_type("[]uint8")}


class Checker:
    """One walk over one tree."""

    def __init__(self, names: Mapping[str, Nature], known: Callable[[], Iterable[str]] = tuple) -> None:
        self.names, self.known = names, known
        self.natures: dict[int, Nature] = {}
        self.variables: list[tuple[str, Nature]] = []
        self.scopes: list[tuple[Nature, dict[str, Nature]]] = []
        """For each loop around: its collection, and what `#index` and `#acc` are in it."""

    def check(self, node: n.Node) -> Nature:
        nature: Nature = _CHECKS[type(node)](self, node)
        self.natures[id(node)] = nature
        return nature

    def fail(self, node: n.Node, message: str) -> NoReturn:
        raise ExprError(message, node.offset, node.length)

    def literal(self, node: n.Literal) -> Nature:
        return _OF_LITERALS[type(node.value)]

    def identifier(self, node: n.Identifier) -> Nature:
        for name, nature in reversed(self.variables):
            if name == node.name:
                return nature
        return UNKNOWN if node.name == "$env" else self.named(node, node.name)

    def named(self, node: n.Node, name: str, *, strict: bool = True, functions: bool = True) -> Nature:
        known = self.names.get(name)
        if known is not None:
            return known
        if functions and (name in FUNCTIONS or name in PREDICATE_ARGUMENTS):
            return Nature("func")
        return self.fail(node, f"unknown name {name}{self.known_names()}") if strict else UNKNOWN

    def known_names(self) -> str:
        names = sorted({*self.names, *self.known(), *(name for name, _ in self.variables)})
        more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
        return f"; known here: {', '.join(names[:MAX_NAMES])}{more}"

    def unary(self, node: n.Unary) -> Nature:
        operand = self.check(node.operand)
        result = check_unary(node.operator, operand)
        return result or self.fail(node, f"invalid operation: {node.operator} (mismatched type {operand})")

    def binary(self, node: n.Binary) -> Nature:
        left, right = self.check(node.left), self.check(node.right)
        try:
            result = check_binary(node.operator, left, right, node.right)
        except Panic as error:
            raise error.placed(node.offset, node.length) from None
        return result or self.fail(node, f"invalid operation: {node.operator} (mismatched types {left} and {right})")

    def chain(self, node: n.Chain) -> Nature:
        return self.check(node.body)

    def member(self, node: n.Member) -> Nature:
        name = node.key.value if isinstance(node.key, n.Literal) and isinstance(node.key.value, str) else None
        if isinstance(node.base, n.Identifier) and node.base.name == "$env":
            return UNKNOWN if name is None else self.named(node, name, strict=not node.optional, functions=False)
        base, key = self.check(node.base), self.check(node.key)
        if base.unknown:
            return UNKNOWN
        if name is not None:
            if base.nil:
                self.fail(node, f"type nil has no field {name}")
            method = methods_of(base.type).get(name)
            if method:
                return Nature("func", function=method)
        if base.map:
            if not key.assignable_to(base.key()) and not key.unknown and not base.key().unknown:
                self.fail(node.key, f"cannot use {key} to get an element from {base}")
            return base.elements()
        if base.array:
            if not key.integer and not key.unknown:
                self.fail(node.key, f"array elements can only be selected using an integer (got {key})")
            return base.elements()
        return self.fail(node, f"type {base}[{key}] is undefined" if name is None else f"type {base} has no field {name}")

    def part(self, node: n.Slice) -> Nature:
        base = self.check(node.base)
        if base.unknown:
            return UNKNOWN
        if base.type != "string" and not base.array:
            self.fail(node, f"cannot slice {base}")
        for bound in (node.start, node.stop):
            if bound:
                nature = self.check(bound)
                if not nature.integer and not nature.unknown:
                    self.fail(bound, f"non-integer slice index {nature}")
        return base

    def call(self, node: n.Call) -> Nature:
        callee = self.check(node.callee)
        if callee.unknown:
            return UNKNOWN
        name = node.callee.name if isinstance(node.callee, n.Identifier) else "function"
        if callee.nil:
            self.fail(node, f"{name} is nil; cannot call nil as function")
        if callee.function is None:
            self.fail(node, f"{callee} is not callable")
        natures = [self.check(argument) for argument in node.arguments]
        function = callee.function
        try:
            return check_arguments(function.name, Signature(function.parameters, function.result), natures)
        except ArgumentMismatch as error:
            raise self.misfit(node, node.arguments, error) from None

    def misfit(self, node: n.Node, arguments: tuple[n.Node, ...], error: ArgumentMismatch) -> ExprError:
        wrong = node if error.argument is None else arguments[error.argument]
        return ExprError(error.message, wrong.offset, wrong.length)

    def builtin(self, node: n.Builtin) -> Nature:
        if node.name in self.names:
            self.fail(node, f"{node.name} is a variable here, and {self.names[node.name]} is not callable")
        if node.name in PREDICATE_ARGUMENTS:
            return self.loop(node)
        if node.name == "get":
            return self.get(node)
        natures = [self.check(argument) for argument in node.arguments]
        try:
            return BUILTINS[node.name].check(node.name, natures)
        except ArgumentMismatch as error:
            raise self.misfit(node, node.arguments, error) from None

    def get(self, node: n.Builtin) -> Nature:
        if len(node.arguments) != 2:
            self.fail(node, f"invalid number of arguments for get (expected 2, got {len(node.arguments)})")
        base, key = map(self.check, node.arguments)
        if base.unknown:
            return UNKNOWN
        if base.array:
            if not key.integer and not key.unknown:
                self.fail(node.arguments[1], f"non-integer slice index {key}")
            return base.elements()
        if base.map:
            if not key.assignable_to(base.key()) and not key.unknown and not base.key().unknown:
                self.fail(node.arguments[1], f"cannot use {key} to get an element from {base}")
            return base.elements()
        return self.fail(node.arguments[0], f"type {base} does not support indexing")

    def loop(self, node: n.Builtin) -> Nature:
        """A function with a predicate; `#` in it is an element of the first argument."""
        collection = self.check(node.arguments[0])
        if not collection.array and not collection.unknown:
            self.fail(node.arguments[0], f"builtin {node.name} takes only array (got {collection})")
        answer = INT
        if len(node.arguments) > 1:
            pointers = {"map": {"index": INT}, "reduce": {"index": INT, "acc": UNKNOWN}}.get(node.name, {})
            self.scopes.append((collection, pointers))
            answer = self.check(node.arguments[1])
            self.scopes.pop()
        self.check_answer(node, answer)
        if len(node.arguments) > 2:
            third = self.check(node.arguments[2])
            if node.name == "sortBy" and third.type != "string" and not third.unknown:
                self.fail(node.arguments[2], f"sortBy order argument must be a string (got {third})")
        if node.name == "sum" and len(node.arguments) == 1:
            return collection.elements()
        return _LOOP_RESULTS[node.name](collection, answer)

    def check_answer(self, node: n.Builtin, answer: Nature) -> None:
        if len(node.arguments) < 2:
            return
        if answer.nil:
            self.fail(node.arguments[1], f"the predicate of {node.name} must return something, not nil")
        if node.name in _QUESTIONS and answer.type != "bool" and not answer.unknown:
            self.fail(node.arguments[1], f"predicate should return boolean (got {answer})")

    def predicate(self, node: n.Predicate) -> Nature:
        return self.check(node.body)

    def pointer(self, node: n.Pointer) -> Nature:
        if not self.scopes:
            self.fail(node, "cannot use pointer accessor outside predicate")
        collection, pointers = self.scopes[-1]
        if not node.name:
            return collection.elements()
        return pointers.get(node.name) or self.fail(node, f"unknown pointer #{node.name}")

    def let(self, node: n.Let) -> Nature:
        if node.name in self.names:
            self.fail(node, f"cannot redeclare {node.name}")
        if node.name in FUNCTIONS or node.name in PREDICATE_ARGUMENTS:
            self.fail(node, f"cannot redeclare builtin {node.name}")
        if any(name == node.name for name, _ in self.variables):
            self.fail(node, f"cannot redeclare variable {node.name}")
        self.variables.append((node.name, self.check(node.value)))
        result = self.check(node.body)
        self.variables.pop()
        return result

    def sequence(self, node: n.Sequence) -> Nature:
        return [self.check(item) for item in node.items][-1]

    def conditional(self, node: n.Conditional) -> Nature:
        test = self.check(node.test)
        if test.type != "bool" and not test.unknown:
            self.fail(node.test, f"non-bool expression (type {test}) used as condition")
        yes, no = self.check(node.yes), self.check(node.no)
        if yes.nil or no.nil:
            return no if yes.nil else yes
        if not yes.assignable_to(no):
            return UNKNOWN
        if yes.array and no.array:
            first, second = yes.elements(), no.elements()
            if not (first.assignable_to(second) and second.assignable_to(first)):
                return of_type(LIST)
        return yes

    def array(self, node: n.Array) -> Nature:
        natures = [self.check(item) for item in node.items]
        kinds = {"" if nature.nil else nature.kind for nature in natures}
        return list_of(natures[-1] if natures else UNKNOWN) if len(kinds) <= 1 else of_type(LIST)

    def map(self, node: n.Map) -> Nature:
        for key, value in node.pairs:
            self.check(key)
            self.check(value)
        return of_type(MAP)


_QUESTIONS = frozenset({"all", "none", "any", "one", "filter", "count", "find", "findIndex", "findLast", "findLastIndex"})
_LOOP_RESULTS: dict[str, Callable[[Nature, Nature], Nature]] = {
    "all": lambda _collection, _answer: BOOL,
    "none": lambda _collection, _answer: BOOL,
    "any": lambda _collection, _answer: BOOL,
    "one": lambda _collection, _answer: BOOL,
    "filter": lambda collection, _answer: of_type(LIST) if collection.unknown else list_of(collection.elements()),
    "map": lambda _collection, answer: list_of(answer),
    "count": lambda _collection, _answer: INT,
    "sum": lambda _collection, answer: answer,
    "find": lambda collection, _answer: collection.elements(),
    "findLast": lambda collection, _answer: collection.elements(),
    "findIndex": lambda _collection, _answer: INT,
    "findLastIndex": lambda _collection, _answer: INT,
    "groupBy": lambda _collection, _answer: of_type("map[interface {}][]interface {}"),
    "sortBy": lambda collection, _answer: collection,
    "reduce": lambda _collection, answer: answer,
}
_CHECKS: dict[type[n.Node], Callable[[Checker, Any], Nature]] = {
    n.Literal: Checker.literal,
    n.Identifier: Checker.identifier,
    n.Unary: Checker.unary,
    n.Binary: Checker.binary,
    n.Chain: Checker.chain,
    n.Member: Checker.member,
    n.Slice: Checker.part,
    n.Call: Checker.call,
    n.Builtin: Checker.builtin,
    n.Predicate: Checker.predicate,
    n.Pointer: Checker.pointer,
    n.Let: Checker.let,
    n.Sequence: Checker.sequence,
    n.Conditional: Checker.conditional,
    n.Array: Checker.array,
    n.Map: Checker.map,
}
