"""Where notifications keeps its rows."""
