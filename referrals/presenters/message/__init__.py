"""A received message rendered whole: from the Bundle to what its page shows. Pure."""

from referrals.presenters.message.model import Alert, Code, Group, Item, MessageView, Row
from referrals.presenters.message.presenting import present_message

__all__ = ["Alert", "Code", "Group", "Item", "MessageView", "Row", "present_message"]
