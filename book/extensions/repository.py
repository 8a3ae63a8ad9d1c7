"""Sphinx extension: repository and launch buttons, once there is a repository to link.

Its address has one place, `repository-code: "https://..."` in CITATION.cff. On GitHub's runners it
is that of the repository that builds the book. Without an address there are no buttons, rather than
dead ones.
"""

import os
from pathlib import Path

import yaml

CITATION = Path(__file__).parent.parent.parent / "CITATION.cff"


def address():
    """Address of the public repository, or ""."""
    if "GITHUB_REPOSITORY" in os.environ:
        server = os.environ.get("GITHUB_SERVER_URL", "https://github.com")
        return f"{server}/{os.environ['GITHUB_REPOSITORY']}"
    return yaml.safe_load(CITATION.read_text()).get("repository-code", "")


def add_buttons(app, config):
    """Set the theme's options."""
    if not (url := address()):
        return
    config.html_theme_options |= {
        "repository_url": url,
        "repository_branch": "main",
        "path_to_docs": "book",
        "use_repository_button": True,
        "launch_buttons": {
            "binderhub_url": "https://mybinder.org",
            "notebook_interface": "jupyterlab",
        },
    }


def setup(app):
    """Register with Sphinx."""
    app.connect("config-inited", add_buttons)
    return {"parallel_read_safe": True}
