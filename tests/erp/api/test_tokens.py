"""Scripts log in with name and password for a token."""

from __future__ import annotations

from django.test import Client

from erp.demo import create_people
from tests.databases import ErpDatabase


def test_password_gives_a_token_that_opens_the_api(fresh_erp: ErpDatabase) -> None:
    create_people()
    client = Client()
    answer = client.post("/api/v1/token/", {"username": "finance", "password": "finance"})
    token = answer.json()["token"]
    assert client.get("/api/v1/admin_app/customers/", headers={"Authorization": f"Token {token}"}).status_code == 200
    assert client.post("/api/v1/token/", {"username": "finance", "password": "wrong"}).status_code == 400
