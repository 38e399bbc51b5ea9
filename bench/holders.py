"""Transactions that pin the vacuum horizon of a database: what a forgotten psql does; and one that does not."""


def old_snapshot(server):
    """Has read, and keeps its snapshot."""
    connection = server.connect("bench old snapshot")
    connection.set_session(isolation_level="REPEATABLE READ", autocommit=False)
    connection.cursor().execute("select count(*) from pg_class")
    return connection


def nobody(server):
    """Holds nothing: the same work for comparison."""
    return server.connect("bench nobody")


def idle_writer(server):
    """Has written, which gives it a transaction id, and is idle; an enqueue that forgot its commit looks alike."""
    server.sql("create table if not exists public.scribble (line text);")
    connection = server.connect("bench idle writer")
    connection.autocommit = False
    connection.cursor().execute("insert into public.scribble values ('never committed')")
    return connection
