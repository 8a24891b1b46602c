"""Computing references: plans, engines, the journal, checks, relaxation and import.

Nothing here is needed to load a reference. docs/computing-references.md is the guide.
"""
