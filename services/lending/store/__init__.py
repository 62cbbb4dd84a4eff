"""Where lending keeps its rows."""
