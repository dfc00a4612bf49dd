"""Signing in with NHS CIS2: OpenID Connect, authorization code with PKCE, private_key_jwt."""
