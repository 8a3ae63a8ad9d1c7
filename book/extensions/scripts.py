"""Sphinx extension: scripts of the pages come from this book where they were fetched, else a CDN.

`tools/fetch_scripts.py` puts MathJax, require.js and the widgets' html-manager into book/vendor.
"""

from pathlib import Path

VENDOR = Path(__file__).parent.parent / "vendor"
# The theme's Font Awesome would replace the icons of widgets' buttons, which then ignore clicks;
# nested, the icon's element stays.
KEEP_ICONS = 'window.FontAwesomeConfig = {autoReplaceSvg: "nest"};'


def use_local_scripts(app, config):
    """Point Sphinx and MyST-NB at book/vendor where it holds the scripts."""
    if not VENDOR.is_dir():
        return
    config.html_static_path.append(str(VENDOR))
    config.mathjax_path = "mathjax/tex-mml-chtml.js"
    config.nb_ipywidgets_js = {"require.js": {}, "html-manager/embed-amd.js": {}}


def setup(app):
    """Register with Sphinx."""
    app.connect("config-inited", use_local_scripts, priority=100)  # before MyST-NB reads it
    app.add_js_file(None, body=KEEP_ICONS, priority=1)
    return {"parallel_read_safe": True}
