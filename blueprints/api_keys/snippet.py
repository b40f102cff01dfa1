"""The shell command that a new key can be tried with."""

from blueprints import web
from models import ApiKey, Organisation, Scope, Waitlist

# With the call in one command: a shell that reads what is pasted line by line would take the next line for the token.
ASK = ('echo "Paste the token:" && read -rs QUEUEKEY_TOKEN &&', "export QUEUEKEY_TOKEN &&")
CALL = 'curl -H "Authorization: Bearer $QUEUEKEY_TOKEN"'
JSON_BODY = ('-H "Content-Type: application/json"', """-d '{"email": "ada@example.org"}'""")


def first_call(key: ApiKey, organisation: Organisation) -> str:
    """Take the token into QUEUEKEY_TOKEN, unseen and past the shell's history, and make a call that the key may make.

    The call is for the organisation's newest open waitlist; without one, the key asks about itself. The text is
    without the token. For bash and zsh.
    """
    root = f"{web.public_url()}{web.API_ROOT}"
    waitlist_id = Waitlist.newest_id(organisation.id)
    if waitlist_id is None:
        return _lines(f"{root}/key")
    body = () if Scope.SUBSCRIBERS_READ in key.scopes else JSON_BODY
    return _lines(*body, f"{root}/waitlists/{waitlist_id}/subscribers")


def _lines(*arguments: str) -> str:
    return " \\\n  ".join((*ASK, CALL, *arguments))
