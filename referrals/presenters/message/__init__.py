"""A received message rendered whole: from the Bundle to what its page shows. Pure."""

from referrals.presenters.message.model import Code, Group, Item, MessageView, Row, Warning
from referrals.presenters.message.presenting import present_message

__all__ = ["Code", "Group", "Item", "MessageView", "Row", "Warning", "present_message"]
