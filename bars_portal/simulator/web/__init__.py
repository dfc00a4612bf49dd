"""Pages of the simulator: jinja2 with autoescape, one stylesheet inside each page, no scripts."""
