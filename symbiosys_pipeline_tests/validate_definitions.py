"""`python -m symbiosys_pipeline_tests.validate_definitions`: the workspace loads, unwarned.

Runs `dagster definitions validate` on the demo's clients in a home and an instance that are thrown away.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from symbiosys_pipeline.commands.surroundings import prepare_dagster_home
from symbiosys_pipeline.settings import PACKAGE, PROJECT, Settings

#: Every use of these is known: the command itself says that `dg check defs` may replace it.
_KNOWN = ("SupersessionWarning",)


def validate(home: Path, clients: Path) -> tuple[int, str]:
    """The command's exit code, and what it printed."""
    settings = Settings.at(home, clients=clients)
    prepare_dagster_home(settings)
    environment = {
        **os.environ,
        **settings.environment(),
        "DAGSTER_HOME": str(settings.dagster_home),
        "PYTHONWARNINGS": "default",
        "DO_NOT_TRACK": "1",
    }
    command = [sys.executable, "-m", "dagster", "definitions", "validate", "-w", "workspace.yaml"]
    done = subprocess.run(
        command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    return done.returncode, done.stdout + done.stderr


def unexpected_warnings(output: str) -> list[str]:
    """The lines that warn of something that is not known."""
    return [line for line in output.splitlines() if "Warning" in line and not any(k in line for k in _KNOWN)]


def main() -> int:
    """Validate the demo's clients; 0 when they load without an unexpected warning."""
    with tempfile.TemporaryDirectory(prefix="symbiosys-validate-") as home:
        code, output = validate(Path(home), PACKAGE / "demo" / "clients")
    warned = unexpected_warnings(output)
    if code or warned:
        print(output)  # noqa: T201
        print("\n".join(["unexpected warnings:", *warned]) if warned else "the definitions do not load")  # noqa: T201
        return 1
    print("the definitions load without warnings")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
