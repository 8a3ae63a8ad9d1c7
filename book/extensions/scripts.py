"""Sphinx extension: scripts of the pages come from this book where they were fetched, else a CDN.

`tools/fetch_scripts.py` puts MathJax, require.js and the widgets' html-manager into book/vendor.
"""

from pathlib import Path

VENDOR = Path(__file__).parent.parent / "vendor"
CDN = "https://cdn.jsdelivr.net/npm"
HTML_MANAGER = "@jupyter-widgets/html-manager/dist/embed-amd.js"


def choose_scripts(app, config):
    """Point Sphinx and MyST-NB at book/vendor where it holds the scripts, else at the CDN."""
    local = VENDOR.is_dir()
    if local:
        config.html_static_path.append(str(VENDOR))
        config.mathjax_path = "mathjax/tex-mml-chtml.js"
        config.nb_ipywidgets_js = {"require.js": {}, HTML_MANAGER: {}}
    else:
        config.nb_ipywidgets_js = {
            f"{CDN}/requirejs@2.3.7/require.js": {},
            f"{CDN}/{HTML_MANAGER.replace('manager/', 'manager@1.0.14/')}": {},
        }
    app.add_js_file(None, body=f"window.localWidgets = {str(local).lower()};", priority=1)
    app.add_js_file("prepare.js", priority=2)


def drop_thebe(app, pagename, templatename, context, doctree):
    """Leave out the scripts of Thebe, which jupyter-book adds twice and no page uses."""
    context["script_files"] = [script for script in context["script_files"] if not _thebe(script)]


def _thebe(script):
    # What has a type is data, as the state of widgets: their images may spell anything.
    body = "" if "type" in script.attributes else script.attributes.get("body", "")
    return "thebe" in f"{script.filename}{body}".lower()


def setup(app):
    """Register with Sphinx."""
    app.connect("config-inited", choose_scripts, priority=100)  # before MyST-NB reads it
    app.connect("html-page-context", drop_thebe, priority=900)
    return {"parallel_read_safe": True}
