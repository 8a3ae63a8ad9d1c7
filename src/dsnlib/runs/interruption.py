"""SIGTERM and Ctrl-C end training within seconds, with a checkpoint written."""

from __future__ import annotations

import builtins
import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from types import FrameType, TracebackType

_GRACE_SECONDS = 2.0


class Interruption:
    """While it is entered, SIGTERM and Ctrl-C are noted, and `check` raises.

    That is between two steps, where nothing is half done. A step may last
    longer than a scheduler waits, so a thread sees the signal at once: where training has not come
    to an end after two seconds, it writes the checkpoint and ends the process. A session of
    IPython is ended so only by SIGTERM: Ctrl-C is there to get its prompt back.

    Where one of the two ends training, the checkpoint is written before the handlers are as they
    were, so that a second signal does not cut it short. Handlers of others are left as they are.
    Outside the main thread no signal is handled.

    Args:
        save: writes a checkpoint where one is due; called in that thread as well.
    """

    def __init__(self, save: Callable[[], None]) -> None:
        self._save = save
        self._cleanup = contextlib.ExitStack()
        self._received = 0
        self._left = threading.Event()

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            self._handle(signal.SIGTERM, signal.SIG_DFL)
            self._handle(signal.SIGINT, signal.default_int_handler)
            receiver, sender = socket.socketpair()
            sender.setblocking(False)
            before = signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
            watcher = threading.Thread(target=self._watch, args=(receiver,), daemon=True)
            watcher.start()
            for step in (receiver.close, watcher.join, sender.close):  # run from the last on
                self._cleanup.callback(step)
            self._cleanup.callback(signal.set_wakeup_fd, before)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind and issubclass(kind, (KeyboardInterrupt, SystemExit)):
                self._save()
        finally:
            self._left.set()
            self._cleanup.close()

    def _handle(self, number: signal.Signals, default: object) -> None:
        """Take over the signal where its default handler is in place."""
        if signal.getsignal(number) == default:
            self._cleanup.callback(signal.signal, number, signal.signal(number, self._note))

    def check(self) -> None:
        """Raise KeyboardInterrupt after Ctrl-C, SystemExit after SIGTERM."""
        if self._received == signal.SIGINT:
            raise KeyboardInterrupt
        if self._received:
            raise SystemExit(128 + self._received)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._received = number

    def _watch(self, receiver: socket.socket) -> None:
        fatal = {signal.SIGTERM} if _interactive() else {signal.SIGTERM, signal.SIGINT}
        while received := receiver.recv(1):
            number = received[0]
            ours = number in fatal and signal.getsignal(number) == self._note
            if ours and not self._left.wait(_GRACE_SECONDS):
                with contextlib.suppress(OSError):
                    self._save()
                print(f"ended by {signal.Signals(number).name}", file=sys.stderr, flush=True)
                os._exit(128 + number)


def _interactive() -> bool:
    return hasattr(builtins, "__IPYTHON__") or hasattr(sys, "ps1")
