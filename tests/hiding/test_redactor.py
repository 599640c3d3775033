"""What is hidden in a text, and that the rest of it stays as it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hiding.saying import all_of
from hiding.urls import SECRET
from runstore.errors import StoreFailureError
from runstore.secrets import HiddenError, Secrets, redact, redact_arguments, redact_word, without_secrets


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("at postgresql://me:s3cret@host/db, now", "at postgresql://me:***@host/db, now"),
        ("postgresql://me:s3cret/x@y#@host:5432/db", "postgresql://me:***@host:5432/db"),
        ("postgresql://me:it's s3cret@host/db failed", "postgresql://me:***@host/db failed"),
        ('"mongodb://me:<s3cret>@a,b:1/db", ok', '"mongodb://me:***@a,b:1/db", ok'),
        ("mongodb://me:s3cret@a:1/db, mysql://u:s3cret@h/d", "mongodb://me:***@a:1/db, mysql://u:***@h/d"),
        ("mysql://host/db?password=s3cret&x=1", "mysql://host/db?password=***&x=1"),
        ("see 'mysql://host/db?x=1&password=s3cret'.", "see 'mysql://host/db?x=1&password=***'."),
        ("s3://bucket?aws_secret_access_key=s3cret", "s3://bucket?aws_secret_access_key=***"),
        ("https://host/x?a=1;access_token=s3cret#f", "https://host/x?a=1;access_token=***"),
        ("https://s3cret@host/x", "https://***@host/x"),
        ("postgresql://h/db?pass%77ord=s3cret", "postgresql://h/db?pass%77ord=***"),
        ("host=h password='it\\'s s3cret' user=u", "host=h password=*** user=u"),
        ('{"password": "s3cret", "a": 1}', '{"password": ***, "a": 1}'),
        ("db:\n  user: me\n  password: 's3 cret'\n  port: 1", "db:\n  user: me\n  password: ***\n  port: 1"),
        ("AWS_SECRET_ACCESS_KEY=s3cret, region=x", "AWS_SECRET_ACCESS_KEY=***, region=x"),
    ],
)
def test_a_secret_in_a_text_is_hidden(text: str, shown: str) -> None:
    assert redact(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "see postgresql://me@host:5432/db?sslmode=require&sslkey=/keys/me.pem",
        "mysql://me:***@h/db refused: Access denied for user 'me'@'localhost' (using password: YES)",
        "postgresql://h:5432/db failed; write to me@example.org",
        "mongodb://a:27017,b:27017/db?authSource=admin failed; write to me@example.org",
        "postgresql://[::1]:5432/db failed; write to me@example.org",
        "sqlite:////data/me:x@y/runs.db?timeout=3",
        "s3://bucket/films@2x.png",
        "KeyError: 'password'",
        "unknown token: 5; token=7; key = 3; max_tokens=5",
        "if password == other: pass",
        "no password was given",
        "password: null\nsecret: ~",
    ],
)
def test_a_text_without_a_secret_stays_as_it_is(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    ("argument", "shown"),
    [
        ("postgres://me:s3cret@db:5432/runs", "postgres://me:***@db:5432/runs"),
        ("--store=mongodb+srv://me:s3cret@db/runs", "--store=mongodb+srv://me:***@db/runs"),
        ("postgres://me:s3c@ret/2 x@db/runs", "postgres://me:***@db/runs"),
        ("postgres://me@db/runs", "postgres://me@db/runs"),
        ("sqlite:///runs.db", "sqlite:///runs.db"),
        ("mysql://db/runs?user=me&password=s3cret&ssl=1", "mysql://db/runs?user=me&password=***&ssl=1"),
        ("--api-key=s3cret", "--api-key=***"),
        ("trainer.token=s3cret", "trainer.token=***"),
        ('{"password": "s3cret"}', '{"password": ***'),
        ("--epochs=3", "--epochs=3"),
        ("--bypass=yes", "--bypass=yes"),
        ("--tokenizer=bert", "--tokenizer=bert"),
    ],
)
def test_a_secret_in_an_argument_is_hidden(argument: str, shown: str) -> None:
    assert redact_word(argument) == shown


def test_the_argument_after_a_secret_option_is_hidden() -> None:
    shown = redact_arguments(["fit", "--db-password", "s3cret", "--epochs", "3", "--token", "abc"])

    assert shown == ["fit", "--db-password", "***", "--epochs", "3", "--token", "***"]


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "piece", ["a_", "-a", "http://a:b ", "http://a:b", "?a=))", "&password=", "password='", "://a:@", "a: \n", "\\'"]
)
def test_a_long_text_is_looked_through_in_time_that_grows_with_its_length(piece: str) -> None:
    text = piece * (300_000 // len(piece))

    assert len(redact(text)) <= len(text) + len("***") * text.count("=")
    assert redact_word(text)


_PIECES = st.sampled_from([*"ab:/@?&=#;'\" %\\\n", "://", "password=", "me:", "&token="])


@given(st.lists(_PIECES).map("".join))
def test_hiding_twice_is_hiding_once(text: str) -> None:
    assert redact(redact(text)) == redact(text)
    assert redact_word(redact_word(text)) == redact_word(text)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://postgres:postgres@localhost/lab", 'role "postgres" of postgresql on localhost does not exist'),
        ("mysql://me:lab@localhost/lab", "Unknown database 'lab'"),
        ("mysql://me:a@localhost/lab", "a server at a host, 'a'"),
        ("mongodb://me:password@localhost/lab", "password authentication failed"),
        ("postgresql://me:host@db/lab", "no such host"),
    ],
)
def test_a_password_that_is_a_word_like_any_other_does_not_blank_the_text(url: str, said: str) -> None:
    assert Secrets(url).hide(said) == said


@pytest.mark.parametrize(
    "said",
    ["got s3/cr@t", "got s3%2Fcr%40t, and", "'s3/cr@t'", "a s3%2fcr%40t b", '["s3/cr@t"]'],
)
def test_a_known_password_is_hidden_however_it_is_written(said: str) -> None:
    hidden = Secrets("postgresql://me:s3%2Fcr%40t@host/lab").hide(said)

    assert "s3" not in hidden
    assert "***" in hidden


def test_a_known_password_is_no_part_of_a_longer_word() -> None:
    assert Secrets("mysql://me:cast@host/lab").hide("cast, broadcast, casts") == "***, broadcast, casts"


def test_errors_behind_an_error_show_no_secret_and_keep_what_else_they_say() -> None:
    word = SECRET
    failed = StoreFailureError(f"it said {word}")
    failed.add_note(f"note of {word}")
    failed.__cause__ = _raised(KeyError(word), cause=OSError("harmless"), context=ValueError(f"what is {word}?"))

    clean = without_secrets(failed, Secrets(f"postgresql://me:{word}@host/lab"))

    assert clean is failed
    assert SECRET not in all_of(clean)
    assert str(clean) == "it said ***"
    assert isinstance(clean.__cause__, HiddenError)
    assert "KeyError" in str(clean.__cause__)
    assert clean.__cause__.__traceback__ is not None
    assert isinstance(clean.__cause__.__cause__, OSError)
    assert isinstance(clean.__cause__.__context__, HiddenError)


def _raised(error: Exception, *, cause: Exception, context: Exception) -> Exception:
    try:
        raise error from cause  # noqa: TRY301 - an error that was raised is what is wanted
    except Exception as caught:  # noqa: BLE001 - the one above
        caught.__context__ = context
        return caught


def test_errors_that_lead_to_each_other_end() -> None:
    one, other = ValueError("s3cretword"), ValueError("harmless")
    one.__context__, other.__context__ = other, one
    failed = StoreFailureError("x")
    failed.__cause__ = one

    assert "s3cretword" not in str(without_secrets(failed, Secrets("x://u:s3cretword@h")).__cause__)
