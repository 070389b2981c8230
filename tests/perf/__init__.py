"""
Benchmarks: pypiserve beside its peers in one run. They print tables and assert nothing about time.

    python -m tests.perf --quick

See docs/performance.md for what is measured and how to read it.
"""
