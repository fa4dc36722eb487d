"""The pages of the service: rendered here, readable without JavaScript, live with it.

Each page is a GET; what changes something is a plain form. templates/ has what they look like,
static/ the style and the script; charts are drawn in the browser by Plotly, which comes with its
installed package.
"""

from __future__ import annotations

from vlga.service.pages import (
    assets,
    compare,
    failures,
    figures,
    login,
    mistakes,
    network,
    new,
    search,
    searches,
)
from vlga.service.pages.login import login_page
from vlga.service.pages.rendering import error_page

__all__ = ["error_page", "login_page", "routes"]

_PAGES = (assets, login, searches, new, compare, search, failures, mistakes, figures, network)
routes = [route for one in _PAGES for route in one.router.routes]
