"""The sound of a recording."""
