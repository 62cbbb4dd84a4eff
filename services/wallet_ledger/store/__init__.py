"""Where the service's rows are: tables, the poster that writes the ledger, and the stores of everything else."""
