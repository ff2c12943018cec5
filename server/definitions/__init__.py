"""Definitions as files: checked, drawn and published from the command line."""
