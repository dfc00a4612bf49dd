"""The doctor: looks at all that an installation rests on, and says of each thing what to do about it."""
