"""The text shown when everything is ready."""

from django.db import connections

from erp import demo


def welcome_text(url: str) -> str:
    """Tell the addresses and the demo logins that exist."""
    lines = [
        "",
        f"Storefront  {url}",
        f"Admin       {url}admin/",
        f"REST API    {url}api/v1/ (described at {url}api/docs/)",
        "",
    ]
    logins = demo.logins()
    connections.close_all()
    if logins:
        lines += ["Demo logins (user / password):"]
        for login in logins:
            token = f", token {login.token}" if login.token else ""
            lines.append(f"  {login.username:<12} / {login.password:<12} {login.may}{token}")
        lines.append("")
    lines.append("Ready. Ctrl-C, or `make stop` from another terminal, stops everything.")
    return "\n".join(lines)
