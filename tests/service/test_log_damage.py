"""A service whose label log was changed in the database, or that holds another log's key: it says so and issues nothing."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, func, select, update
from starlette.testclient import TestClient

from service.app import create_app
from service.db.models import Label
from service.log.models import LogEntry, LogHead
from tanba.cli import main
from tanba.errors import StorageError
from tests.service.conftest import Service, jpeg, make_settings


@pytest.mark.parametrize(
    ("tamper", "code"),
    [
        (delete(LogHead), "tanba.log.head_missing"),
        (update(LogHead).values(frontier=["ab" * 32]), "tanba.log.damaged"),
        (update(LogHead).values(size=0, frontier=[]), "tanba.log.damaged"),
    ],
    ids=["head deleted", "frontier changed", "head emptied"],
)
def test_no_label_is_issued_into_a_log_that_was_changed_and_nobody_is_told_to_try_again(tmp_path, tamper, code):
    with TestClient(create_app(make_settings(tmp_path))) as client:
        service = Service(client)
        issued = service.label(jpeg()).json()
        with service.state.db.write() as session:
            session.execute(tamper)
        for headers in ({}, {"Idempotency-Key": "one"}, {"Idempotency-Key": "one"}):
            refused = service.label(jpeg((1, 2, 3)), headers=headers)
            assert (refused.status_code, refused.json()["code"]) == (500, code), refused.text
            assert refused.json()["retryable"] is False
            assert "retry-after" not in refused.headers
        withdrawn = client.post(
            f"/v1/labels/{issued['label_id']}/withdraw", json={"reason": "wrong file"}, headers=service.auth
        )
        assert (withdrawn.status_code, withdrawn.json()["code"]) == (500, code)
        assert client.get(f"/v1/labels/{issued['label_id']}").json()["state"] == "issued"
        with service.state.db.read() as session:
            assert session.scalar(select(func.count()).select_from(Label)) == 1
            assert session.scalar(select(func.count()).select_from(LogEntry)) == 1
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["checks"]["log"]) == (503, code)
        content = client.get(f"/v1/labels/{issued['label_id']}/content").content
        assert service.verify(content).json()["verdict"] == "trusted"


def test_the_proof_of_a_label_whose_record_was_changed_is_not_given_out(tmp_path):
    with TestClient(create_app(make_settings(tmp_path))) as client:
        service = Service(client)
        issued = service.label(jpeg()).json()
        with service.state.db.write() as session:
            entry = session.get(LogEntry, 0)
            entry.record = {**entry.record, "kind": "human"}
        answer = client.get(f"/v1/labels/{issued['label_id']}/proof")
        assert (answer.status_code, answer.json()["code"]) == (500, "tanba.log.entry_changed")


def test_another_key_than_the_one_that_signed_the_log_is_refused_at_the_start(tmp_path, monkeypatch, capsys):
    """A server or worker on another machine would make a key of its own, and with it a second log of the same name."""
    with TestClient(create_app(make_settings(tmp_path))) as client:
        Service(client).label(jpeg())
    key = tmp_path / "service" / "log.key"
    kept = key.read_text()
    key.unlink()
    with pytest.raises(StorageError) as caught, TestClient(create_app(make_settings(tmp_path))):
        pass
    assert (caught.value.code, caught.value.retryable) == ("tanba.log.key_changed", False)
    assert "log.key" in caught.value.hint
    for name in ("service", "keys", "trust"):
        monkeypatch.setenv(f"TANBA_{name.upper()}_DIR", str(tmp_path / name))
    with pytest.raises(SystemExit) as left:
        main(["log", "check", "--local"])
    assert left.value.code == 5
    assert "log.key is not the key" in capsys.readouterr().err
    with TestClient(create_app(make_settings(tmp_path, accept_log_key=True))) as client:
        assert client.get("/readyz").json()["checks"]["log"] == "ok"
    key.write_text(kept)
    with pytest.raises(SystemExit) as left:
        main(["log", "check", "--local"])
    assert not left.value.code
    with TestClient(create_app(make_settings(tmp_path))) as client:
        assert client.get("/readyz").json()["checks"]["log"] == "ok"
