"""Where jobs run; all executors give the same records but for times.

An executor has one method, `run(source, watch)`, which the harness's `Runner` describes: it asks the
source for jobs as long as it has room, and yields their outcomes as they come.
"""
