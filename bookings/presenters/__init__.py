"""What the booking pages show, as plain objects: templates only lay it out."""
