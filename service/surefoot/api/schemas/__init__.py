"""Wire types of the native API; `docs/api` and `/openapi.json` show them to users."""
