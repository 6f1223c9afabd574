"""HTTP: wire types, routes and statuses. Nothing of a wire type goes further inside than this room."""
