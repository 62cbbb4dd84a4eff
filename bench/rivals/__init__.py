"""The same work done in other ways, written anew for comparison."""
