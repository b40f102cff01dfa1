"""A person at the command line, in this process."""

from click.testing import Result
from flask import Flask


def run(app: Flask, *arguments: str, stdin: str | bytes | None = None) -> Result:
    """Run `flask --app app` with these arguments."""
    return app.test_cli_runner().invoke(args=list(arguments), input=stdin)


def succeed(app: Flask, *arguments: str, stdin: str | bytes | None = None) -> str:
    """Run a command that must succeed; what it wrote to standard output, without the last line break."""
    result = run(app, *arguments, stdin=stdin)
    assert result.exit_code == 0, result.stderr
    return result.stdout.removesuffix("\n")


def refusal(app: Flask, *arguments: str, status: int = 1, stdin: str | bytes | None = None) -> str:
    """Run a command that must be refused: the one line on standard error, with nothing on standard output."""
    result = run(app, *arguments, stdin=stdin)
    assert result.exit_code == status, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1, result.stderr
    return result.stderr.removeprefix("Error: ").removesuffix("\n")
