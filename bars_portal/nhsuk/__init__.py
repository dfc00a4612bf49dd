"""The pages of the house: the NHS.UK design system for Django forms and Jinja templates. Holds no models."""
