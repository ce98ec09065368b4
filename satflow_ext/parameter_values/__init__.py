"""Values of a flow's parameters: from text, by a JSON schema, and what is wrong with them in words."""
