"""From samples to measurements: readers, extractors, requests, the one evaluation."""
