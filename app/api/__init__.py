"""The JSON face: a file per resource."""
