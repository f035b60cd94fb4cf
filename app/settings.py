"""Settings: environment variables that begin with GOODWILL_. Only the roots read them; unknown ones are refused."""

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.domain.checkpoint import ENTRIES_MAX, Rhythm
from app.engines import driver_url
from app.sealing.master_key import parsed_other_keys
from app.tables.grants import ROLE

PREFIX = "GOODWILL_"
FOREIGN = ("GOODWILL_TEST_DATABASE_URL",)  # read by the test suite, not by the service


class UnknownSettings(ValueError):
    """An environment variable begins with GOODWILL_ and is no setting."""


class Settings(BaseSettings):
    """What an operator may set; each field is GOODWILL_ and its name in capitals."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    host: str = Field(default="127.0.0.1", description="address to listen on; beyond loopback only once a key exists")
    port: int = Field(default=8000, ge=0, le=65535, description="port to listen on")
    data_dir: Path = Field(default=Path("data"), description="folder of the embedded database and its master key")
    database_url: str | None = Field(
        default=None,
        description="sqlite:///PATH or postgresql://…; the embedded file in the data folder if not set",
        repr=False,  # it may hold a password
    )
    database_owner_url: str | None = Field(
        default=None,
        description="postgresql://… of who owns the tables, migrates and backs up, if the service is not to be that",
        repr=False,
    )
    database_role: str = Field(
        default=ROLE,
        pattern="^[a-z_][a-z0-9_]{0,39}$",
        description="as whom the service works on PostgreSQL, so that row-level security walls the books off; or none",
    )
    master_key: SecretStr | None = Field(
        default=None, description="32 bytes in base64; with the embedded database a file beside it if not set"
    )
    other_master_keys: SecretStr | None = Field(
        default=None, description="more master keys that open what is kept, by commas, while one replaces another"
    )
    clock: bool = Field(default=True, description="whether `serve` runs the clock too; `goodwill work` runs it alone")
    deliverer: bool = Field(default=True, description="whether `serve` delivers messages too, as `goodwill work` does")
    checkpoint_entries: int = Field(
        default=Rhythm().entries, ge=1, le=ENTRIES_MAX, description="entries after which a checkpoint is signed"
    )
    checkpoint_minutes: int = Field(
        default=Rhythm().minutes, ge=1, le=10_080, description="minutes that an entry waits for a checkpoint at most"
    )
    webhooks_allow_loopback: bool = Field(
        default=False, description="whether webhooks may also go to 127.0.0.1, [::1] and localhost, by http or https"
    )
    requests_max: int = Field(
        default=512, ge=1, description="requests that a process answers at once; beyond that it answers 429"
    )
    key_requests_per_second: float | None = Field(
        default=None, ge=1, description="requests a second of one key that a process takes; beyond that it answers 429"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="debug, info, warning or error"
    )
    log_format: Literal["text", "json"] = Field(default="text", description="how a line of the log is laid out")
    access_log: bool = Field(default=False, description="whether each request becomes a line of the log")
    traces: bool = Field(default=False, description="whether traces are sent, to where the OTEL_… variables say")

    @field_validator("database_url", "database_owner_url")
    @classmethod
    def _names_a_database(cls, url: str | None) -> str | None:
        if url is not None:
            driver_url(url)
        return url

    @property
    def url(self) -> str:
        """The database's URL."""
        return self.database_url or f"sqlite:///{self.data_dir / 'goodwill.sqlite3'}"

    @property
    def logs_json(self) -> bool:
        """Whether each line of the log is a JSON object."""
        return self.log_format == "json"

    @property
    def role(self) -> str | None:
        """As whom the service works; None: as whoever the URL names."""
        return None if self.database_role == "none" else self.database_role

    @property
    def other_secrets(self) -> tuple[bytes, ...]:
        """The secrets of the other master keys; MasterKeyMismatch if one is none."""
        return parsed_other_keys(self.other_master_keys.get_secret_value()) if self.other_master_keys else ()

    @property
    def key_folder(self) -> Path:
        """Where the embedded default keeps its master key: beside the database file."""
        path = self.url.partition("///")[2] if self.url.startswith("sqlite") else ""
        return Path(path).parent if path else self.data_dir


def read_settings() -> Settings:
    """The settings of the environment. Raises UnknownSettings naming each GOODWILL_ variable that is none."""
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known | set(FOREIGN))
    if unknown:
        raise UnknownSettings(f"unknown settings: {', '.join(unknown)}; known: {', '.join(sorted(known))}")
    return Settings()
