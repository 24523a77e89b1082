"""What can go wrong, said so that a person can act: a code, the field, and words in both languages."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from nodes.sdk.text import Text, text


class DomainError(Exception):
    """A request that cannot be met. ``code`` is stable; ``field`` names the input; ``remedy`` says what to do.

    ``details`` are plain facts for programs, such as who changed a draft meanwhile.
    """

    code = "failed"

    def __init__(
        self,
        message: Text,
        *,
        field: str = "",
        remedy: Text | None = None,
        code: str = "",
        details: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{field}: {message.en}" if field else message.en)
        self.message = message
        self.field = field
        self.remedy = remedy or text("", "")
        self.details = details
        if code:
            self.code = code


class InvalidError(DomainError):
    """An input is not acceptable."""

    code = "invalid"


class ManyFaultsError(InvalidError):
    """Everything that is wrong with an input at once; for those who hear one error only, it is the first."""

    def __init__(self, errors: Sequence[DomainError]) -> None:
        first = errors[0]
        super().__init__(first.message, field=first.field, remedy=first.remedy, code=first.code, details=first.details)
        self.errors = tuple(errors)


class Faults:
    """What is wrong with an input, gathered so that a person reads all of it at once, each at its field.

    A field that has a fault already gets no second one: its value has to be changed anyway.
    """

    def __init__(self) -> None:
        self._found: dict[str, DomainError] = {}

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, error: DomainError) -> None:
        """One more fault."""
        self._found.setdefault(error.field, error)

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """What is raised within becomes one more fault."""
        try:
            yield
        except ManyFaultsError as several:
            for error in several.errors:
                self.add(error)
        except DomainError as error:
            self.add(error)

    def error(self) -> DomainError:
        """What was found: the only fault itself, or several as one."""
        found = list(self._found.values())
        return found[0] if len(found) == 1 else ManyFaultsError(found)

    def tell(self) -> None:
        """Raise what was found, if anything."""
        if self:
            raise self.error()


class NotFoundError(DomainError):
    """There is no such thing in this business."""

    code = "not_found"


class ConflictError(DomainError):
    """Somebody else changed it meanwhile, or it exists already."""

    code = "conflict"


class ForbiddenError(DomainError):
    """The person may not do this."""

    code = "forbidden"


class UnauthenticatedError(DomainError):
    """Nobody is signed in, or the sign-in failed."""

    code = "unauthenticated"


def not_found(zh: str, en: str, name: str, field: str = "id") -> NotFoundError:
    """The usual words for something that is not there."""
    return NotFoundError(
        text(f"找不到{zh}“{name}”", f"there is no {en} '{name}'"),
        field=field,
        remedy=text("请检查名称，或先创建它。", "Check the name, or create it first."),
    )


def exists(zh: str, en: str, name: str) -> ConflictError:
    """The usual words for a name that another thing of its kind has already."""
    return ConflictError(
        text(f"{zh}“{name}”已存在", f"the {en} '{name}' exists"),
        field="name",
        remedy=text("请换一个名称。", "Choose another name."),
    )
