"""All settings of an instance: environment variables with the prefix `DREHKREUZ_`, or `.env` in the home.

`docs/settings.md` is generated from the descriptions below (`python -m deployments.settings_page`).
"""

import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from kit.errors import UsageError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

PREFIX = "DREHKREUZ_"
CREDENTIALS = "CREDENTIALS_DIRECTORY"
"""systemd's name for the folder with the credentials of a service."""


def home() -> Path:
    """The folder that holds everything an instance keeps (`DREHKREUZ_HOME`, default `./var`)."""
    return Path(os.environ.get(f"{PREFIX}HOME") or "var").expanduser().resolve()


def exchange() -> Path:
    """Where files are exchanged with other systems: a folder that all machines share, else the home."""
    chosen = settings().exchange_folder
    return Path(chosen).expanduser().resolve() if chosen else home()


class Settings(BaseSettings):
    """Read once at the edge and handed down; no secret has a default."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    database_url: str = Field(
        "", description="Fremde PostgreSQL-Datenbank (>= 15); leer = eingebettete Datenbank im Heimordner."
    )
    smtp_host: str = Field("", description="Mailserver für ausgehende Post; leer = lokale Senke im Heimordner.")
    smtp_port: int = Field(587, ge=1, le=65535, description="Port des Mailservers.")
    smtp_user: str = Field("", description="Benutzer am Mailserver; leer = ohne Anmeldung.")
    smtp_password: SecretStr = Field(SecretStr(""), description="Kennwort am Mailserver.")
    smtp_tls: Literal["required", "starttls", "none"] = Field(
        "starttls",
        description="required = TLS von Anfang an, starttls = STARTTLS erzwungen, none = unverschlüsselt (nur lokal).",
    )
    smtp_timeout: int = Field(30, ge=1, description="Sekunden, bis ein stummer Mailserver aufgegeben wird.")
    mail_from: str = Field("", description="Absender aller Mails; leer = E-Mail-Adresse des Hauses.")
    imap_url: SecretStr = Field(
        SecretStr(""),
        description="Postfach des Hauses für eingehende Mail, imaps://benutzer:kennwort@server/INBOX (Sonderzeichen "
        "prozentkodiert); imap:// nur auf diesem Rechner; leer = keines.",
    )
    s3_endpoint_url: str = Field("", description="S3-Endpunkt; leer = AWS-Standard.")
    s3_bucket: str = Field("", description="S3-Bucket mit Object Lock.")
    s3_access_key: SecretStr = Field(SecretStr(""), description="S3-Zugangsschlüssel; leer = Standardkette von boto3.")
    s3_secret_key: SecretStr = Field(SecretStr(""), description="S3-Geheimschlüssel.")
    archive: Literal["folder", "s3"] = Field("folder", description="Archiv: Ordner im Heimordner oder S3 mit Object Lock.")
    portal_port: int = Field(0, ge=0, le=65535, description="Port des Portals; 0 = freier Port.")
    portal_url: str = Field("", description="Öffentliche Adresse des Portals; leer = Adresse aus house.csv, sonst localhost.")
    portal_proxies: str = Field(
        "127.0.0.1",
        description="Adressen oder Netze der Webserver vor dem Portal, mit Komma: nur von ihnen gilt X-Forwarded-For, "
        "die Adresse des Besuchers, nach der Fehlversuche und Anfragen gezählt werden.",
    )
    privacy_url: str = Field(
        "", description="Adresse der Datenschutzhinweise des Hauses; das Portal verweist auf jeder Seite darauf."
    )
    portal_internal_url: str = Field(
        "",
        description="Adresse des Portals, unter der der Prefect-Server es erreicht (Meldungen über auffällige Läufe); "
        "leer = auf einer Maschine 127.0.0.1, bei mehreren DREHKREUZ_PORTAL_URL.",
    )
    second_factor: Literal["required", "optional"] = Field(
        "required",
        description="Zweiter Faktor für Mitarbeiter am Portal: required = Pflicht, optional = freiwillig (Vorführung).",
    )
    prefect_port: int = Field(0, ge=0, le=65535, description="Port des Prefect-Servers; 0 = freier Port.")
    prefect_url: str = Field(
        "", description="Gemeinsamer Prefect-Server mehrerer Maschinen, http://…:4200; leer = eigener dieses Heims."
    )
    prefect_ui_url: str = Field(
        "",
        description="Adresse, unter der die Browser des Hauses den Prefect-Server erreichen (Tunnel, Webserver davor); "
        "leer = wie DREHKREUZ_PREFECT_URL.",
    )
    prefect_auth: SecretStr = Field(
        SecretStr(""),
        description="Anmeldung am Prefect-Server, benutzer:kennwort; leer = abgeleitet aus dem Kennwort der Datenbank.",
    )
    redis_url: SecretStr = Field(
        SecretStr(""),
        description="Redis für die Nachrichten mehrerer Prefect-Prozesse, redis://…/0; leer = ein Prozess genügt.",
    )
    exchange_folder: str = Field(
        "",
        description="Ordner, über den Dateien mit anderen Systemen getauscht werden (sap/, goods-inbox/); leer = Heimordner. "
        "Bei mehreren Maschinen ein gemeinsamer Ordner.",
    )
    health_listen: str = Field(
        "",
        description="Adresse:Port, unter dem Türklingel, Relay und Worker sagen, ob sie leben (/live, /ready, /metrics); "
        "leer = freier Port auf 127.0.0.1.",
    )
    metrics_token: SecretStr = Field(
        SecretStr(""), description="Bearer-Token für /metrics; Pflicht, sobald die Adresse nicht 127.0.0.1 ist."
    )
    report_grace_days: int = Field(1, ge=0, description="Arbeitstage zwischen angenommener Servicebericht-Mail und Rechnung.")
    service_vat_rate: int = Field(19, description="Umsatzsteuersatz auf Dienstleistungen in Prozent.")
    sap: Literal["files", "service_layer"] = Field(
        "files", description="SAP-Übergabe als Dateien oder über den B1 Service Layer."
    )
    sap_url: str = Field("", description="Adresse des SAP Business One Service Layer.")
    sap_company: str = Field("", description="SAP-Firmendatenbank (CompanyDB).")
    sap_user: str = Field("", description="SAP-Benutzer.")
    sap_password: SecretStr = Field(SecretStr(""), description="SAP-Kennwort.")
    invoice_numbers: Literal["own", "sap"] = Field("own", description="Wer die Rechnungsnummer vergibt (Standard: Drehkreuz).")
    datev_consultant: int = Field(1001, description="DATEV-Beraternummer des Hauses für den Buchungsstapel.")
    datev_client: int = Field(1, description="DATEV-Mandantennummer des Hauses.")
    datev_account_length: int = Field(4, ge=4, le=8, description="Länge der Sachkonten.")
    datev_collective_debtor: str = Field("10000", description="Sammeldebitor für Kunden ohne eigenes Debitorenkonto.")
    datev_revenue_account: str = Field("8400", description="Erlöskonto 19 % (SKR03 8400, SKR04 4400).")
    datev_revenue_account_reduced: str = Field("8300", description="Erlöskonto 7 % (SKR03 8300, SKR04 4300).")
    datev_revenue_account_free: str = Field("8200", description="Erlöskonto steuerfrei.")
    previous_year_turnover_over_800k: bool = Field(
        True, description="Vorjahresumsatz über 800.000 EUR: E-Rechnungspflicht schon 2027 (§ 27 Abs. 38 UStG)."
    )
    vault_keys: SecretStr = Field(SecretStr(""), description="Schlüsselbund des Tresors: id:base64,… ; der erste versiegelt.")
    upload_files_per_day: int = Field(
        500, ge=1, description="Dateien, die eine Person am Portal in einem Tag hochladen darf; danach erst am nächsten."
    )
    upload_mb_per_day: int = Field(
        2000, ge=1, description="Megabyte (je eine Million Bytes), die eine Person am Portal in einem Tag hochladen darf."
    )
    access_log_days: int = Field(
        180,
        ge=30,
        le=3650,
        description="Tage, die das Protokoll der Zugriffe auf Vertrauliches behält (Datenschutz: so kurz wie möglich).",
    )
    clamd: str = Field(
        "",
        description="Virenprüfung hochgeladener Dateien durch ClamAV: Pfad des Sockets (/run/clamav/clamd.ctl) oder "
        "tcp://server:3310; leer = keine.",
    )
    log_syslog: str = Field(
        "",
        description="Protokolle auch an den Protokolldienst: /dev/log (journald, rsyslog dieser Maschine) oder "
        "udp://server:514; leer = nur Dateien im Heimordner.",
    )
    render_processes: int = Field(0, ge=0, description="Prozesse zum PDF-Satz je Worker; 0 = Zahl der Kerne.")
    billing_helpers: int = Field(
        0, ge=0, le=64, description="Weitere Läufe, die sich einen großen Monat teilen: Zahl der weiteren Worker; 0 = keine."
    )


def secret_names() -> tuple[str, ...]:
    """The variables that hold secrets: what a process does not need is not put into its environment."""
    secret = [name for name, field in Settings.model_fields.items() if field.annotation is SecretStr]
    return (*(f"{PREFIX}{name.upper()}" for name in (*secret, "database_url")), CREDENTIALS)


@lru_cache(maxsize=8)
def _load(home_dir: str, environment: tuple[tuple[str, str], ...]) -> Settings:  # noqa: ARG001 - key of the cache
    # pydantic-settings takes the file at call time; the environment is part of the key so that tests see their own
    try:
        return Settings(_env_file=Path(home_dir) / ".env", _secrets_dir=_credentials())
    except ValidationError as fault:
        raise UsageError("\n".join(map(_complaint, fault.errors()))) from None


def _credentials() -> Path | None:
    """Where systemd lays the secrets of the service (LoadCredential=DREHKREUZ_VAULT_KEYS:…), one file per setting, or None.

    The environment and `.env` go before it.
    """
    folder = os.environ.get(CREDENTIALS)
    return Path(folder) if folder and Path(folder).is_dir() else None


def _complaint(error: "ErrorDetails") -> str:
    """One wrong setting as a sentence. Its value is named only when the setting is no secret."""
    name = str(error["loc"][0])
    field, context = Settings.model_fields[name], error.get("ctx", {})
    wanted = {
        "literal_error": f"eines von {', '.join(str(v) for v in get_args(field.annotation))}",
        "int_parsing": "eine ganze Zahl",
        "bool_parsing": "true oder false",
        "greater_than_equal": f"eine Zahl ab {context.get('ge')}",
        "less_than_equal": f"eine Zahl bis {context.get('le')}",
    }.get(error["type"], "ein anderer Wert")
    given = "" if field.annotation is SecretStr else f"={error['input']}"
    return f"Einstellung {PREFIX}{name.upper()}{given} ist nicht erlaubt; erlaubt ist {wanted} ({field.description})"


def settings() -> Settings:
    """The settings in force for the present home and environment."""
    own = tuple(sorted((k, v) for k, v in os.environ.items() if k.startswith(PREFIX) or k == CREDENTIALS))
    return _load(str(home()), own)
