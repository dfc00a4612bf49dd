"""The referral pages."""
