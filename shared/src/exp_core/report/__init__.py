"""Results for people and programs: terminal tables, JSON, CSV, Markdown and figures."""
