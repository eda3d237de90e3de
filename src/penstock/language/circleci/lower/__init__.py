"""Lowering: expanded jobs to the plan every engine and agent understands."""
