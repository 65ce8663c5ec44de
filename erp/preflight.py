"""Checks real servers given by URL before anything starts. Each line says what is missing and what gives it."""

import re
from collections.abc import Iterator, Mapping

import psycopg
import redis
from psycopg import sql

from erp import ownership
from erp.environment import DatabaseTarget, Environment
from erp.supervisor.plan import connection_budget

OLDEST_VERSION = 18
RESERVE = 10  # connections left to people and backups


def check_servers(environment: Environment) -> list[str]:
    """Check what the URLs in the environment point at; an installation on embedded servers has nothing to check.

    Returns one line per missing thing, none when all is well. Writes nothing.
    """
    problems = [*_urls(environment.environ)]
    if problems:
        return problems
    if not environment.is_embedded:
        problems += _postgres(environment)
    if environment.environ.get("ERP_REDIS_URL"):
        problems += _redis(environment.environ["ERP_REDIS_URL"])
    return problems


def _urls(environ: Mapping[str, str]) -> Iterator[str]:
    names = ["ERP_DATABASE_URL", *(_variable(module) for module in ownership.SCHEMAS)]
    targets: dict[str, DatabaseTarget] = {}
    for name in names:
        if name in environ:
            try:
                targets[name] = DatabaseTarget.from_url(environ[name])
            except ValueError:
                yield f"{name} must read postgresql://user:password@host:port/database"
    places = {name: (target.host, target.port, target.name) for name, target in targets.items()}
    first = next(iter(places), "")
    for name, place in places.items():
        if place != places[first]:
            yield (
                f"{name} names {_place(place)}, {first} names {_place(places[first])}: instant writes need all schemas "
                "in one database, so all URLs must have the same host, port and database"
            )
    if targets and "ERP_DATABASE_URL" not in targets:
        for module in ownership.SCHEMAS:
            if _variable(module) not in environ:
                yield f"{_variable(module)} is missing: without ERP_DATABASE_URL every module needs its own"


def _postgres(environment: Environment) -> Iterator[str]:
    for role in _logins(environment.environ):
        target = environment.login(role)
        where = f"{target.user}@{_place((target.host, target.port, target.name))}"
        try:
            with psycopg.connect(**target.conninfo(), connect_timeout=10, autocommit=True) as link:
                if link.info.server_version < OLDEST_VERSION * 10000:
                    yield (
                        f"PostgreSQL {OLDEST_VERSION} or later is needed, "
                        f"{where} is version {link.info.server_version // 10000}: upgrade the server"
                    )
                    return
                yield from _administrator(link, target) if role == "postgres" else _module(link, role)
        except psycopg.OperationalError as error:
            yield f"cannot log in as {where}: {_first_line(error)}"
            return


def _logins(environ: Mapping[str, str]) -> list[str]:
    # With an administrator the set-up that follows makes the modules' roles, their passwords and schemas.
    if "ERP_DATABASE_URL" in environ:
        return ["postgres"]
    return [module for module in ownership.SCHEMAS if _variable(module) in environ]


def _administrator(link: psycopg.Connection, target: DatabaseTarget) -> Iterator[str]:
    """The one who creates roles and schemas and sets who may enter the database."""
    user, database = sql.Identifier(target.user), sql.Identifier(target.name)
    row = link.execute(
        "SELECT rolsuper, rolcreaterole, has_database_privilege(current_database(), 'CREATE'), "
        "pg_has_role(datdba, 'USAGE'), current_setting('max_connections')::int "
        "FROM pg_roles, pg_database WHERE rolname = current_user AND datname = current_database()"
    ).fetchone()
    assert row is not None
    is_super, may_create_roles, may_create_schemas, owns_database, max_connections = row
    missing: list[tuple[str, sql.Composed]] = []
    if not may_create_roles:
        missing.append(("may not create roles", sql.SQL("ALTER ROLE {} CREATEROLE;").format(user)))
    missing += [
        (f"may not alter the existing role {role}", sql.SQL("GRANT {} TO {} WITH ADMIN OPTION;").format(name, user))
        for role in _foreign_roles(link)
        for name in [sql.Identifier(role)]
    ]
    if not may_create_schemas:
        what = f"may not create schemas in database {target.name}"
        missing.append((what, sql.SQL("GRANT CREATE ON DATABASE {} TO {};").format(database, user)))
    if not owns_database:
        what = f"does not own database {target.name} and cannot say who may enter it"
        missing.append((what, sql.SQL("ALTER DATABASE {} OWNER TO {};").format(database, user)))
    if not is_super:
        yield from (f"{target.user} {what}; a superuser gives it: {cure.as_string(link)}" for what, cure in missing)
    yield from _budget(max_connections)


def _foreign_roles(link: psycopg.Connection) -> list[str]:
    """Roles of ours that exist and that this login may not alter."""
    wanted = [role for m in ownership.SCHEMAS for role in (ownership.ddl_role(m), ownership.runtime_role(m))]
    rows = link.execute(
        "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s) "
        "AND NOT pg_has_role(current_user, oid, 'USAGE WITH ADMIN OPTION') ORDER BY 1",
        [wanted],
    )
    return [role for (role,) in rows]


def _module(link: psycopg.Connection, module: str) -> Iterator[str]:
    """A runtime login without an administrator: its schema must be there and open to it."""
    row = link.execute(
        "SELECT has_schema_privilege(to_regnamespace(%s)::oid, 'USAGE'), current_setting('max_connections')::int",
        [module],
    ).fetchone()
    assert row is not None
    if not row[0]:
        yield (
            f"schema {module} is missing or closed to {link.info.user}: run `manage.py migrate` and "
            "`manage.py provision` with ERP_DATABASE_URL set to an administrator"
        )
    if module == ownership.PLATFORM:
        yield from _budget(row[1])


def _budget(max_connections: int) -> Iterator[str]:
    needed = connection_budget() + RESERVE
    if needed > max_connections:
        yield (
            f"max_connections is {max_connections}, our processes may open {needed}: "
            f"ALTER SYSTEM SET max_connections = {needed}; and restart PostgreSQL, or lower ERP_WEB_THREADS"
        )


def _redis(url: str) -> Iterator[str]:
    shown = re.sub(r"//[^@/]*@", "//…@", url)
    plain = url.replace("redis+socket://", "unix://").replace("virtual_host=", "db=")
    try:
        client = redis.Redis.from_url(plain, socket_connect_timeout=5, socket_timeout=5)
        try:
            client.ping()
        finally:
            client.close()
    except ValueError:
        yield f"ERP_REDIS_URL must read redis://:password@host:port/0 or unix://:password@/path?db=0, not {shown}"
    except redis.AuthenticationError as error:
        yield f"Redis at {shown} refuses the login: {_first_line(error)}; put the password into ERP_REDIS_URL"
    except (redis.RedisError, OSError) as error:
        yield f"Redis at {shown} does not answer: {_first_line(error)}; start it or correct ERP_REDIS_URL"


def _variable(module: str) -> str:
    return f"ERP_DATABASE_URL_{module.upper()}"


def _place(place: tuple[str, int, str]) -> str:
    return f"{place[0]}:{place[1]}/{place[2]}"


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
