"""What surrounds the code: image, CI, locks."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOCKS = ["requirements.txt", "requirements-dev.txt"]


def dockerfile() -> list[str]:
    """Its instructions, one a line."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_the_image_is_built_in_stages_that_agree_on_python() -> None:
    bases = [line.split()[1] for line in dockerfile() if line.startswith("FROM ")]
    assert len(bases) >= 2
    assert len(set(bases)) == 1


def test_the_image_runs_as_a_numeric_user_who_is_not_root() -> None:
    users = [line for line in dockerfile() if line.startswith("USER ")]
    assert len(users) == 1
    assert re.fullmatch(r"USER [1-9]\d*:[1-9]\d*", users[0])


@pytest.mark.parametrize("instruction", ["HEALTHCHECK", "VOLUME /data", "EXPOSE 8000", 'CMD ["serve"]'])
def test_the_image_has(instruction: str) -> None:
    assert any(line.startswith(instruction) for line in dockerfile())


def test_the_image_installs_only_what_is_locked() -> None:
    installs = [line for line in dockerfile() if line.startswith("RUN pip ")]
    assert len(installs) == 2
    assert all("--require-hashes" in line or "--no-deps --no-build-isolation" in line for line in installs)


def test_ci_runs_what_a_developer_runs() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert "\nmake check" in script.read_text()


def test_make_explains_itself() -> None:
    shown = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {"make run", "make test", "make check"} <= {
        line.partition("  ")[0].strip() for line in shown.stdout.splitlines()
    }


@pytest.mark.parametrize("lock", LOCKS)
def test_the_lock_pins_every_package_to_its_files(lock: str) -> None:
    text = (ROOT / lock).read_text().replace("\\\n", " ")
    packages = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert [line for line in packages if "==" not in line or "--hash=sha256:" not in line] == []


def test_the_locks_agree() -> None:
    run, dev = (set(re.findall(r"^[\w.-]+==\S+", (ROOT / lock).read_text(), re.MULTILINE)) for lock in LOCKS)
    assert run <= dev


def test_the_locks_hold_what_the_project_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = {re.split(r"[\[<>=]", line)[0] for line in project["dependencies"]}
    assert {name for name in named if f"\n{name}==" not in (ROOT / LOCKS[0]).read_text()} == set()
