"""The only loops: training, evaluation, suites."""
