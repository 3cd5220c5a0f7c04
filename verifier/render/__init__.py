"""Reports for readers: terminal, HTML, PDF, CSV and folder summaries. Renderers decide nothing; they only say."""
