"""Comparison of any two artifacts: what differs, without a verdict (`nmdeploy.check.baseline` has one)."""
