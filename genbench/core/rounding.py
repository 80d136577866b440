"""Numbers as a reader takes them in at once."""


def three_digits(value: float) -> str:
    """Returns a number to three significant digits, e.g. "0.0123", "12,300" or "1.2e+09"."""
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if 1000 <= abs(rounded) < 1e7 else f"{value:.3g}"
