"""Intervals, ranks and verdicts from values by seed."""
