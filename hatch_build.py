"""Addresses of the project in the package's metadata: those of the repository that builds it."""

from __future__ import annotations

import os
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class RepositoryUrls(MetadataHookInterface):
    """Fills ``project.urls`` where the build knows its repository, as GitHub Actions does."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add the addresses; none where the build does not know them."""
        server, repository = (os.environ.get(f"GITHUB_{n}") for n in ("SERVER_URL", "REPOSITORY"))
        if not (server and repository):
            metadata["urls"] = {}
            return
        home = f"{server}/{repository}"
        owner, _, name = repository.partition("/")
        metadata["urls"] = {
            "Repository": home,
            "Issues": f"{home}/issues",
            "Changelog": f"{home}/blob/main/CHANGELOG.md",
            "Documentation": f"https://{owner.lower()}.github.io/{name}/",
        }
