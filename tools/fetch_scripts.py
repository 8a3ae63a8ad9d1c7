"""Fetch the scripts that the book's pages load, so that the book needs no network.

`npm pack` gets pinned versions into book/vendor, which is generated and not committed. Where npm
is missing nothing is done, and the pages load the same scripts from a CDN.
"""

import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

VENDOR = Path(__file__).parent.parent / "book" / "vendor"

# Of the html-manager: brands, regular and solid.
FONTS = (
    "7a3337626410ca2f4071.woff2",
    "1551f4f60c37af51121f.woff2",
    "d878b0a6a1144760244f.woff2",
)

# Package and version, its checksum, and what of it goes where.
PACKAGES = {
    "mathjax@3.2.2": (
        "sha512-Bt+SSVU8eBG27zChVewOicYs7Xsdt40qm4+UpHyX7k0/O9NliPc+x77k1/FEsPsjKPZGJvtRZM1vO+geW0OhGw==",
        {
            "es5/tex-mml-chtml.js": "mathjax/tex-mml-chtml.js",
            "es5/output/chtml/fonts": "mathjax/output/chtml/fonts",
            "es5/input/tex/extensions": "mathjax/input/tex/extensions",
            "LICENSE": "mathjax/LICENSE",
        },
    ),
    "requirejs@2.3.7": (
        "sha512-DouTG8T1WanGok6Qjg2SXuCMzszOo0eHeH9hDZ5Y4x8Je+9JB38HdTLT4/VA8OaUhBa0JPVHJ0pyBkM1z+pDsw==",
        {"require.js": "require.js"},
    ),
    "@jupyter-widgets/html-manager@1.0.14": (
        "sha512-wglgQQ+VMj+MBKkTttdeoMtOah/H2A1w5GU1OAVXmDQqZYTK6C+oHZjQMxcNezIpiqUjC1YHKOo5XdP3ENvBng==",
        {
            "dist/embed-amd.js": "@jupyter-widgets/html-manager/dist/embed-amd.js",
            **{f"dist/{font}": f"@jupyter-widgets/{font}" for font in FONTS},
            # Whichever of its modules asks first decides where the fonts are looked for.
            **{f"./dist/{font}": f"@jupyter-widgets/html-manager/dist/{font}" for font in FONTS},
        },
    ),
}


def fetch(package: str, checksum: str, files: dict[str, str], target: Path) -> None:
    """Get one package and copy what is wanted of it.

    Args:
        package: name and version.
        checksum: that npm must report.
        files: where each file or folder goes, under `target`.
        target: folder.

    Raises:
        RuntimeError: another checksum.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = subprocess.run(
            ["npm", "pack", "--json", package],
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        )
        (packed,) = json.loads(report.stdout)
        if packed["integrity"] != checksum:
            raise RuntimeError(
                f"{package} must have {checksum}, got {packed['integrity']}; check it"
            )
        with tarfile.open(next(Path(folder).glob("*.tgz"))) as archive:
            archive.extractall(folder, filter="data")
        for source, place in files.items():
            found = Path(folder) / "package" / source
            (target / place).parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if found.is_dir() else shutil.copyfile
            copy(found, target / place)


def main() -> None:
    """Fill book/vendor, whole or not at all."""
    if VENDOR.is_dir():
        return
    if shutil.which("npm") is None:
        print(
            "npm is missing: the book's pages will load their scripts from a CDN", file=sys.stderr
        )
        return
    with tempfile.TemporaryDirectory(dir=VENDOR.parent) as folder:
        filled = Path(folder) / "vendor"
        try:
            for package, (checksum, files) in PACKAGES.items():
                fetch(package, checksum, files, filled)
        except subprocess.CalledProcessError as error:
            print(f"npm failed, the pages will use a CDN: {error.stderr.strip()}", file=sys.stderr)
            return
        filled.rename(VENDOR)


if __name__ == "__main__":
    main()
