"""What every HTTP surface of the platform shares: the app factory, problem documents, schemas, paging, preferences."""
