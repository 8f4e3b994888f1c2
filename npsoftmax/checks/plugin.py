"""`pytest --solution FILE`: the properties of the contract, run on a student's file."""
