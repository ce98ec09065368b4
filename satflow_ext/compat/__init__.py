"""The interfaces of what came before SatFlow, for code that is to go on with few changes. Runs in the notebook kernel."""
