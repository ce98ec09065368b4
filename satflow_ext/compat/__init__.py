"""The interfaces of SatFlow's predecessors, so that existing code needs few changes. Runs in the notebook kernel."""
