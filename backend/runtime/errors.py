"""Errors that end a command: one line for people, with what to do about it."""


class ProductError(Exception):
    """Something outside the code stops the product. ``remedy`` says what to do."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}. {self.remedy}" if self.remedy else self.message
