"""From suites to records: plans, jobs, the driver."""
