"""Functions that write values in other ways: JSON, YAML, base64, hex, URLs, hashes."""

import base64
import binascii
import hashlib
import hmac
import json
from urllib.parse import parse_qs, quote_plus, unquote_plus, urlencode

import yaml

from penstock.policy.rego.builtins.collections import check_object
from penstock.policy.rego.builtins.strings import check_text
from penstock.policy.rego.builtins.table import Function, make_table
from penstock.policy.rego.errors import BuiltinError
from penstock.policy.rego.values import DEEPEST, Value, freeze, thaw


def _write_json(value: Value) -> Value:
    return json.dumps(thaw(value), ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _write_json_so(value: Value, options: Value) -> Value:
    """JSON over several lines when the options have an indent or a prefix, or say `pretty`."""
    given = check_object(options)
    if given.keys() - {"pretty", "indent", "prefix"}:
        raise BuiltinError
    if not given.get("pretty", bool(given)):
        return _write_json(value)
    indent, prefix = check_text(given.get("indent", "\t")), check_text(given.get("prefix", ""))
    written = json.dumps(thaw(value), ensure_ascii=False, indent=indent, sort_keys=True)
    return "\n".join(prefix + line for line in written.split("\n"))


def _read_json(text: Value) -> Value:
    return _freeze(json.loads(check_text(text), parse_constant=_refuse))


def _refuse(_constant: str) -> None:
    raise BuiltinError  # NaN and the infinities are no JSON


def _freeze(value: object) -> Value:
    try:
        return freeze(value)
    except RecursionError:
        raise BuiltinError from None


def _write_yaml(value: Value) -> Value:
    return yaml.safe_dump(thaw(value), allow_unicode=True, sort_keys=True)


def _read_yaml(text: Value) -> Value:
    try:
        _check_depth(check_text(text))
        return _freeze(yaml.load(text, Loader=_PlainLoader))  # noqa: S506 - it makes nothing but plain data
    except yaml.YAMLError:
        raise BuiltinError from None


def _check_depth(text: str) -> None:
    """Raises BuiltinError for YAML that is nested too deeply: reading it would end the process."""
    depth = 0
    for event in yaml.parse(text, Loader=_PlainLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise BuiltinError


class _PlainLoader(yaml.CSafeLoader):
    """Leaves dates as they are written."""


_PlainLoader.add_constructor("tag:yaml.org,2002:timestamp", lambda _loader, node: node.value)


def _accepts(function: Function) -> Function:
    """Whether the function can make something of a text."""

    def accepts(text: Value) -> Value:
        try:
            function(check_text(text))
        except (BuiltinError, ValueError):
            return False
        return True

    return accepts


def _decode_base64(text: Value) -> Value:
    return base64.b64decode(check_text(text), validate=True).decode("utf-8", "replace")


def _decode_base64url(text: Value) -> Value:
    padded = check_text(text) + "=" * (-len(text) % 4)
    return base64.b64decode(padded, altchars=b"-_", validate=True).decode("utf-8", "replace")


def _encode_base64url(text: Value) -> str:
    return base64.urlsafe_b64encode(check_text(text).encode()).decode()


def _decode_hex(text: Value) -> Value:
    try:
        return binascii.unhexlify(check_text(text)).decode("utf-8", "replace")
    except binascii.Error:
        raise BuiltinError from None


def _write_query(value: Value) -> Value:
    return urlencode(sorted(thaw(check_object(value)).items()), doseq=True)


def _read_query(text: Value) -> Value:
    return freeze(parse_qs(check_text(text), keep_blank_values=True))


def _hash(name: str) -> Function:
    return lambda text: hashlib.new(name, check_text(text).encode(), usedforsecurity=False).hexdigest()


def _sign(name: str) -> Function:
    return lambda text, key: hmac.new(check_text(key).encode(), check_text(text).encode(), name).hexdigest()


TABLE = make_table({
    "json.marshal": _write_json,
    "json.marshal_with_options": _write_json_so,
    "json.unmarshal": _read_json,
    "json.is_valid": _accepts(_read_json),
    "yaml.marshal": _write_yaml,
    "yaml.unmarshal": _read_yaml,
    "yaml.is_valid": _accepts(_read_yaml),
    "base64.encode": lambda text: base64.b64encode(check_text(text).encode()).decode(),
    "base64.decode": _decode_base64,
    "base64.is_valid": _accepts(_decode_base64),
    "base64url.encode": _encode_base64url,
    "base64url.encode_no_pad": lambda text: _encode_base64url(text).rstrip("="),
    "base64url.decode": _decode_base64url,
    "hex.encode": lambda text: check_text(text).encode().hex(),
    "hex.decode": _decode_hex,
    "urlquery.encode": lambda text: quote_plus(check_text(text)),
    "urlquery.decode": lambda text: unquote_plus(check_text(text)),
    "urlquery.encode_object": _write_query,
    "urlquery.decode_object": _read_query,
    "crypto.md5": _hash("md5"),
    "crypto.sha1": _hash("sha1"),
    "crypto.sha256": _hash("sha256"),
    "crypto.hmac.equal": lambda one, other: check_text(one) == check_text(other),
    "crypto.hmac.md5": _sign("md5"),
    "crypto.hmac.sha1": _sign("sha1"),
    "crypto.hmac.sha256": _sign("sha256"),
    "crypto.hmac.sha512": _sign("sha512"),
})  # fmt: skip
