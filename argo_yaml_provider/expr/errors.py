"""What can go wrong with an expression or a tag.

In: nothing.  Out: `ExprError`, and `MissingVariable` where Argo would wait for the variable and try again.
Must not know: which language the text is in, or the file it stands in; whoever holds the file turns the offset into a line.
"""

from __future__ import annotations

UNPLACED = -1


class ExprError(Exception):
    """The text is wrong, or cannot be evaluated; `offset` and `length` point into the text."""

    def __init__(self, message: str, offset: int = 0, length: int = 1) -> None:
        self.message, self.offset, self.length = message, offset, length
        super().__init__(message)

    def __reduce__(self) -> tuple[type[ExprError], tuple[object, ...]]:
        return type(self), (self.message, self.offset, self.length)

    def placed(self, offset: int, length: int) -> ExprError:
        """Itself, at this place unless it already has one: the innermost node knows best."""
        if self.offset == UNPLACED:
            self.offset, self.length = offset, length
        return self


class Panic(ExprError):
    """What an operator or a function says, which does not know where in the text it stands."""

    def __init__(self, message: str, offset: int = UNPLACED, length: int = 1) -> None:
        super().__init__(message, offset, length)


class MissingVariable(ExprError):
    """The text names a variable that is not there (yet): Argo puts the workflow back into its queue."""

    def __init__(self, message: str, name: str = "", offset: int = 0, length: int = 1) -> None:
        self.name = name
        super().__init__(message, offset, length)

    def __reduce__(self) -> tuple[type[ExprError], tuple[object, ...]]:
        return type(self), (self.message, self.name, self.offset, self.length)
