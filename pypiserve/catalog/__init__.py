"""The catalog: schema, queries, the journal, migrations. SQL stands here and nowhere else."""
