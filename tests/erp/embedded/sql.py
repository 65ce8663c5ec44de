"""Ask the servers of a home through the ordinary drivers."""

from typing import Any

import psycopg
import redis

from erp.embedded import Services


def ask(services: Services, statement: str, database: str | None = None) -> Any:
    """Run one statement as the superuser; returns the first value of the first row, if any."""
    with psycopg.connect(
        host=services.postgres_host,
        port=services.postgres_port,
        user=services.postgres_superuser,
        password=services.postgres_password,
        dbname=database or services.database,
    ) as connection:
        cursor = connection.execute(statement)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def redis_of(services: Services) -> "redis.Redis":
    """Open a client; the caller uses it as a context manager."""
    return redis.Redis.from_url(services.redis_url)
