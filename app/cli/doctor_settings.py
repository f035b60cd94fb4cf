"""The doctor looks at the settings: unknown variables, impossible values, what can be told without a database."""

import os

from pydantic import ValidationError

from app.cli.doctor_check import Check, fail, ok, warn
from app.cli.serve import is_loopback
from app.domain.errors import MasterKeyMismatch
from app.sealing.master_key import parsed_master_key
from app.settings import FOREIGN, PREFIX, Settings


def settings_found() -> tuple[Settings, list[Check], set[str]]:
    """The settings, with the default for what is impossible; what is to be said of them; which are impossible."""
    settings, faults = _read()
    checks = [_impossible(name, said) for name, said in faults.items()]
    checks += [_unknown(name) for name in sorted(os.environ) if _is_unknown(name)]
    checks += _master_key(settings)
    if not checks:
        given = sorted(name for name in os.environ if name.startswith(PREFIX))
        checks = [ok("settings", ", ".join(given) if given else "all at their defaults")]
    if not is_loopback(settings.host):
        advice = "put a proxy with TLS in front: API keys travel in clear text over plain http"
        checks.append(warn("settings", f"listens beyond this machine, on {settings.host}", advice))
    return settings, checks, set(faults)


def _read() -> tuple[Settings, dict[str, str]]:
    try:
        return Settings(), {}
    except ValidationError as error:
        faults = {str(fault["loc"][0]): fault["msg"] for fault in error.errors(include_input=False)}
    return Settings(**{name: Settings.model_fields[name].default for name in faults}), faults


def _impossible(name: str, said: str) -> Check:
    default = Settings.model_fields[name].default
    return fail("settings", f"{PREFIX}{name.upper()}: {said}", f"mend it or unset it (default: {default or 'none'})")


def _is_unknown(name: str) -> bool:
    known = {PREFIX + field.upper() for field in Settings.model_fields}
    return name.startswith(PREFIX) and name not in known and name not in FOREIGN


def _unknown(name: str) -> Check:
    known = ", ".join(PREFIX + field.upper() for field in Settings.model_fields)
    return fail("settings", f"{name} is no setting", f"unset it; known are {known}")


def _master_key(settings: Settings) -> list[Check]:
    if settings.master_key is None:
        return []
    try:
        parsed_master_key(settings.master_key.get_secret_value())
    except MasterKeyMismatch as refusal:
        advice = "restore the key that this database was begun with; only for a new one: openssl rand -base64 32"
        return [fail("settings", f"GOODWILL_MASTER_KEY: {refusal.detail}", advice)]
    return []
