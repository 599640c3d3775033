"""URLs with a secret in them, in every way in which a person may write one. ``SECRET`` stands in each of them."""

from urllib.parse import quote

SECRET = "hunter2tr0ub4dor"

ODD = {
    "plain": "",
    "quote": "'",
    "double quote": '"',
    "angle brackets": "<>",
    "colon": ":",
    "percent": "%",
    "brackets": "[x]",
    "one bracket": "[",
    "backslash": "\\",
    "letters of another script": "пароль",
    "ampersand": "&",
    "equals": "=",
    "semicolon": ";",
    "comma": ",",
    "plus": "+",
    "dollar": "$",
    "braces": "{}",
    "star": "*",
    "a looked-for escape": "%zz",
}
"""What a driver can tell from the rest of a URL though it is not escaped."""

UNSPLITTABLE = {
    "at": "@",
    "slash": "/",
    "slash and at": "/@",
    "question mark": "?",
    "hash": "#",
    "blank": " ",
    "tab": "\t",
    "line break": "\n",
    "carriage return": "\r",
    "no-break blank": "\N{NO-BREAK SPACE}",
    "line separator": "\N{LINE SEPARATOR}",
    "escape": "\x1b",
    "delete": "\x7f",
    "query": "?a=b&",
    "scheme": "x://",
}
"""What makes it a guess where the password ends."""

SERVERS = ("postgresql", "mysql", "mongodb")
_AWAY = {
    "postgresql": "127.0.0.1:1/lab?connect_timeout=1",
    "mysql": "127.0.0.1:1/lab?connect_timeout=1",
    "mongodb": "127.0.0.1:1/lab?serverSelectionTimeoutMS=20",
}


def around(odd: str) -> str:
    """A password with the odd characters in the middle of the secret: neither half may show, nor the whole."""
    return f"{SECRET}{odd}{SECRET}"


def away(scheme: str, password: str) -> str:
    """A URL of a server that does not answer, with this password as it is."""
    return f"{scheme}://me:{password}@{_AWAY[scheme]}"


SPLITTABLE_URLS = {
    **{f"{scheme}, {kind}": away(scheme, around(odd)) for scheme in SERVERS for kind, odd in ODD.items()},
    **{
        f"{scheme}, escaped {kind}": away(scheme, quote(around(odd), safe=""))
        for scheme in SERVERS
        for kind, odd in UNSPLITTABLE.items()
    },
}

REFUSED_URLS = {
    **{f"{scheme}, {kind}": away(scheme, around(odd)) for scheme in SERVERS for kind, odd in UNSPLITTABLE.items()},
    "at the end": f"postgresql://me:{SECRET}@@127.0.0.1:1/lab",
    "slash first": f"mongodb://me:/{SECRET}@127.0.0.1:1/lab",
    "user with at": f"mysql://me@{SECRET}:pw@127.0.0.1:1/lab",
    "no host": f"postgresql://me:{SECRET}/lab",
    "no host, a number": f"mysql://me:123456{SECRET}/lab",
    "a number too long for a port": f"mysql://me:99999/{SECRET}@127.0.0.1:1/lab",
    "a port and a slash": f"mongodb://me:123/{SECRET}@127.0.0.1:1/lab",
    "no user": f"mongodb:///{SECRET}@127.0.0.1:1/lab",
    "driver named": f"postgresql+psycopg://me:{SECRET}@{SECRET}@127.0.0.1:1/lab",
    "upper case": f"POSTGRESQL://me:{SECRET}/{SECRET}@127.0.0.1:1/lab",
    "srv": f"mongodb+srv://me:{SECRET}/x@cluster.invalid/lab",
    "no scheme": f"me:{SECRET}@127.0.0.1/lab",
    "one slash": f"postgresql:/me:{SECRET}@127.0.0.1/lab",
    "no slash": f"postgresql:me:{SECRET}@127.0.0.1/lab",
    "no at": f"postgresql:me:{SECRET}",
    "in quotes": f"'postgresql://me:{SECRET}@127.0.0.1:1/lab'",
    "as the driver's own text": f"host=127.0.0.1 user=me password={SECRET} dbname=lab",
    "jdbc": f"jdbc:postgresql://127.0.0.1:1/lab?user=me&password={SECRET}",
    "option with an ampersand": f"postgresql://me@127.0.0.1:1/lab?password=x&{SECRET}",
    "option with an at": f"mysql://127.0.0.1:1/lab?password={SECRET}@x&user=me@x",
    "option with a hash": f"postgresql://me@127.0.0.1:1/lab?password=x#{SECRET}",
    "sqlite with a user": f"sqlite://me:{SECRET}@/x.db",
    "sqlite with a line break": f"sqlite:///x.db\n{SECRET}",
    "another backend's": f"nowhere://me:{SECRET}@x@host/lab",
}

SECRET_OPTIONS = {
    "password": f"postgresql://me@127.0.0.1:1/lab?password={SECRET}",
    "a password with odd characters": f"postgresql://me@127.0.0.1:1/lab?password={SECRET}'%22%40<>{SECRET}",
    "an escaped name": f"postgresql://me@127.0.0.1:1/lab?pass%77ord={SECRET}",
    "upper case": f"mysql://me@127.0.0.1:1/lab?PASSWORD={SECRET}",
    "passwd": f"mysql://me@127.0.0.1:1/lab?passwd={SECRET}",
    "of a key": f"postgresql://me:pw@127.0.0.1:1/lab?sslpassword={SECRET}&sslkey=/no/key.pem&connect_timeout=1",
    "of a key, MariaDB": f"mysql://me@127.0.0.1:1/lab?ssl_key_password={SECRET}&ssl_key=/no/key.pem",
    "of a key, MongoDB": f"mongodb://127.0.0.1:1/lab?tls=true&tlsCertificateKeyFilePassword={SECRET}&serverSelectionTimeoutMS=20",
    "a session token": f"mongodb://key:{SECRET}@127.0.0.1:1/lab?serverSelectionTimeoutMS=20&authMechanism=MONGODB-AWS&authMechanismProperties=AWS_SESSION_TOKEN:{SECRET}",
    "a session token, misspelt": f"mongodb://127.0.0.1:1/lab?serverSelectionTimeoutMS=20&authMechanism=MONGODB-AWS&authMechanismProperties={SECRET}:x",
    "a session token without a name": f"mongodb://127.0.0.1:1/lab?authMechanism=MONGODB-AWS&authMechanismProperties={SECRET}",
    "semicolons": f"mongodb://127.0.0.1:1/lab?serverSelectionTimeoutMS=20;authMechanismProperties=AWS_SESSION_TOKEN:{SECRET}",
    "of SQLite, which has none": f"sqlite:///no-such-folder/x.db?password={SECRET}",
    "of SQLite, a key": f"sqlite:///no-such-folder/x.db?key={SECRET}",
    "of memory": f"memory://me:{SECRET}@x",
    "of another backend": f"nowhere://me@host/lab?token={SECRET}",
    "credentials": f"nowhere://host/lab?credentials={SECRET}",
    "auth": f"nowhere://host/lab?auth={SECRET}",
    "presigned": f"nowhere://host/lab?X-Amz-Credential={SECRET}&X-Amz-Signature={SECRET}&X-Amz-Security-Token={SECRET}",
    "shared access": f"nowhere://host/lab?sv=2&sig={SECRET}&st=2026",
    "access key": f"nowhere://host/lab?AWSAccessKeyId={SECRET}&Signature={SECRET}&account_key={SECRET}&AccountKey={SECRET}",
}
