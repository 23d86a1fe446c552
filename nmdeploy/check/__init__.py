"""The placement check as a gate: the verifier's violations, budgets, a baseline, and the formats that tell of them."""
