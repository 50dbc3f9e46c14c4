"""The targets, by room: each file makes its seeds from valid objects and says how they are read."""
