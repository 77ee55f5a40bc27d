"""The summary as a message for a receiver, as a text or a page for a person, and back."""

from gateway.rendering.message import render
from gateway.rendering.message_page import apprec_page, message_page
from gateway.rendering.order import APPLICATION, DISCHARGE_REPORT, RenderingOrder
from gateway.rendering.page import render_html
from gateway.rendering.reading import read_rendering
from gateway.rendering.text import render_text

__all__ = [
    "APPLICATION",
    "DISCHARGE_REPORT",
    "RenderingOrder",
    "apprec_page",
    "message_page",
    "read_rendering",
    "render",
    "render_html",
    "render_text",
]
