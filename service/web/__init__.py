"""The page for readers: server-rendered, works without JavaScript, nothing from elsewhere."""
