"""Companies that do for auth what it cannot do itself."""
