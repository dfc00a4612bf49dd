"""A request as forms: one module a theme, each with its fields, its rows and both ways to the content."""
