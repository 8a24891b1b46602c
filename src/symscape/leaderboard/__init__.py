"""The leaderboard: many results.json files, one ranking, static pages."""
