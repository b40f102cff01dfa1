"""The command that checks the line."""

from flask import Flask
from sqlalchemy import text

from models import db, writing
from tests.models.test_line_check import DAMAGES, make_line


def test_the_command_says_what_is_wrong_and_repairs_it(app: Flask) -> None:
    waitlist = make_line()
    runner = app.test_cli_runner()
    assert runner.invoke(args=["line", "check"]).exit_code == 0
    with app.app_context(), writing():
        db.session.execute(text(DAMAGES["total"]))

    wrong = runner.invoke(args=["line", "check"])
    assert (wrong.exit_code, wrong.stdout.splitlines()) == (
        1,
        [f"{waitlist.public_id}: total is 3, not 2", "1 waitlists checked, 1 wrong."],
    )
    assert runner.invoke(args=["line", "check", "--repair"]).exit_code == 0
    assert runner.invoke(args=["line", "check"]).stdout == "1 waitlists checked, nothing is wrong.\n"
