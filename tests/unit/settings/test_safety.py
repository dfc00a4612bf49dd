"""What production refuses, each by the name of the variable; and how the environment is read."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from bars_portal.settings.environment import env
from bars_portal.settings.safety import require_safe_production

ROOT = Path(__file__).resolve().parents[3]
KEY = "k9#Vw2!pQz7@Lm4$Xc8%Rt1^Yb6&Nd3*Hf5(Js0)Ga-Ke+Tu=Wo"
BARS = {
    "ENVIRONMENT": "int",
    "API_KEY": "key",
    "KEY_ID": "MySupplier-INT-1",
    "PRIVATE_KEY_FILE": "/run/secrets/bars.pem",
    "ODS_CODE": "RX111",
    "ORGANISATION_NAME": "Northern 111",
    "SERVICE_ID": "2000088001",
}
SAFE: dict[str, Any] = {
    "secret_key": KEY,
    "debug": False,
    "allowed_hosts": ["portal.example.nhs.uk"],
    "bars": BARS,
    "shared_credentials": False,
    "broker_url": "redis://broker:6379/0",
    "trusted_proxies": ["127.0.0.1", "::1", "10.0.0.0/24", "unix"],
    "portal_proxies": ["127.0.0.1", "10.0.0.0/24"],
    "cis2": {"ISSUER": "https://am.example.nhs.uk/NHSIdentity", "PRIVATE_KEY_FILE": "/run/secrets/cis2.pem"},
    "audit": {"SIGNING_KEY_FILE": "/run/secrets/audit.key", "HEADS_FOLDER": "/srv/heads"},
    "process": "worker",
    "var": Path("/srv/portal/var"),
}
_KEY_IN_VAR = {"SIGNING_KEY_FILE": "/srv/portal/var/keys/audit.key", "HEADS_FOLDER": "/srv/heads"}


def test_a_safe_configuration_starts() -> None:
    require_safe_production(**SAFE)
    for broker in ("rediss://b/0", "amqp://b//", "amqps://b//", "sentinel://b:1"):
        require_safe_production(**{**SAFE, "broker_url": broker})
    # Each organisation has an application of its own.
    without = BARS | {"API_KEY": "", "KEY_ID": "", "PRIVATE_KEY_FILE": ""}
    require_safe_production(**{**SAFE, "bars": without})


UNSAFE: list[tuple[str, dict[str, Any]]] = [
    ("DJANGO_DEBUG", {"debug": True}),
    ("DJANGO_SECRET_KEY", {"secret_key": "short"}),
    ("DJANGO_SECRET_KEY", {"secret_key": "a" * 80}),
    ("DJANGO_SECRET_KEY", {"secret_key": "demo-only-not-a-secret-demo-only-not-a-secret-demo-only"}),
    ("ALLOWED_HOSTS", {"allowed_hosts": []}),
    ("ALLOWED_HOSTS", {"allowed_hosts": ["portal.example.nhs.uk", "*"]}),
    ("CIS2_ISSUER", {"cis2": {"ISSUER": "http://am.example.nhs.uk", "PRIVATE_KEY_FILE": ""}}),
    ("CIS2_PRIVATE_KEY_FILE", {"cis2": {"ISSUER": "", "PRIVATE_KEY_FILE": "/srv/portal/var/keys/demo.pem"}}),
    ("AUDIT_SIGNING_KEY_FILE", {"audit": {"SIGNING_KEY_FILE": "", "HEADS_FOLDER": "/srv/heads"}}),
    ("AUDIT_SIGNING_KEY_FILE", {"process": "portal", "audit": _KEY_IN_VAR}),
    ("AUDIT_HEADS_FOLDER", {"audit": {"SIGNING_KEY_FILE": "/run/secrets/audit.key", "HEADS_FOLDER": ""}}),
    ("BROKER_URL", {"broker_url": ""}),
    ("BROKER_URL", {"broker_url": "filesystem://"}),
    ("BROKER_URL", {"broker_url": "memory://"}),
    ("BARS_TRUSTED_PROXIES", {"trusted_proxies": ["127.0.0.1", "0.0.0.0/0"]}),
    ("BARS_TRUSTED_PROXIES", {"trusted_proxies": ["::/0"]}),
    ("BARS_TRUSTED_PROXIES", {"trusted_proxies": ["proxy.example.nhs.uk"]}),
    ("FORWARDED_ALLOW_IPS", {"portal_proxies": ["*"]}),
    ("FORWARDED_ALLOW_IPS", {"portal_proxies": ["0.0.0.0/0"]}),
    ("BARS_ENVIRONMENT", {"bars": BARS | {"ENVIRONMENT": "simulator"}}),
    ("BARS_ENVIRONMENT", {"bars": BARS | {"ENVIRONMENT": "simulated-int"}}),
    *(
        (f"BARS_{name}", {"bars": BARS | {name: ""}})
        for name in ("API_KEY", "KEY_ID", "PRIVATE_KEY_FILE", "ODS_CODE", "ORGANISATION_NAME", "SERVICE_ID")
    ),
    ("BARS_SHARED_CREDENTIALS", {"bars": BARS | {"ENVIRONMENT": "prod"}, "shared_credentials": True}),
    ("BARS_KEY_ID", {"bars": BARS | {"KEY_ID": "BarsPortal-SIMULATOR-1"}}),
    ("BARS_PRIVATE_KEY_FILE", {"bars": BARS | {"PRIVATE_KEY_FILE": "/srv/portal/var/keys/key.pem"}}),
    ("BARS_PRIVATE_KEY_FILE", {"bars": BARS | {"PRIVATE_KEY_FILE": "/srv/portal/x/../var/key.pem"}}),
]


@pytest.mark.parametrize(("variable", "change"), UNSAFE)
def test_each_unsafe_value_is_refused_by_name(variable: str, change: dict[str, Any]) -> None:
    with pytest.raises(ImproperlyConfigured) as refusal:
        require_safe_production(**{**SAFE, **change})
    lines = str(refusal.value).splitlines()[1:]
    assert len(lines) == 1
    assert lines[0].startswith(f"- {variable} ")
    for value in (KEY, "demo-only", "/srv/portal", "RX111"):
        assert value not in str(refusal.value)


def test_a_demo_key_is_recognised_through_a_relative_var(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    bars = BARS | {"PRIVATE_KEY_FILE": "var/keys/key.pem"}
    with pytest.raises(ImproperlyConfigured, match="BARS_PRIVATE_KEY_FILE"):
        require_safe_production(**{**SAFE, "bars": bars, "var": Path("var")})


def test_all_problems_are_named_at_once() -> None:
    change = {"debug": True, "broker_url": "", "bars": BARS | {"API_KEY": ""}}
    with pytest.raises(ImproperlyConfigured) as refusal:
        require_safe_production(**{**SAFE, **change})
    for variable in ("DJANGO_DEBUG", "BROKER_URL", "BARS_API_KEY"):
        assert variable in str(refusal.value)


PRODUCTION = {
    "DATABASE_URL": "postgresql://portal@db/portal",
    "DJANGO_SECRET_KEY": KEY,
    "ALLOWED_HOSTS": "portal.example.nhs.uk",
    "BROKER_URL": "redis://broker:6379/0",
    "BARS_ENVIRONMENT": "int",
    **{f"BARS_{name}": value for name, value in BARS.items() if name != "ENVIRONMENT"},
}


def start(module: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    options = "s.DEBUG, s.SECURE_HSTS_SECONDS, s.CELERY_BROKER_TRANSPORT_OPTIONS"
    lines = f"import bars_portal.settings.{module} as s; print({options})"
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", lines],
        env={"PATH": os.environ["PATH"], **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_production_starts_with_safe_values_and_not_with_a_demo_broker(tmp_path: Path) -> None:
    environment = {**PRODUCTION, "BARS_VAR": str(tmp_path)}
    started = start("production", environment)
    assert started.returncode == 0, started.stderr
    waits = {"max_retries": 0, "socket_connect_timeout": 2, "socket_timeout": 5}
    assert started.stdout == f"False 31536000 {waits}\n", "a broker that is down holds nobody up"
    del environment["BROKER_URL"]
    refused = start("production", environment)
    assert refused.returncode != 0
    assert "BROKER_URL must name" in refused.stderr


def test_the_demo_speaks_to_the_simulator_only(tmp_path: Path) -> None:
    refused = start("demo", {**PRODUCTION, "BARS_VAR": str(tmp_path)})
    assert refused.returncode != 0
    assert "BARS_ENVIRONMENT must be simulator" in refused.stderr


# -- environment.py


@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_variable_is_named(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv("SOME_VARIABLE", raising=False)
    if value is not None:
        monkeypatch.setenv("SOME_VARIABLE", value)
    with pytest.raises(ImproperlyConfigured, match="SOME_VARIABLE"):
        env.text("SOME_VARIABLE")
    assert env.text("SOME_VARIABLE", "default") in ("default", value)


@pytest.mark.parametrize("value", ["$ecret", "$$", "pa$$word", r"\$5", r"5\\$", "$PATH"])
def test_a_value_that_begins_with_a_dollar_is_a_value(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SOME_VARIABLE", value)
    assert env.text("SOME_VARIABLE") == env.text("SOME_VARIABLE", "x") == value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("true", True),
        ("1", True),
        ("On", True),
        ("yes ", True),
        ("false", False),
        ("0", False),
        ("NO", False),
    ],
)
def test_flags(monkeypatch: pytest.MonkeyPatch, text: str, expected: bool) -> None:
    monkeypatch.setenv("SOME_VARIABLE", text)
    assert env.flag("SOME_VARIABLE", default=not expected) is expected


@pytest.mark.parametrize("default", [True, False])
def test_a_flag_that_is_not_set(monkeypatch: pytest.MonkeyPatch, default: bool) -> None:
    monkeypatch.delenv("SOME_VARIABLE", raising=False)
    assert env.flag("SOME_VARIABLE", default=default) is default
    monkeypatch.setenv("SOME_VARIABLE", "")
    assert env.flag("SOME_VARIABLE", default=default) is default


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (lambda: env.flag("SOME_VARIABLE", default=True), "flase"),
        (lambda: env.whole("SOME_VARIABLE", 12, 1, 24), "many"),
        (lambda: env.whole("SOME_VARIABLE", 12, 1, 24), ""),
        (lambda: env.whole("SOME_VARIABLE", 12, 1, 24), "25"),
        (lambda: env.whole("SOME_VARIABLE", 12, 1, 24), "0"),
        (lambda: env.port("SOME_VARIABLE", 8000), "65536"),
        (lambda: env.file("SOME_VARIABLE"), "/nowhere/hidden"),
        (lambda: env.numbers("SOME_VARIABLE"), "5,hidden"),
        (lambda: env.numbers("SOME_VARIABLE"), "5,-1"),
        (lambda: env.choice("SOME_VARIABLE", ("a", "b"), "a"), "c"),
        (lambda: env.database("SOME_VARIABLE"), "sqlite:///file"),
        (lambda: env.database("SOME_VARIABLE"), "mysql://u:hidden@h/d"),
        (lambda: env.database("SOME_VARIABLE"), "nonsense hidden"),
        (lambda: env.database("SOME_VARIABLE"), "postgresql://u:hidden@h:port/d"),
        (lambda: env.database("SOME_VARIABLE"), "postgresql://u:hidden@[::1/d"),
    ],
)
def test_a_wrong_value_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, read: Any, value: str) -> None:
    monkeypatch.setenv("SOME_VARIABLE", value)
    with pytest.raises(ImproperlyConfigured, match="SOME_VARIABLE") as refusal:
        read()
    assert "hidden" not in str(refusal.value)
    assert "hidden" not in str(refusal.value.__cause__)


def test_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_VARIABLE", " a, b,,c ")
    assert env.listing("SOME_VARIABLE") == ["a", "b", "c"]
    monkeypatch.setenv("SOME_VARIABLE", "")
    assert env.listing("SOME_VARIABLE", ["x"]) == [], "empty on purpose"
    monkeypatch.delenv("SOME_VARIABLE")
    assert env.listing("SOME_VARIABLE", ["x"]) == ["x"]


def test_databases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_VARIABLE", "postgresql://u:p@h:5433/d?host=/sockets")
    config = env.database("SOME_VARIABLE")
    assert config["ENGINE"] == "django.db.backends.postgresql"
    assert (config["NAME"], config["USER"], config["PORT"]) == ("d", "u", 5433)
    assert config["OPTIONS"] == {"host": "/sockets"}
