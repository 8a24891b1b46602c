"""What the suite asks: one module a question, with its metrics, settings and scoring."""
