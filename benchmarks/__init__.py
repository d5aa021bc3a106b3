"""How fast npylstm is, beside other libraries: the numbers are compared, then the clock starts.

``python -m benchmarks`` prints tables; ``python -m pytest benchmarks`` asks the same questions with
pytest-benchmark; ``python -m benchmarks.report`` makes RESULTS.md and pictures of a recorded run.
"""
