"""The main navigation: who sees which entry. Rooms above are named by URL only."""

from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse


@dataclass(frozen=True)
class NavItem:
    """`key` is what a page sets as `active_nav` to mark the entry as its own."""

    key: str
    text: str
    url_name: str
    permission: str


NAVIGATION = (
    NavItem("find", "Find a service", "directory:search", "directory.find_service"),
    NavItem("bookings", "Bookings", "bookings:list", "bookings.view_sent_bookings"),
    NavItem("worklist", "Worklist", "referrals:worklist", "referrals.view_received_referrals"),
    NavItem("referrals", "Referrals", "referrals:sent", "referrals.view_sent_referrals"),
    NavItem("diary", "Diary", "bookings:diary", "bookings.view_diary"),
    NavItem("admin", "Admin", "admin:index", "portal.open_admin"),
)


@dataclass(frozen=True)
class NavLink:
    key: str
    text: str
    href: str


def address(url_name: str) -> str:
    """The page's path, or "" where this process does not serve it (an error page on another port)."""
    try:
        return reverse(url_name)
    except NoReverseMatch:
        return ""


def links_for(permissions: frozenset[str]) -> tuple[NavLink, ...]:
    """Entries that this person may open, in their fixed order."""
    allowed = (item for item in NAVIGATION if item.permission in permissions)
    links = (NavLink(item.key, item.text, address(item.url_name)) for item in allowed)
    return tuple(link for link in links if link.href)
