"""What a run leaves behind: results.json, tables, figures, summary.md and index.html."""
