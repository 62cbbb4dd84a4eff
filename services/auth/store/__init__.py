"""Where auth keeps its rows."""
