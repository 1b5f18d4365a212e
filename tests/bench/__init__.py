"""Benchmarks: each figure is printed beside its budget, and a missed one as missed. Nothing here asserts a time."""
