"""What a run leaves behind: results, figures, tables, pages."""
