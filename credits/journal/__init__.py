"""The tamper-evident log: what happened, when, who decided and why.

Imports nothing by itself: proofs are checked, and witnesses run, where there is no database.
"""
