"""What a session may be set to before it calls a function.

errors  SQLSTATEs that the setting is meant to cause
shows   the answer is written differently, and so not compared
reads   text may be read differently: all refusals are tried, too
"""

import collections

Setting = collections.namedtuple("Setting", "text errors shows reads", defaults=((), False, False))

READ_ONLY, TIMED_OUT, NO_LOCK, TRANSACTION = "25006", "57014", "55P03", "MR007"

EVERY_PLAN_OFF = "set jit = off; " + "; ".join(f"set enable_{way} = off" for way in (
    "async_append", "bitmapscan", "gathermerge", "hashagg", "hashjoin", "incremental_sort", "indexonlyscan",
    "indexscan", "material", "memoize", "mergejoin", "nestloop", "parallel_append", "parallel_hash",
    "partition_pruning", "seqscan", "sort", "tidscan"))

SETTINGS = [
    Setting("set search_path = ''"),
    Setting("set search_path = pg_temp, public"),
    Setting("set DateStyle = 'German'", shows=True, reads=True),
    Setting("set DateStyle = 'SQL, DMY'", shows=True, reads=True),
    Setting("set DateStyle = 'Postgres, YMD'", shows=True, reads=True),
    Setting("set IntervalStyle = sql_standard", shows=True, reads=True),
    Setting("set IntervalStyle = iso_8601", shows=True, reads=True),
    Setting("set TimeZone = 'Pacific/Kiritimati'", shows=True),
    Setting("set TimeZone = '-12:34'", shows=True),
    Setting("set timezone_abbreviations = 'Australia'", reads=True),
    Setting("set lc_monetary = 'C'; set lc_numeric = 'C'; set lc_time = 'C'", reads=True),
    Setting("set standard_conforming_strings = off; set escape_string_warning = off", reads=True),
    Setting("set backslash_quote = off", reads=True),
    Setting("set array_nulls = off"),
    Setting("set transform_null_equals = on", reads=True),
    Setting("set quote_all_identifiers = on"),
    Setting("set bytea_output = escape", reads=True),
    Setting("set extra_float_digits = -15", reads=True),
    Setting("set xmloption = document"),
    Setting("set client_encoding = LATIN1", reads=False),
    Setting("set client_min_messages = error"),
    Setting("set plpgsql.extra_errors = 'all'", reads=True),
    Setting("set plpgsql.check_asserts = off"),
    Setting("set check_function_bodies = off"),
    Setting("set row_security = off"),
    Setting("set session_replication_role = replica"),
    Setting("set default_transaction_isolation = serializable", errors=(TRANSACTION,)),
    Setting("set default_transaction_isolation = 'repeatable read'", errors=(TRANSACTION,)),
    Setting("set default_transaction_isolation = 'read uncommitted'"),
    Setting("set default_transaction_read_only = on", errors=(READ_ONLY,)),
    Setting("set default_transaction_deferrable = on"),
    Setting("set statement_timeout = '1ms'", errors=(TIMED_OUT,)),
    Setting("set lock_timeout = '1ms'", errors=(NO_LOCK,)),
    Setting("set plan_cache_mode = force_custom_plan", reads=True),
    Setting("set plan_cache_mode = force_generic_plan"),
    Setting(EVERY_PLAN_OFF),
    Setting("set work_mem = 64; set hash_mem_multiplier = 1; set temp_buffers = 100"),
    Setting("set force_parallel_mode = on; set parallel_setup_cost = 0; set min_parallel_table_scan_size = 0"),
    Setting("set jit = on; set jit_above_cost = 0; set jit_inline_above_cost = 0"),
    Setting("set join_collapse_limit = 1; set from_collapse_limit = 1; set geqo_threshold = 2"),
    Setting("set jit = off; set cursor_tuple_fraction = 0.000001; set random_page_cost = 0; set cpu_tuple_cost = 1e6"),
    Setting("set constraint_exclusion = on; set default_statistics_target = 1"),
    Setting("set default_table_access_method = heap; set default_toast_compression = lz4"),
    Setting("set synchronous_commit = off"),
]
