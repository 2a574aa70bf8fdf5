"""What each state machine brings to the contract tests: rules of its own, and slips that they find.

A module or package here is named after a machine, with underscores. `RULES` are rules for that
machine alone; `SLIPS` are mistakes in it, each with what a rule has to say.
"""
