"""A mock of NHS CIS2 as an OpenID Connect issuer: no passwords, one picks who one is. Test data only."""
