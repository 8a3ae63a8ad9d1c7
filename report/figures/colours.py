"""Colours that only figures of the report use, beside those of `dsnlib.plots`.

Okabe and Ito's (2008) and Tol's (2021): distinguishable with any colour vision.
"""

GRADIENT_COLOURS = {"pathwise": "#404040", "score": "#44AA99"}
METHOD_COLOURS = {"smc": "#332288", "note": "#999933"}
CONDUCTANCE_COLOURS = (
    "#332288", "#88CCEE", "#117733", "#999933", "#CC6677", "#AA4499", "#44AA99", "#DDCC77",
    "#882255",
)  # fmt: skip
