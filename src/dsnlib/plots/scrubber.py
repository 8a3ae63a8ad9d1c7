"""A player of frames that works without a kernel."""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets as widgets

from dsnlib.plots.frames import embedded

_INTERVAL = 800  # ms a frame


def epoch_scrubber(frames: Sequence[bytes], alt: str) -> widgets.Widget:
    """Frames with a play button and a slider, linked in the browser: no kernel is needed.

    Args:
        frames: PNGs, the first for the initial fit and one for each epoch's end.
        alt: what the frames show, for those who do not see them; the epoch is added.

    Returns:
        The widget.

    Raises:
        ValueError: no frames.
    """
    if not frames:
        raise ValueError("frames must hold at least one image, got none; pass snapshot_frames(..)")
    last = len(frames) - 1
    player = widgets.Play(min=0, max=last, interval=_INTERVAL, description="Play")
    slider = widgets.IntSlider(
        min=0, max=last, description="epochs done", tooltip="epochs done",
        style={"description_width": "initial"},
    )  # fmt: skip
    images = [
        widgets.HTML(embedded(frame, f"{alt} After {i} epochs.")) for i, frame in enumerate(frames)
    ]
    stack = widgets.Stack(images, selected_index=0)
    widgets.jslink((player, "value"), (slider, "value"))
    widgets.jslink((slider, "value"), (stack, "selected_index"))
    return widgets.VBox([widgets.HBox([player, slider]), stack])
