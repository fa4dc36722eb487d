"""The page to sign in on; what it sends is checked where tokens are (vlga/service/)."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from vlga.service.pages.rendering import Page, respond

__all__ = ["login_page", "router"]

router = APIRouter(route_class=Page, include_in_schema=False)


@router.get("/login")
def login(request: Request) -> Response:
    """Show the form."""
    return login_page(request)


def login_page(request: Request, problem: str = "", status: int = 200) -> Response:
    """Give the page.

    Args:
        request: whose query has the address to go on to, as `next`.
        problem: why the token that was sent is refused, in one line.
        status: of the answer.
    """
    wanted = request.query_params.get("next", "/")
    # Another host's address begins with two slashes, or, for browsers, with a backslash.
    is_here = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    return respond(
        request, "login", status=status, problem=problem, next=wanted if is_here else "/"
    )
