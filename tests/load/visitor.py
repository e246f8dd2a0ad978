"""A visitor without a browser: Streamlit's own protocol over a websocket to a server on this machine."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import ClientConnection, connect

__all__ = ["Visitor"]


@dataclass
class Visitor:
    """One session on one page. `widgets` maps a label to its id, `texts` is the Markdown that stands there, notices too."""

    port: int
    page: str
    query: str = ""
    cookie: str = ""  # by which a proxy tells one browser from another
    widgets: dict[str, str] = field(default_factory=dict)
    fragments: dict[str, str] = field(default_factory=dict)  # what the widget of this id stands in, and is run again with
    parts: dict[str, list[str]] = field(default_factory=dict)  # the Markdown of each fragment, and of the page around them as ""
    polls: dict[str, float] = field(default_factory=dict)  # fragment: seconds between two of its runs
    states: dict[str, WidgetState] = field(default_factory=dict)
    _socket: ClientConnection | None = None

    @property
    def texts(self) -> list[str]:
        return [text for part in self.parts.values() for text in part]

    def open(self) -> float:
        """Connect and run the page once; seconds until it was there."""
        self._socket = connect(
            f"ws://127.0.0.1:{self.port}/_stcore/stream",
            subprotocols=["streamlit"],
            max_size=None,
            open_timeout=60,
            additional_headers={"Cookie": f"resviz_replica={self.cookie}"} if self.cookie else None,
        )
        return self.rerun()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()

    def click(self, label: str) -> float:
        name = self.widgets[label]
        return self.rerun(WidgetState(id=name, trigger_value=True), self.fragments[name])

    def toggle(self, label: str, on: bool) -> float:
        state = WidgetState(id=self.widgets[label], bool_value=on)
        self.states[state.id] = state
        return self.rerun(fragment=self.fragments[state.id])

    def poll(self) -> None:
        """What the browser does by itself: run every fragment that asks for it."""
        for fragment in list(self.polls):
            if fragment in self.polls:  # an earlier one may have run the whole page anew
                self.rerun(fragment=fragment)

    def rerun(self, trigger: WidgetState | None = None, fragment: str = "") -> float:
        assert self._socket is not None
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_name = self.query, self.page
        state.fragment_id, state.is_auto_rerun = fragment, fragment in self.polls
        state.widget_states.widgets.extend(self.states.values())
        if trigger is not None:
            state.widget_states.widgets.append(trigger)
        began = time.perf_counter()
        polls: dict[str, float] = {}
        parts: dict[str, list[str]] = {}
        self._socket.send(message.SerializeToString())
        while True:
            received = ForwardMsg.FromString(self._socket.recv(timeout=60))
            kind = received.WhichOneof("type")
            if kind == "new_session":
                polls.clear()
                parts.clear()
            elif kind == "auto_rerun":
                polls[received.auto_rerun.fragment_id] = received.auto_rerun.interval
            elif kind == "delta":
                self._see(received, parts)
            elif kind == "script_finished" and received.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                # a whole run takes the place of what was there, a fragment's run of its part only
                whole = received.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY
                self.parts = parts if whole else self.parts | parts
                self.polls = polls if whole else self.polls | polls
                return time.perf_counter() - began

    def _see(self, message: ForwardMsg, parts: dict[str, list[str]]) -> None:
        if message.delta.WhichOneof("type") != "new_element":
            return
        element = message.delta.new_element
        kind = element.WhichOneof("type")
        if kind == "markdown":
            parts.setdefault(message.delta.fragment_id, []).append(element.markdown.body)
        elif kind == "alert":
            parts.setdefault(message.delta.fragment_id, []).append(element.alert.body)
        elif kind in ("button", "checkbox"):
            widget = getattr(element, kind)
            self.widgets[widget.label] = widget.id
            self.fragments[widget.id] = message.delta.fragment_id
        elif kind == "exception":
            raise AssertionError(element.exception.message)
