"""The sender drill: every published sentinel through the portal's own services, and what people are told."""
