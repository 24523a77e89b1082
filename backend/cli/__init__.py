"""The command line ``callweave``. Every command ends with 0, or with 1 and one line that says what to do."""

import sys

from sqlalchemy.exc import SQLAlchemyError


def main() -> None:
    """Run the command line."""
    from backend.cli import cases, diff, history, nodes  # noqa: F401  their commands join the others
    from backend.cli.app import app
    from backend.errors import DomainError
    from backend.runtime.errors import ProductError

    try:
        app()
    except DomainError as problem:
        fail(str(problem), problem.remedy.en)
    except ProductError as problem:
        fail(problem.message, problem.remedy)
    except SQLAlchemyError as problem:
        fail(f"the database cannot be used: {type(problem).__name__}", "Run 'callweave doctor'")
    except OSError as problem:
        fail(str(problem), "Check the path and its permissions")


def fail(message: str, remedy: str = "") -> None:
    """Say what went wrong and what to do, and end."""
    sys.stderr.write(f"callweave: {message}{'. ' + remedy if remedy else ''}\n")
    sys.exit(1)
