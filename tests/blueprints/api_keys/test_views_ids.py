"""Ids in the addresses of keys that are no ids."""

from flask import Flask

from tests.blueprints.api_keys.test_views import revoke_path
from tests.console import hidden_fields, sign_in
from tests.factories import make_api_key, make_user


def test_ids_that_are_no_ids_are_not_found(app: Flask) -> None:
    admin = make_user()
    own, _ = make_api_key(admin.organisation)
    client = sign_in(app, admin)
    csrf = hidden_fields(client.get(revoke_path(own)).text)

    for key_id in ("-1", "1.0", "abc", "0", "9" * 5000, "1%0A", " 1", "\u0661", str(2**63), str(10**30)):
        assert client.get(f"/api-keys/{key_id}/revoke").status_code == 404
        assert client.post(f"/api-keys/{key_id}/revoke", data=csrf).status_code == 404

    assert client.post(revoke_path(own), data=csrf).status_code == 303
