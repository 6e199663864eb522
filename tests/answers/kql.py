"""Words of KQL in plain Python, after Microsoft's reference; each returns what the page of that name says.

Dynamic values are the values of JSON. A string is never null: `text` turns any value into the string of tostring().
"""

import json
import re


def text(value):
    """tostring() of a dynamic value."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def parse_json(value):
    """parse_json(): a string that is not JSON stays a string."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value or None


def at(value, *path):
    """a.b[0]: null if there is no such member or element. A negative index counts from the end."""
    for step in path:
        if isinstance(step, int):
            inside = isinstance(value, list) and -len(value) <= step < len(value)
        else:
            inside = isinstance(value, dict) and step in value
        if not inside:
            return None
        value = value[step]
    return value


def same(left, right):
    """The operator =~ over strings and dynamic values."""
    return text(left).lower() == text(right).lower()


def is_any(value, values):
    """The operator in~."""
    return any(same(value, other) for other in values)


def contains(value, part):
    return part.lower() in text(value).lower()


def has(value, term):
    """The operator has: `term` stands in the value, bounded by other characters than letters and digits."""
    value, term = text(value).lower(), term.lower()
    start = value.find(term)
    while start >= 0:
        end = start + len(term)
        opens = not term[:1].isalnum() or start == 0 or not value[start - 1].isalnum()
        closes = not term[-1:].isalnum() or end == len(value) or not value[end].isalnum()
        if opens and closes:
            return True
        start = value.find(term, start + 1)
    return False


def has_any(value, terms):
    return any(has(value, term) for term in terms)


def split(value, delimiter, index=None):
    """split(): with an index, an array of at most that element."""
    parts = text(value).split(delimiter)
    return parts if index is None else parts[index : index + 1]


def part(value, delimiter, index):
    """tostring(split(value, delimiter)[index])"""
    return text(at(split(value, delimiter), index))


def trim_quotes(value):
    """trim('"', value): one quote at each end."""
    return re.sub('"$', "", re.sub('^"', "", text(value)))


def extract(pattern, group, value):
    found = re.search(pattern, text(value))
    return found.group(group) or "" if found else ""


def expand(value):
    """mv-expand of an array: null keeps its row, an empty array has none."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        return [{key: member} for key, member in value.items()]
    return [value]


def with_unique(rows, *names):
    """summarize by: the groups of rows as pairs of a key and a list of rows."""
    groups = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in names), []).append(row)
    return groups.items()


def distinct(values):
    """make_set: strings that are empty are members, nulls are not."""
    kept = []
    for value in values:
        if value is not None and value not in kept:
            kept.append(value)
    return kept


def difference(first, second):
    """set_difference: null if the first is not an array; the reference leaves open what no array is as the second."""
    if not isinstance(first, list):
        return None
    return distinct([value for value in first if value not in (second if isinstance(second, list) else [])])
