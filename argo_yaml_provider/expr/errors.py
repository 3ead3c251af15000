"""What can go wrong with an expression or a tag.

In: nothing.  Out: `ExprError`, and `MissingVariable` where Argo would wait for the variable and try again.
Must not know: which language the text is in.
"""

from __future__ import annotations


class ExprError(Exception):
    """The text is wrong, or cannot be evaluated; `offset` and `length` point into the text."""

    def __init__(self, message: str, offset: int = 0, length: int = 1) -> None:
        self.message, self.offset, self.length = message, offset, length
        super().__init__(message)

    def __reduce__(self) -> tuple[type[ExprError], tuple[object, ...]]:
        return type(self), (self.message, self.offset, self.length)


class MissingVariable(ExprError):
    """The text names a variable that is not there (yet): Argo puts the workflow back into its queue."""

    def __init__(self, message: str, name: str = "", offset: int = 0, length: int = 1) -> None:
        self.name = name
        super().__init__(message, offset, length)

    def __reduce__(self) -> tuple[type[ExprError], tuple[object, ...]]:
        return type(self), (self.message, self.name, self.offset, self.length)
