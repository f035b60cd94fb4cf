"""Settings: environment variables that begin with GOODWILL_. Only the roots read them; unknown ones are refused."""

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.engines import driver_url

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
    master_key: SecretStr | None = Field(
        default=None, description="32 bytes in base64; with the embedded database a file beside it if not set"
    )
    clock: bool = Field(default=True, description="whether `serve` runs the clock too; `goodwill work` runs it alone")
    deliverer: bool = Field(default=True, description="whether `serve` delivers messages too, as `goodwill work` does")
    webhooks_allow_loopback: bool = Field(
        default=False, description="whether webhooks may also go to 127.0.0.1, [::1] and localhost, by http or https"
    )
    requests_max: int = Field(
        default=512, ge=1, description="requests that a process answers at once; beyond that it answers 429"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="debug, info, warning or error"
    )

    @field_validator("database_url")
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
