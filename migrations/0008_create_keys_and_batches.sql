-- Holds the place of the migration that gives jobs keys and batches.
select 1 where false;
