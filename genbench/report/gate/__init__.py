"""The gate that guards a change: baselines, what may be compared, the test, and its result."""
