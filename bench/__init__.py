"""Benchmarks: each hot path beside a floor or a peer measured in the same run."""
