"""Use cases: publishing, listing, downloads, access, accounts. No HTTP, no SQL, no pluggy."""
