"""Django settings; what differs between installations comes from erp/environment.py."""

from __future__ import annotations

import hmac
import os
from datetime import date
from decimal import Decimal
from typing import Any

import django_stubs_ext

from erp import ownership
from erp.email_url import read_email_url
from erp.environment import PROJECT_DIR, load_environment

django_stubs_ext.monkeypatch()

BASE_DIR = PROJECT_DIR
ENVIRONMENT = load_environment(start=os.environ.get("ERP_START_SERVICES", "1") == "1")
ERP_HOME = ENVIRONMENT.home
ERP_SHARED_DIR = os.environ.get("ERP_SHARED_DIR", str(PROJECT_DIR.parent / "shared"))

SECRET_KEY = ENVIRONMENT.secret_key
DEBUG = os.environ.get("ERP_DEBUG", "") == "1"
ALLOWED_HOSTS = os.environ.get("ERP_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1],testserver").split(",")
CSRF_TRUSTED_ORIGINS = [o for o in os.environ.get("ERP_TRUSTED_ORIGINS", "").split(",") if o]
ROOT_URLCONF = "erp.urls"
WSGI_APPLICATION = "erp.wsgi.application"

INSTALLED_APPS = [
    "erp",
    "unfold",
    "unfold.contrib.import_export",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "rest_framework",
    "rest_framework.authtoken",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "import_export",
    "django_celery_beat",
    *ownership.MODULES,
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "erp.middleware.ActorMiddleware",
    "storefront.middleware.ShopErrors",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "erp.context.company",
                "storefront.context.shop",
            ]
        },
    }
]

# --- databases: one alias per module, each with its own role and a fixed search_path ---------------

RUNS_AS_DDL = os.environ.get("ERP_DB_ROLE", "runtime") == "ddl"
LOCK_TIMEOUT_MS = int(os.environ.get("ERP_LOCK_TIMEOUT_MS", "2000"))
STATEMENT_TIMEOUT_MS = int(os.environ.get("ERP_STATEMENT_TIMEOUT_MS", "30000"))
POOL_MAX = int(os.environ.get("ERP_POOL_MAX", "0"))  # 0 = no pool: one connection per thread and alias


def _database(module: str) -> dict[str, Any]:
    role = ownership.ddl_role(module) if RUNS_AS_DDL else ownership.runtime_role(module)
    target = ENVIRONMENT.login(role)
    timeouts = "" if RUNS_AS_DDL else f" -c lock_timeout={LOCK_TIMEOUT_MS} -c statement_timeout={STATEMENT_TIMEOUT_MS}"
    options: dict[str, Any] = {
        "application_name": f"erp {module}",
        "options": f"-c search_path={module},pg_temp{timeouts}",
        "prepare_threshold": 5,  # without it Django forbids psycopg to prepare, also where we ask for it
    }
    if POOL_MAX:
        options["pool"] = {"min_size": 0, "max_size": POOL_MAX, "timeout": 10}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": target.host,
        "PORT": target.port,
        "NAME": target.name,
        "USER": target.user,
        "PASSWORD": target.password,
        "CONN_MAX_AGE": 0 if POOL_MAX else 60,
        "CONN_HEALTH_CHECKS": not POOL_MAX,
        "ATOMIC_REQUESTS": False,
        "OPTIONS": options,
        "TEST": {"MIGRATE": False},
    }


DATABASES = {ownership.alias_of(module): _database(module) for module in ownership.SCHEMAS}
DATABASE_ROUTERS = ["erp.router.OwnershipRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "erp.User"
SILENCED_SYSTEM_CHECKS = [
    "models.W035",  # the same table name in several schemas is the design: one schema per module
]

# --- web -------------------------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = ERP_HOME / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise warns about a missing one
MEDIA_URL = "media/"
SHOP_URL = os.environ.get("ERP_SHOP_URL", "http://127.0.0.1:8000")  # for links in e-mails
MEDIA_ROOT = ERP_HOME / "media"
# The card provider: its address (none: no cards are taken) and the secret that signs what is said in both directions.
CARD_URL = os.environ.get("ERP_CARD_URL", "")
CARD_SECRET = (
    os.environ.get("ERP_CARD_SECRET", "") or hmac.new(SECRET_KEY.encode(), b"card stand-in", "sha256").hexdigest()
)
HOLD_S = int(os.environ.get("ERP_HOLD_S", "900"))  # how long pieces are set aside for a payment
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
LOGIN_URL = "/account/login/"
LOGIN_REDIRECT_URL = "/account/"
LOGOUT_REDIRECT_URL = "/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
# Behind TLS set ERP_HTTPS=1; the embedded set-up serves plain HTTP on loopback only.
HTTPS = os.environ.get("ERP_HTTPS", "") == "1"
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
TRUSTED_PROXIES = int(os.environ.get("ERP_TRUSTED_PROXIES", "1" if HTTPS else "0"))  # whose X-Forwarded-For counts
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("hu", "Magyar")]
LOCALE_PATHS = [BASE_DIR / module / "locale" for module in ownership.MODULES]
TIME_ZONE = "UTC"
SHOP_TIME_ZONE = os.environ.get("ERP_SHOP_TIME_ZONE", "Europe/Budapest")  # in which shoppers read times
USE_TZ = True

_EMAIL = read_email_url(os.environ.get("ERP_EMAIL_URL") or f"file://{ERP_HOME / 'mail'}")
EMAIL_BACKEND = _EMAIL.backend
EMAIL_HOST, EMAIL_PORT = _EMAIL.host, _EMAIL.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _EMAIL.user, _EMAIL.password
EMAIL_USE_TLS, EMAIL_USE_SSL = _EMAIL.use_tls, _EMAIL.use_ssl
EMAIL_FILE_PATH = _EMAIL.folder
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = os.environ.get("ERP_EMAIL_FROM", "shop@example.com")

CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "erp.api.pagination.KeysetPagination",
    "DEFAULT_RENDERER_CLASSES": ["erp.api.renderers.ExactJSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "erp.api.problems.problem_handler",
    "COERCE_DECIMAL_TO_STRING": True,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "ERP API",
    "DESCRIPTION": "Each entity is written at its owner and read at its owner and readers.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    # Choices stay where they are used: names for shared ones would collide between modules.
    "POSTPROCESSING_HOOKS": ["erp.api.schema.add_problems"],
}
UNFOLD = {
    "SITE_TITLE": "ERP",
    "SITE_HEADER": "ERP",
    "SITE_URL": "/",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "erp.admin_site.dashboard",
    "SIDEBAR": {"show_search": True, "show_all_applications": False, "navigation": "erp.admin_site.navigation"},
    "COMMAND": {"search_models": True},
    "STYLES": ["erp.admin_site.stylesheet"],
}

# --- Celery ----------------------------------------------------------------------------------------

CELERY_BROKER_URL = ENVIRONMENT.broker_url
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TIMEZONE = "UTC"
CELERY_ENABLE_UTC = True
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 1
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_DEFAULT_QUEUE = "platform"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "socket_timeout": 5,
    "socket_connect_timeout": 0.5,
    # Who rings the bell does not wait for it to be mended: one try, then the periodic relay does the work.
    "max_retries": 0,
    "interval_start": 0,
    "interval_step": 0,
    "connect_retries_timeout": 0.5,
}
CELERY_TASK_PUBLISH_RETRY = False  # a hint that cannot be given is dropped: the row is what counts

# --- alerts and the scrubber (docs/operations.md); a channel without its settings is off ----------------

ALERTING = {
    "pagerduty_routing_key": os.environ.get("ERP_PAGERDUTY_ROUTING_KEY", ""),
    "pagerduty_url": os.environ.get("ERP_PAGERDUTY_URL", "https://events.pagerduty.com"),
    "slack_webhook_url": os.environ.get("ERP_SLACK_WEBHOOK_URL", ""),
    "email_to": [a.strip() for a in os.environ.get("ERP_ALERT_EMAIL_TO", "").split(",") if a.strip()],
}
SCRUB_REST = float(os.environ.get("ERP_SCRUB_REST", "1.0"))  # seconds a background run rests per second worked
SCRUB_THRESHOLDS = {  # drift (a share of the rows) beyond which a check alerts, by check: customers=0.002,products=0
    name.strip(): float(share)
    for name, _, share in (pair.partition("=") for pair in os.environ.get("ERP_SCRUB_THRESHOLDS", "").split(","))
    if name.strip()
}
SCRUB_BOUND_S = int(os.environ.get("ERP_SCRUB_BOUND_S", "7200"))  # a nightly run that takes longer alerts
CLOCK_SKEW_MAX_S = float(os.environ.get("ERP_CLOCK_SKEW_MAX_S", "1.0"))

# --- company (one per installation) -----------------------------------------------------------------

COMPANY: dict[str, Any] = {
    "name": os.environ.get("ERP_COMPANY_NAME", "Demo Kft."),
    "tax_number": os.environ.get("ERP_COMPANY_TAX_NUMBER", "12345676-2-41"),
    "country": "HU",
    "postcode": "1011",
    "city": "Budapest",
    "street": "Fő utca 1.",
    "bank_account": os.environ.get("ERP_COMPANY_BANK_ACCOUNT", "11111111-22222222-33333333"),
    "email": DEFAULT_FROM_EMAIL,
    "is_small_business": os.environ.get("ERP_COMPANY_SMALL_BUSINESS", "") == "1",
    "is_cash_accounting": os.environ.get("ERP_COMPANY_CASH_ACCOUNTING", "") == "1",
    "is_individually_exempt": os.environ.get("ERP_COMPANY_INDIVIDUALLY_EXEMPT", "") == "1",
}
BASE_CURRENCY = os.environ.get("ERP_BASE_CURRENCY", "HUF")
WRITE_OFF_LIMIT = Decimal(os.environ.get("ERP_WRITE_OFF_LIMIT", "1000"))  # of one document, in base currency

# --- reports to the tax office (docs/nav.md); credentials: the environment or, encrypted, the database -------------

_NAV_SCHEMAS = os.path.join(ERP_SHARED_DIR, "nav", "xsd")
NAV: dict[str, Any] = {
    # off, standin (this machine), test or live. With servers of your own nothing is reported before you say where.
    "endpoint": os.environ.get("ERP_NAV_ENDPOINT", "standin" if ENVIRONMENT.is_embedded else "off"),
    "schema_dir": os.environ.get("ERP_NAV_SCHEMA_DIR", _NAV_SCHEMAS if os.path.isdir(_NAV_SCHEMAS) else ""),
    "url": os.environ.get("ERP_NAV_URL", ""),  # another address of the test system, or a stand-in elsewhere here
    "appearance": os.environ.get("ERP_NAV_APPEARANCE", "ELECTRONIC"),
    "max_batch": int(os.environ.get("ERP_NAV_MAX_BATCH", "100")),
    "timeout_s": float(os.environ.get("ERP_NAV_TIMEOUT_S", "60")),
    "recovery_wait_s": float(os.environ.get("ERP_NAV_RECOVERY_WAIT_S", "300")),
    "alarm_h": float(os.environ.get("ERP_NAV_ALARM_H", "12")),  # not reported so long after the issue: an incident
    "annulment_alarm_days": float(os.environ.get("ERP_NAV_ANNULMENT_ALARM_DAYS", "3")),  # not decided: an incident
    "nightly_requests": int(os.environ.get("ERP_NAV_NIGHTLY_REQUESTS", "1000")),  # of the nightly check, newest first
    # The live system is told of documents issued from this day on; what was issued before was a trial.
    "live_since": date.fromisoformat(os.environ.get("ERP_NAV_LIVE_SINCE", "1970-01-01")),
    "software_id": os.environ.get("ERP_NAV_SOFTWARE_ID", "ERP-MODULAR-000001"),
    "standin_port": int(os.environ.get("ERP_NAV_STANDIN_PORT", "0")),  # 0 = any free one
    # Faults of the stand-in and, for the one that `manage.py up` keeps running, how long batches stay in each state.
    "standin_faults": os.environ.get("ERP_NAV_STANDIN_FAULTS", "[]"),
    "standin_received_s": float(os.environ.get("ERP_NAV_STANDIN_RECEIVED_S", "1")),
    "standin_processing_s": float(os.environ.get("ERP_NAV_STANDIN_PROCESSING_S", "2")),
}

# Services of this machine that stand in for others; `manage.py up` keeps them running.
LOCAL_SERVICES: list[tuple[str, list[str]]] = []
if NAV["endpoint"] == "standin" and not NAV["url"]:
    _TIMES = [f"--{name}-s={NAV[f'standin_{name}_s']}" for name in ("received", "processing")]
    LOCAL_SERVICES.append(("nav-standin", ["nav_standin", *_TIMES]))

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("ERP_LOG_LEVEL", "WARNING")},
}

ERP_SEND_HINTS = os.environ.get("ERP_SEND_HINTS", "1") == "1"
"""Whether commits send Celery hints; without them the periodic relay does the work a little later."""
