"""expr-lang: text and variables in, value out.

In: an expression's text, and Argo's flat variables.  Out: the value, in Python's types or those of `values`.
Must not know: tags, workflows. Argo: util/expr/argoexpr/eval.go, util/expr/env/env.go.

    program = compile_expression("inputs.parameters.n + '!'")
    program.run({"inputs.parameters.n": "3"})  # "3!"
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from argo_yaml_provider.expr.checker import Checker
from argo_yaml_provider.expr.compiler import Code, Frame, compile_node
from argo_yaml_provider.expr.environment import nested, root, root_names, with_functions
from argo_yaml_provider.expr.errors import ExprError
from argo_yaml_provider.expr.limits import MAX_RESULT, weight
from argo_yaml_provider.expr.natures import of_value
from argo_yaml_provider.expr.nodes import Node
from argo_yaml_provider.expr.optimizer import optimize
from argo_yaml_provider.expr.parser import parse
from argo_yaml_provider.expr.values import go_type

MAX_SHAPES = 64
"""Codes kept for one expression, each for other types of its variables."""


class Program:
    """An expression ready to be evaluated any number of times, from any thread.

    What expr-lang refuses depends on the types of the variables, and so does a little of what it does: there is one
    code for each combination of types that was met.
    """

    __slots__ = ("_codes", "_roots", "text", "tree")

    def __init__(self, text: str, tree: Node) -> None:
        self.text, self.tree = text, tree
        self._roots = root_names(tree)
        self._codes: dict[tuple[tuple[str, str], ...], Code] = {}

    def run(self, env: Mapping[str, Any]) -> Any:
        """The value over these variables."""
        try:
            variables = with_functions(nested(env, self._roots), self._roots)
            value = self._code(variables, env)(Frame(variables))
        except RecursionError:
            raise ExprError("the expression or a value in it is nested too deep", 0, len(self.text)) from None
        if weight((value,), MAX_RESULT) > MAX_RESULT:
            raise ExprError(f"the value has more than {MAX_RESULT} elements", 0, len(self.text))
        return value

    def _code(self, variables: dict[str, Any], env: Mapping[str, Any]) -> Code:
        shape = tuple((name, go_type(value)) for name, value in variables.items())
        code = self._codes.get(shape)
        if code is None:
            if len(self._codes) >= MAX_SHAPES:
                self._codes.clear()
            checker = Checker({name: of_value(value) for name, value in variables.items()}, lambda: map(root, env))
            checker.check(self.tree)
            code = self._codes[shape] = compile_node(optimize(self.tree, checker.natures))
        return code


@lru_cache(maxsize=2048)
def compile_expression(text: str) -> Program:
    """The program for a text; an ExprError if it is no expression."""
    return Program(text, parse(text))


def evaluate(text: str, env: Mapping[str, Any]) -> Any:
    """The value of an expression."""
    return compile_expression(text).run(env)


def evaluate_bool(text: str, env: Mapping[str, Any]) -> bool:
    """The value of an expression that must be true or false."""
    value = evaluate(text, env)
    if value is True or value is False:
        return value
    from argo_yaml_provider.expr.rendering import render_go

    raise ExprError(f"unable to cast expression result '{render_go(value)}' to bool", 0, len(text))


def environment(env: Mapping[str, Any]) -> dict[str, Any]:
    """All the names an expression over these variables can use, nested."""
    return with_functions(nested(env))
