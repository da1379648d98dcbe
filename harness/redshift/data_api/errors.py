"""What the API answers when it refuses: the exceptions that the API references name.

In: a code and words. Out: what the caller's SDK raises. Every operation raises these and nothing else on purpose.
"""

from dataclasses import dataclass


@dataclass(eq=True, unsafe_hash=True)  # not frozen: Python itself writes to exceptions
class ApiError(Exception):
    """An error for the caller: its code, as SDKs name the exception, and its words."""

    code: str
    message: str
    status: int = 400

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


def validation_error(message: str) -> ApiError:
    return ApiError("ValidationException", message)


def not_found(message: str) -> ApiError:
    return ApiError("ResourceNotFoundException", message)
