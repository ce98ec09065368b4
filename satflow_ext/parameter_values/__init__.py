"""Values of a flow's parameters: parsing from text, validation by a JSON schema, and error messages."""
