"""What can go wrong, said so that a person can act: a code, the field, and words in both languages."""

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
