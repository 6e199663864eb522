"""Whether two Parquet files hold the same rows, each in the order it was asked for (Q12).

Runs in the virtual environment, since it reads Parquet; says what differs, nothing where nothing does.
"""

import sys

import duckdb


def seen(path: str) -> tuple[int, int, int]:
    """Rows, rows that stand before a lesser one, and a sum over the rows that does not depend on their order."""
    return duckdb.sql(f"""
        WITH rows AS (
            SELECT UserPrincipalName AS Name, epoch_ns(TimeGenerated) AS Time, file_row_number AS Place,
                hash(Id, UserPrincipalName, epoch_ns(TimeGenerated), IPAddress, ResultType, UserAgent) AS Sum
            FROM read_parquet('{path}', file_row_number = true)
        ),
        placed AS (
            SELECT *, lag(Name) OVER (ORDER BY Place) AS NameBefore, lag(Time) OVER (ORDER BY Place) AS TimeBefore
            FROM rows
        )
        SELECT count(*), count_if(NameBefore > Name OR NameBefore = Name AND TimeBefore > Time), bit_xor(Sum)
        FROM placed
    """).fetchall()[0]


ours, theirs = seen(sys.argv[1]), seen(sys.argv[2])
if ours != theirs or ours[1]:
    print(f"rows, rows out of order, sum: {ours} and {theirs}")
