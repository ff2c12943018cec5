"""Why no types are printed."""


class NoTypes(ValueError):
    """One sentence for people."""
