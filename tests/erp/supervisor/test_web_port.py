"""The web port is the one asked for, or the first that is free."""

import socket

import pytest

from erp.supervisor import web_port


def test_busy_port_is_refused_in_one_line() -> None:
    with web_port.listen("127.0.0.1", 0) as busy:
        port = busy.getsockname()[1]
        with pytest.raises(web_port.PortBusy, match=f"port {port} of 127.0.0.1 is in use: set ERP_WEB_PORT"):
            web_port.listen("127.0.0.1", port)


def test_next_free_port_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with web_port.listen("127.0.0.1", 0) as busy:
        first = busy.getsockname()[1]
        monkeypatch.setattr(web_port, "FIRST_PORT", first)
        with web_port.listen("127.0.0.1", None) as listener:
            assert first < listener.getsockname()[1] < first + web_port.TRIES


def test_port_of_a_server_that_is_ending_is_waited_for() -> None:
    busy = web_port.listen("127.0.0.1", 0)
    port = busy.getsockname()[1]
    calls = []

    def free_at_second_try(host: str, number: int) -> socket.socket | None:
        calls.append(number)
        if len(calls) == 2:
            busy.close()
        return real(host, number)

    real = web_port._try
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(web_port, "_try", free_at_second_try)
        web_port.listen("127.0.0.1", port, wait_s=5).close()
    assert calls == [port, port]
