"""Redshift's own session parameters, which live in the backend as `redshift.<name>`.

Source: Database Developer Guide, "Configuration reference".
"""

_NAMES = frozenset((
    "enable_case_sensitive_identifier", "enable_case_sensitive_super_attribute", "enable_result_cache_for_session",
    "query_group", "wlm_query_slot_count", "describe_field_name_in_uppercase", "enable_numeric_rounding",
    "json_serialization_enable", "json_serialization_parse_nested_strings", "json_parse_dedup_attributes",
    "json_parse_truncate_strings", "navigate_super_null_on_error",
    "parse_super_null_on_error", "max_cursor_result_set_size", "mv_enable_aqmv_for_session", "spectrum_query_maxerror",
    "error_on_nondeterministic_update", "default_geometry_encoding", "analyze_threshold_percent",
    "stored_proc_log_min_messages",
    "cast_super_null_on_error", "downcast_delimited_varchar_to_max",
    "auto_mv", "use_fips_ssl", "datashare_break_glass_session_var",
))  # fmt: skip

_SHARED = "('datestyle', 'extra_float_digits', 'search_path', 'statement_timeout', 'timezone')"


def in_backend(name: str) -> str | None:
    """What PostgreSQL knows it by; None if it is none of Redshift's own."""
    return f"redshift.{name.lower()}" if name.lower() in _NAMES else None


def all_of_them() -> str:
    """The query behind SHOW ALL: Redshift's own parameters that have a value, and those it shares with PostgreSQL."""
    names = ", ".join(f"('{name}')" for name in sorted(_NAMES))
    return (
        "SELECT name, setting FROM ("
        f"SELECT lower(name), setting FROM pg_catalog.pg_settings WHERE lower(name) IN {_SHARED}"
        f" UNION ALL SELECT name, current_setting('redshift.' || name, true) FROM (VALUES {names}) AS own (name))"
        " AS every (name, setting) WHERE setting IS NOT NULL ORDER BY name"
    )
