"""Who is told what, and in which words. Pure: no input or output, no clock."""
